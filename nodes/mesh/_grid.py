"""Find near points with a hash grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _slot(x: int, y: int, z: int, size: int) -> int:
    mixed = x * 73856093 ^ y * 19349663 ^ z * 83492791
    return mixed & (size - 1)


@kernel
def _kept_near(cell: Array, i: int, points: Array, heads: Array, after: Array, reach: float) -> int:
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for dz in range(-1, 2):
                j = heads[_slot(cell[i, 0] + dx, cell[i, 1] + dy, cell[i, 2] + dz, len(heads))]
                while j >= 0:
                    gap = 0.0
                    for k in range(3):
                        gap += (points[j, k] - points[i, k]) ** 2
                    if gap <= reach * reach:
                        return int(j)
                    j = after[j]
    return -1


@kernel
def _assign(points: Array, cell: Array, reach: float, heads: Array, after: Array, kept: Array) -> None:
    for i in range(len(points)):
        kept[i] = _kept_near(cell, i, points, heads, after, reach)
        if kept[i] < 0:
            kept[i] = i
            slot = _slot(cell[i, 0], cell[i, 1], cell[i, 2], len(heads))
            after[i] = heads[slot]
            heads[slot] = i


def near_earlier(points: Array, reach: float) -> Array:
    """(N,) int64: for each of (N, 3) float64 points the earlier kept point within ``reach``, or itself."""
    cell = np.floor((points - points.min(axis=0)) / reach).astype(np.int64)
    size = 1 << max(4, int(2 * len(points)).bit_length())
    heads, after = np.full(size, -1, np.int64), np.full(len(points), -1, np.int64)
    kept = np.empty(len(points), np.int64)
    _assign(points, cell, reach, heads, after, kept)
    return kept
