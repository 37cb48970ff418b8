"""Triangulate the rim of a hole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
LONGEST = 200
LENGTHS = 1e-6


@kernel
def _price(p: Array, i: int, j: int, k: int) -> float:
    """Area, and a little for long sides: of flat fillings, all alike in area, the one without slivers is cheapest."""
    ux, uy, uz = p[j, 0] - p[i, 0], p[j, 1] - p[i, 1], p[j, 2] - p[i, 2]
    vx, vy, vz = p[k, 0] - p[i, 0], p[k, 1] - p[i, 1], p[k, 2] - p[i, 2]
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    sx, sy, sz = vx - ux, vy - uy, vz - uz
    sides = ux * ux + uy * uy + uz * uz + vx * vx + vy * vy + vz * vz + sx * sx + sy * sy + sz * sz
    return math.sqrt(x * x + y * y + z * z) / 2 + LENGTHS * float(sides)


@kernel
def _least_area(p: Array, taken: Array, middle: Array) -> float:
    """Total area of the best triangulation; ``middle[i, k]`` becomes the third corner over the chord from i to k."""
    n = len(p)
    cost = np.zeros((n, n))
    for span in range(2, n):
        for i in range(n - span):
            k = i + span
            best = np.inf
            if span == n - 1 or not taken[i, k]:
                for j in range(i + 1, k):
                    total = cost[i, j] + cost[j, k] + _price(p, i, j, k)
                    if total < best:
                        best, middle[i, k] = total, j
            cost[i, k] = best
    return float(cost[0, n - 1])


def _best(points: Array, taken: Array) -> Array | None:
    """(n - 2, 3) corners of the triangulation of least area (Barequet and Sharir 1995), or None if chords forbid it."""
    n = len(points)
    middle = np.zeros((n, n), np.int32)
    if not np.isfinite(_least_area(points, taken, middle)):
        return None
    found, waiting = [], [(0, n - 1)]
    while waiting:
        i, k = waiting.pop()
        if k - i >= 2:
            j = int(middle[i, k])
            found.append((i, j, k))
            waiting += [(i, j), (j, k)]
    return np.array(found, np.int64)


def _halves(points: Array, taken: Array) -> tuple[int, int] | None:
    """The free chord that cuts a long rim in two with the least length for the rim it spans."""
    n = len(points)
    step = max(1, n // 600)
    at = np.arange(0, n, step)
    along = np.abs(at[:, None] - at[None, :])
    along = np.minimum(along, n - along)
    length = np.linalg.norm(points[at][:, None] - points[at][None, :], axis=2)
    score = np.where((along >= n // 5) & ~taken[np.ix_(at, at)], length / np.maximum(along, 1), np.inf)
    i, k = np.unravel_index(int(score.argmin()), score.shape)
    return (int(at[min(i, k)]), int(at[max(i, k)])) if np.isfinite(score[i, k]) else None


def patch(points: Array, taken: Array) -> Array:
    """(T, 3) int64 corners over a rim of (n, 3) float64 ``points``; n stands for one new point in the middle.

    The triangles run along the rim in its own direction. ``taken``: (n, n) bool, chords that are edges already and may
    not be used again.
    """
    n = len(points)
    if n > LONGEST:
        cut = _halves(points, taken)
        if cut is not None:
            return _both(points, taken, *cut)
    elif (found := _best(points, taken)) is not None:
        return found
    rim = np.arange(n)
    return np.stack([rim, np.roll(rim, -1), np.full(n, n)], axis=1)


def _both(points: Array, taken: Array, i: int, k: int) -> Array:
    n, found = len(points), []
    for side in (np.arange(i, k + 1), np.concatenate([np.arange(k, n), np.arange(i + 1)])):
        inner = patch(points[side], taken[np.ix_(side, side)])
        if inner.max() >= len(side):
            rim = np.arange(n)
            return np.stack([rim, np.roll(rim, -1), np.full(n, n)], axis=1)
        found.append(side[inner])
    return np.concatenate(found)
