"""The surface of a field in a cube: by asking it everywhere, or only near the surface.

Asked everywhere, a grid of n cells a side costs n^3 questions. :func:`near` asks on a coarse grid first and then only
in blocks where the surface is or may be, and follows it from block to block until it closes. What that can lose:
a separate piece (or a closed hollow) that fits between the samples of the coarse grid and that the field around it
does not announce. What is connected to anything found is never lost, and the result is always closed.

Samples on the faces of the cube always count as outside, so that the surface closes there, too. Imported inside
functions only, because it needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch  # noqa: TID253
from torch.nn import functional as F  # noqa: TID253

from nodes.image_to_3d._triposr.cubes import Patch, joined, march

Level = Callable[[torch.Tensor], torch.Tensor]
Told = Callable[[float], None]

COARSE = 64  # cells a side of the coarse grid at least: as many as the published planes have texels
MARGIN = 3.0  # on noisy fields, too, hardly a crumb is missed, and 256^3 still costs an eighth
SLAB = 1 << 21


@dataclass(frozen=True)
class Space:
    """What to sample. ``level``: (P, 3) float32 points to (P,) float32, above zero inside.

    ``radius``: half the side of the cube around the origin. ``grid``: cells a side. ``chunk``: most points per call.
    ``device``: where the work between the calls is done. ``told``: called with 0..1 before each call.
    ``coarse``: cells a side that the coarse grid of :func:`near` has at least.
    """

    level: Level
    radius: float
    grid: int
    chunk: int
    device: str = "cpu"
    told: Told = lambda _: None
    coarse: int = COARSE


@dataclass(frozen=True)
class Surface:
    """``points``: (V, 3) float32 in the cube. ``faces``: (M, 3) int64, counter-clockwise from outside.

    ``asked``: how many points the field was asked for.
    """

    points: torch.Tensor
    faces: torch.Tensor
    asked: int


def everywhere(space: Space) -> Surface:
    """Every sample of the grid, a few layers at a time; only these are in memory at once."""
    side = space.grid + 1
    step = max(1, SLAB // side**2)
    patches: list[Patch] = []
    last = torch.zeros(0, side, side, device=space.device)
    for x in range(0, side, step):
        layers = min(step, side - x)
        first = x * side * side
        numbers = torch.arange(first, first + layers * side * side, device=space.device)
        fresh = _ask(space, numbers, x / side, (x + layers) / side).view(layers, side, side)
        values = torch.cat([last, fresh])
        corner = torch.tensor([[x - len(last), 0, 0]], device=space.device)
        patches.append(march(values[None], corner, space.grid))
        last = fresh[-1:].clone()
    return _surface(space, patches, side**3)


def near(space: Space) -> Surface:
    """Only what lies near the surface. The samples, and so the surface, are those of :func:`everywhere`."""
    stride = stride_of(space.grid, space.coarse)
    if stride == 1:
        return everywhere(space)
    known = _Known(space)
    blocks = coarse_blocks(_coarse(space, known, stride), MARGIN)
    patches: list[Patch] = []
    fresh = blocks.clone()
    while fresh.any():
        found, reached = _blocks(space, known, fresh.nonzero() * stride, stride)
        patches += found
        fresh = torch.zeros_like(blocks)
        inside = ((reached >= 0) & (reached < len(blocks))).all(dim=1)
        fresh[tuple(reached[inside].T)] = True
        fresh &= ~blocks
        blocks |= fresh
    return _surface(space, patches, known.asked)


def stride_of(grid: int, coarse: int) -> int:
    """Cells of the fine grid along a cell of the coarse one: a power of two."""
    return 1 << max(0, (grid // coarse).bit_length() - 1)


def coarse_blocks(values: torch.Tensor, margin: float) -> torch.Tensor:
    """(n, n, n) bool: the cells of a coarse grid of (n + 1)^3 samples that the surface crosses or may cross.

    A cell counts when its corners lie on both sides of zero, or when the bend of the field at a corner could carry it
    over zero before the next one. The bend is what the samples show of it: half the second difference along each axis,
    which is as high as a sharp ridge between two samples rises above the higher of them at most, times ``margin``.
    """
    slack = 0.5 * margin * torch.stack([_bend(values, axis) for axis in range(3)]).sum(dim=0)
    return (_corners_most(values + slack) > 0) & (_corners_most(slack - values) >= 0)


def _bend(values: torch.Tensor, axis: int) -> torch.Tensor:
    """Absolute second difference along an axis; the outermost samples take their neighbour's."""
    length = values.shape[axis]
    inner = values.diff(n=2, dim=axis).abs()
    return torch.cat([inner.narrow(axis, 0, 1), inner, inner.narrow(axis, length - 3, 1)], dim=axis)


def _corners_most(values: torch.Tensor) -> torch.Tensor:
    """The largest of the eight corners of each cell."""
    return F.max_pool3d(values[None, None], 2, stride=1)[0, 0]


class _Known:
    """Samples asked for so far, by number, rising."""

    def __init__(self, space: Space) -> None:
        self.space, self.asked = space, 0
        self.numbers = torch.zeros(0, dtype=torch.int64, device=space.device)
        self.values = torch.zeros(0, device=space.device)

    def get(self, numbers: torch.Tensor, start: float, end: float) -> torch.Tensor:
        """Values of sample numbers of any shape; asks for those that are not known."""
        wanted, where = torch.unique(numbers, return_inverse=True)
        lacking = wanted[~self._has(wanted)]
        if len(lacking):
            both = torch.cat([self.numbers, lacking])
            values = torch.cat([self.values, _ask(self.space, lacking, start, end)])
            self.numbers, order = both.sort()
            self.values = values[order]
            self.asked += len(lacking)
        return self.values[torch.searchsorted(self.numbers, wanted)][where]

    def _has(self, wanted: torch.Tensor) -> torch.Tensor:
        if not len(self.numbers):
            return torch.zeros_like(wanted, dtype=torch.bool)
        place = torch.searchsorted(self.numbers, wanted).clamp(max=len(self.numbers) - 1)
        return self.numbers[place] == wanted


def _coarse(space: Space, known: _Known, stride: int) -> torch.Tensor:
    count = -(-space.grid // stride)
    places = (torch.arange(count + 1, device=space.device) * stride).clamp(max=space.grid)
    return known.get(_numbers(space, places, places, places), 0.0, 0.4)


def _numbers(space: Space, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """(..., X, Y, Z) int64 sample numbers of places (..., X), (..., Y), (..., Z)."""
    side = space.grid + 1
    return (x[..., :, None, None] * side + y[..., None, :, None]) * side + z[..., None, None, :]


def _blocks(space: Space, known: _Known, corners: torch.Tensor, stride: int) -> tuple[list[Patch], torch.Tensor]:
    """The surface in blocks at (B, 3) corners, and the (R, 3) blocks that it runs into."""
    patches, reached = [], []
    step = max(1, SLAB // (stride + 1) ** 3)
    for first in range(0, len(corners), step):
        part = corners[first : first + step]
        steps = (part[:, :, None] + torch.arange(stride + 1, device=part.device)).clamp(max=space.grid)  # rim: outside
        share = 0.4 + 0.6 * first / len(corners), 0.4 + 0.6 * (first + len(part)) / len(corners)
        values = known.get(_numbers(space, *steps.unbind(1)), *share)
        patches.append(march(values, part, space.grid))
        reached.append(_reached(values > 0, part // stride))
    return patches, torch.cat(reached)


def _reached(inside: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
    """The neighbours of (B, 3) blocks across faces whose samples lie on both sides."""
    found = []
    for axis in range(3):
        for end, step in ((0, -1), (-1, 1)):
            face = inside.select(axis + 1, end).flatten(1)
            crossing = face.any(dim=1) & ~face.all(dim=1)
            neighbours = blocks[crossing].clone()
            neighbours[:, axis] += step
            found.append(neighbours)
    return torch.cat(found)


def _ask(space: Space, numbers: torch.Tensor, start: float, end: float) -> torch.Tensor:
    """(P,) values of (P,) sample numbers; samples on the faces of the cube lie outside."""
    side = space.grid + 1
    line = torch.linspace(-space.radius, space.radius, side, device=numbers.device)
    values = torch.empty(len(numbers), device=numbers.device)
    for first in range(0, len(numbers), space.chunk):
        space.told(start + (end - start) * first / len(numbers))
        part = numbers[first : first + space.chunk]
        places = torch.stack([part // side**2, part // side % side, part % side], dim=1)
        asked = space.level(line[places])
        rim = ((places == 0) | (places == space.grid)).any(dim=1)
        values[first : first + len(part)] = torch.where(rim, -asked.abs(), asked)
    return values


def _surface(space: Space, patches: list[Patch], asked: int) -> Surface:
    points, faces = joined(patches)
    return Surface(points * (2 * space.radius / space.grid) - space.radius, faces, asked)
