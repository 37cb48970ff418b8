"""Volume, centre of mass and inertia of a closed mesh, and the smallest box around it in any position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import Ints

Array = NDArray[Any]
DIRECTIONS = 300
TURNS = 90
TRIED = 12
AT_ONCE = 4096


@dataclass(frozen=True)
class Mass:
    """Of a body of density 1. ``volume``: m³. ``centre``: (3,) metres. ``inertia``: (3, 3) about the centre, m⁵."""

    volume: float
    centre: Array
    inertia: Array


def mass_of(vertices: Array, faces: Ints) -> Mass:
    """Exact integrals over the tetrahedra between each face and one point (Blow and Binstock 2004).

    The faces close a body and look outward; a body that looks inward has a negative volume and inertia. One without
    volume has its centre at the middle of the faces' corners, and no inertia.
    """
    used = vertices[faces].astype(np.float64)
    middle = (used.min(axis=(0, 1)) + used.max(axis=(0, 1))) / 2
    a, b, c = (used[:, k] - middle for k in range(3))
    six = np.einsum("ij,ij->i", a, np.cross(b, c))
    volume = float(six.sum()) / 6
    size = float(np.ptp(used, axis=(0, 1)).max())
    if abs(volume) <= 1e-12 * size**3:
        return Mass(0.0, used.mean(axis=(0, 1)), np.zeros((3, 3)))
    total = a + b + c
    centre = np.asarray(six @ total / 24 / volume)
    second = np.einsum("i,ij,ik->jk", six, total, total)
    for corner in (a, b, c):
        second += np.einsum("i,ij,ik->jk", six, corner, corner)
    spread = second / 120 - volume * np.outer(centre, centre)
    return Mass(volume, middle + centre, np.eye(3) * np.trace(spread) - spread)


def smallest_box(points: Array) -> tuple[Array, Array]:
    """((3,) lengths, longest first, (3, 3) axes in rows) of a tight box around (N, 3) points.

    One side lies flush on the hull of the points that lie outermost in 300 even directions, as one does in the smallest
    box (O'Rourke 1985); within that plane the box is the smallest. All points lie in the box that is returned.
    """
    at = points.astype(np.float64)
    at = at - (at.min(axis=0) + at.max(axis=0)) / 2
    outer = _outermost(at)
    best, axes = np.inf, np.eye(3)
    for frame in _frames(at[outer]):
        extent = np.ptp(at[outer] @ frame.T, axis=0)
        if extent.prod() < best * (1 - 1e-9):
            best, axes = float(extent.prod()), frame
    extents = np.stack([np.ptp(at @ frame.T, axis=0) for frame in (axes, np.eye(3))])
    which = int(extents.prod(axis=1).argmin())
    order = np.argsort(-extents[which], kind="stable")
    return extents[which][order], (axes, np.eye(3))[which][order]


def _outermost(points: Array) -> Array:
    """Numbers of the points that lie farthest out in one of the directions."""
    ways = np.ascontiguousarray(_directions().T, np.float32)
    best, which = np.full(ways.shape[1], -np.inf, np.float32), np.zeros(ways.shape[1], np.int64)
    for first in range(0, len(points), AT_ONCE):
        out = points[first : first + AT_ONCE].astype(np.float32) @ ways
        row = out.argmax(axis=0)
        far = out[row, np.arange(len(row))]
        which = np.where(far > best, first + row, which)
        best = np.maximum(best, far)
    return np.unique(which)


def _directions() -> Array:
    """(300, 3) even unit directions on a spiral, and those of the coordinates and their diagonals."""
    k = np.arange(DIRECTIONS) + 0.5
    up, turn = 1 - 2 * k / DIRECTIONS, k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - up**2)
    signs = np.array(np.meshgrid(*[[-1, 0, 1]] * 3)).reshape(3, -1).T
    return np.concatenate([np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1), signs])


def _frames(points: Array) -> list[Array]:
    """(3, 3) candidate axes in rows: flush with a side of the hull, and there with an edge of its outline."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        normals = ConvexHull(points).equations[:, :3]
    except QhullError:
        _, _, principal = np.linalg.svd(points - points.mean(axis=0), full_matrices=True)
        normals = principal
    upward = normals * np.where(normals.sum(axis=1, keepdims=True) < 0, -1, 1)
    told_apart = np.unique(np.round(upward, 4), axis=0, return_index=True)[1]
    sides = upward[told_apart]
    best = np.argsort([_roughly(points, normal) for normal in sides], kind="stable")[:TRIED]
    return [frame for k in best for frame in [_best_turn(points, sides[k])] if frame is not None]


def _across(normal: Array) -> tuple[Array, Array, Array]:
    """(the unit normal, two unit vectors across it)."""
    normal = normal / np.linalg.norm(normal)
    one = np.cross(normal, np.eye(3)[int(np.abs(normal).argmin())])
    one /= np.linalg.norm(one)
    return normal, one, np.cross(normal, one)


def _roughly(points: Array, normal: Array) -> float:
    """Volume of the smallest of the boxes turned about ``normal`` in steps of a degree."""
    normal, one, two = _across(normal)
    turn = np.radians(np.arange(TURNS))
    flat = points @ np.stack([one, two], axis=1)
    wide = np.ptp(flat @ np.stack([np.cos(turn), np.sin(turn)]), axis=0)
    high = np.ptp(flat @ np.stack([-np.sin(turn), np.cos(turn)]), axis=0)
    return float((wide * high).min() * np.ptp(points @ normal))


def _best_turn(points: Array, normal: Array) -> Array | None:
    """Axes along ``normal`` and along the outline's side over which the rectangle is smallest."""
    from scipy.spatial import ConvexHull, QhullError

    normal, one, two = _across(normal)
    flat = points @ np.stack([one, two], axis=1)
    try:
        outline = flat[ConvexHull(flat).vertices]
    except QhullError:
        outline = flat[[int(flat[:, 0].argmin()), int(flat[:, 0].argmax())]]
    side = np.roll(outline, -1, axis=0) - outline
    length = np.linalg.norm(side, axis=1)
    if not length.max(initial=0.0) > 0:
        return None
    along = side[length > 0] / length[length > 0, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    area = np.ptp(outline @ along.T, axis=0) * np.ptp(outline @ across.T, axis=0)
    u, v = along[int(area.argmin())]
    first = u * one + v * two
    return np.stack([first, np.cross(normal, first), normal])
