"""Weighted sample elimination (Yuksel 2015): from many random points the evenly spread few."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
POWER = 8.0
BETA, GAMMA = 0.65, 1.5


@kernel
def _sink(heap: Array, place: Array, weight: Array, at: int, size: int) -> None:
    """Move the entry at ``at`` down until no child is heavier; equal weights go by the lower number."""
    i = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            weight[heap[other]] > weight[heap[child]]
            or (weight[heap[other]] == weight[heap[child]] and heap[other] < heap[child])
        ):
            child = other
        if weight[heap[child]] <= weight[i]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = i
    place[i] = at


@kernel
def _eliminate(start: Array, near: Array, share: Array, weight: Array, keep: int, place: Array) -> None:
    """Take the heaviest point away until ``keep`` are left; ``place`` (N,) is -1 for those that went."""
    size = len(weight)
    heap = np.arange(size)
    for i in range(size):
        place[i] = i
    for i in range(size // 2 - 1, -1, -1):
        _sink(heap, place, weight, i, size)
    while size > keep:
        gone = heap[0]
        size -= 1
        place[gone] = -1
        if size > 0:
            heap[0] = heap[size]
            place[heap[0]] = 0
            _sink(heap, place, weight, 0, size)
        for k in range(start[gone], start[gone + 1]):
            other = near[k]
            if place[other] >= 0:
                weight[other] -= share[k]
                _sink(heap, place, weight, place[other], size)


def evenly(points: Array, keep: int, area: float) -> Array:
    """(keep,) ascending numbers of those of (N, 3) points, spread over a surface of ``area`` m², that lie evenly."""
    from scipy.spatial import cKDTree

    if keep >= len(points):
        return np.arange(len(points))
    reach = float(np.sqrt(area / (2 * np.sqrt(3) * keep)))
    least = reach * (1 - (keep / len(points)) ** GAMMA) * BETA
    pairs = cKDTree(points).query_pairs(2 * reach, output_type="ndarray")
    gap = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    share = (1 - np.clip(gap, 2 * least, 2 * reach) / (2 * reach)) ** POWER
    here, there = pairs.T.reshape(2, -1)
    tail, head = np.concatenate([here, there]), np.concatenate([there, here])
    order = np.lexsort([head, tail])
    start = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(points)))])
    share = np.tile(share, 2)[order]
    weight = np.bincount(tail[order], share, minlength=len(points))
    place = np.empty(len(points), np.int64)
    _eliminate(start, head[order], share, weight, keep, place)
    return np.flatnonzero(place >= 0)
