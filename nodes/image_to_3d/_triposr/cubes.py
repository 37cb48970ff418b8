"""Surface of samples on a grid, block by block: marching cubes over many blocks at once, in torch, on any device.

A grid of ``grid`` cells a side has ``grid + 1`` samples a side. Every vertex lies on an edge between two neighbouring
samples and is named by a number that says which edge: blocks worked on apart fit together by these numbers. Imported
inside functions only, because it needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch  # noqa: TID253

from nodes.mesh._case_table import EDGES, triangles_of

LEAST = 1e-3  # a vertex keeps this share of an edge away from its ends, so that no two vertices meet


@dataclass(frozen=True)
class Patch:
    """A part of a surface. ``triangles``: (M, 3) int64 edge numbers, counter-clockwise from outside.

    ``edges``: (V,) int64, each edge number once. ``points``: (V, 3) float32, grid steps. All on one device.
    """

    triangles: torch.Tensor
    edges: torch.Tensor
    points: torch.Tensor


@cache
def _tables(device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(256, T, 3) edges of the triangles of each case or -1; (12,) lower corner and (12,) axis of each edge."""
    table = torch.full((256, max(map(len, triangles_of())), 3), -1)
    for case, triangles in enumerate(triangles_of()):
        if triangles:
            table[case, : len(triangles)] = torch.tensor(triangles)
    low, axis = torch.tensor(EDGES).T
    return table.to(device), low.to(device), axis.to(device)


def march(values: torch.Tensor, corners: torch.Tensor, grid: int) -> Patch:
    """Where blocks of samples cross zero.

    ``values``: (B, X, Y, Z) float32, above zero inside, finite. ``corners``: (B, 3) int64, grid place of each block's
    first sample. Blocks share the samples on their common faces and overlap nowhere else.
    """
    table, low, axis = _tables(str(values.device))
    cell, case = _crossed(values > 0)
    picked = table[case]
    used = picked[:, :, 0] >= 0
    owner = torch.arange(len(case), device=case.device)[:, None].expand(used.shape)[used]
    edge = picked[used]
    start = cell[owner][:, None] + torch.cat([torch.zeros_like(low)[:, None], _bits(low)], dim=1)[edge]
    place = start[..., 1:] + corners[start[..., 0]]
    side = grid + 1
    number = ((place[..., 0] * side + place[..., 1]) * side + place[..., 2]) * 3 + axis[edge]
    edges, first = _unique(number.flatten())
    return Patch(number, edges, _points(values, start.flatten(0, 1)[first], place.flatten(0, 1)[first], edges % 3))


def _crossed(inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(A, 4) block, x, y, z of the cells that have corners on both sides, and their (A,) cases."""
    whole = inside.to(torch.uint8)
    for axis in range(3):
        length = whole.shape[axis + 1] - 1
        lower, upper = whole.narrow(axis + 1, 0, length), whole.narrow(axis + 1, 1, length)
        whole = lower | upper << (1 << axis)
    cell = ((whole != 0) & (whole != 255)).nonzero()
    return cell, whole[tuple(cell.T)].long()


def _bits(corner: torch.Tensor) -> torch.Tensor:
    return torch.stack([corner >> axis & 1 for axis in range(3)], dim=1)


def _unique(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The different numbers, rising, and where each comes first."""
    ordered, place = torch.sort(numbers, stable=True)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new], place[new]


def _points(values: torch.Tensor, start: torch.Tensor, place: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    end = start.clone()
    row = torch.arange(len(start), device=start.device)
    end[row, axis + 1] += 1
    a, b = values[tuple(start.T)], values[tuple(end.T)]
    points = place.float()
    points[row, axis] += (a / (a - b)).clamp(LEAST, 1 - LEAST)
    return points


def joined(patches: list[Patch]) -> tuple[torch.Tensor, torch.Tensor]:
    """(V, 3) float32 points in grid steps and (M, 3) int64 faces of all patches as one surface."""
    if not patches:
        return torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64)
    edges, first = _unique(torch.cat([patch.edges for patch in patches]))
    points = torch.cat([patch.points for patch in patches])[first]
    faces = torch.searchsorted(edges, torch.cat([patch.triangles for patch in patches]))
    return points, faces
