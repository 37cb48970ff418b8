"""Nearest points of a cloud, in parts, so that a person can stop the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Told = Callable[[float], None]
AT_ONCE = 100_000
SAMPLE = 20_000


def tree_of(points: Array) -> Any:
    """A k-d tree over (N, 3) positions, split at midpoints: quick to build, and sound with many equal points."""
    from scipy.spatial import cKDTree

    return cKDTree(points, balanced_tree=False, compact_nodes=False)


def nearest(tree: Any, points: Array, count: int, told: Told = lambda _: None) -> tuple[Array, Array]:
    """((N, count) float32 metres, (N, count) int32 numbers) of the nearest points of the tree, nearest first.

    Where the tree has fewer, the last one found is repeated. ``told``: called with the share done.
    """
    found = min(count, tree.n)
    distance, index = np.empty((len(points), count), np.float32), np.empty((len(points), count), np.int32)
    for start in range(0, len(points), AT_ONCE):
        told(start / len(points))
        part = slice(start, start + AT_ONCE)
        one, two = tree.query(points[part], k=np.arange(1, found + 1), workers=-1)
        distance[part, :found], index[part, :found] = one, two
    distance[:, found:], index[:, found:] = distance[:, found - 1 : found], index[:, found - 1 : found]
    return distance, index


def neighbours(points: Array, count: int, told: Told = lambda _: None) -> tuple[Array, Array]:
    """The same for each point of a cloud, itself (or one at the same place) first: (N, count + 1)."""
    return nearest(tree_of(points), points, count + 1, told)


def spacing(points: Array, tree: Any = None) -> float:
    """Median distance to the nearest other place, metres, over a sample; 0 for fewer than two places."""
    tree = tree_of(points) if tree is None else tree
    step = max(1, len(points) // SAMPLE)
    distance, _ = nearest(tree, points[::step], 4)
    other = np.where(distance > 0, distance, np.inf).min(axis=1)
    other = other[np.isfinite(other)]
    return float(np.median(other)) if len(other) else 0.0
