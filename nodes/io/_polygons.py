"""Polygons to triangles."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MOST_FORCED = 16


def triangulated(counts: Array, points: Array, at: Array) -> tuple[Array, Array]:
    """Cut polygons into triangles with their own corners, in their order and winding.

    ``counts``: (P,) corners of each polygon; fewer than 3 gives nothing. ``points``: (N, 3) positions. ``at``: (sum of
    counts,) the position of each corner. Returns (M, 3) corner numbers and (M,) the polygon of each. Quads are cut
    where both halves face the same way; larger polygons that are not convex are cut ear by ear (Meisters 1975).
    """
    if len(counts) and int(counts.min()) == int(counts.max()) == 3:
        return np.arange(3 * len(counts)).reshape(-1, 3), np.arange(len(counts))
    starts = np.cumsum(counts) - counts
    pieces = [_fans(counts, starts, size, points, at) for size in np.unique(counts).tolist() if size >= 3]
    if not pieces:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    corners = np.concatenate([piece[0] for piece in pieces])
    polygon = np.concatenate([piece[1] for piece in pieces])
    if len(pieces) > 1:
        order = np.argsort(polygon, kind="stable")
        corners, polygon = corners[order], polygon[order]
    return corners, polygon


def _fans(counts: Array, starts: Array, size: int, points: Array, at: Array) -> tuple[Array, Array]:
    """All polygons of one size."""
    chosen = np.flatnonzero(counts == size)
    first = starts[chosen]
    if size == 3:
        return first[:, None] + np.arange(3), chosen
    local = np.broadcast_to(_fan(size), (len(chosen), size - 2, 3)).copy()
    shapes = points[at[first[:, None] + np.arange(size)]].astype(np.float64)
    for index in np.flatnonzero(_folded(shapes)):
        local[index] = [[1, 2, 3], [1, 3, 0]] if size == 4 else _ears(shapes[index])
    return (first[:, None, None] + local).reshape(-1, 3), np.repeat(chosen, size - 2)


def _fan(size: int) -> Array:
    ahead = np.arange(1, size - 1)
    return np.column_stack([np.zeros(size - 2, int), ahead, ahead + 1])


def _folded(shapes: Array) -> NDArray[np.bool_]:
    """(P,) whether a fan from the first corner of (P, K, 3) would turn one of its triangles over."""
    spokes = shapes[:, 1:] - shapes[:, :1]
    normals = np.cross(spokes[:, :-1], spokes[:, 1:])
    return np.asarray((np.einsum("pki,pi->pk", normals, normals.sum(axis=1)) < 0).any(axis=1))


def _ears(shape: Array) -> Array:
    """(K - 2, 3) corners of one polygon (K, 3), cut off ear by ear in its main plane.

    One that crosses itself has no ears: after a few forced cuts the rest becomes a fan, or a hostile file would take
    hours.
    """
    normal = np.cross(shape, np.roll(shape, -1, axis=0)).sum(axis=0)
    drop = int(np.abs(normal).argmax())
    flat = shape[:, [(drop + 1) % 3, (drop + 2) % 3]] * np.array([1.0, np.sign(normal[drop]) or 1.0])
    left, triangles, forced = list(range(len(flat))), [], 0
    while len(left) > 3 and forced < MOST_FORCED:
        ear = next((k for k in range(len(left)) if _is_ear(flat, left, k)), -1)
        forced += ear < 0
        ear = max(ear, 0)
        triangles.append([left[ear - 1], left[ear], left[(ear + 1) % len(left)]])
        del left[ear]
    return np.array([*triangles, *([left[0], b, c] for b, c in pairwise(left[1:]))])


def _is_ear(flat: Array, left: list[int], k: int) -> bool:
    a, b, c = (flat[left[j % len(left)]] for j in (k - 1, k, k + 1))
    if _side(a, b, c) <= 0:
        return False
    others = flat[[i for i in left if i not in (left[k - 1], left[k], left[(k + 1) % len(left)])]]
    inside = (_side(a, b, others) >= 0) & (_side(b, c, others) >= 0) & (_side(c, a, others) >= 0)
    same = (others == a).all(axis=1) | (others == b).all(axis=1) | (others == c).all(axis=1)
    return not bool((inside & ~same).any())


def _side(a: Array, b: Array, point: Array) -> Any:
    return (b[0] - a[0]) * (point[..., 1] - a[1]) - (b[1] - a[1]) * (point[..., 0] - a[0])
