"""What remeshing holds on to: sharp edges, borders, borders between groups, places that are not manifold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._sides import CORNER, FEATURE, FREE, FROZEN, LINE, SHARP
from nodes.mesh._topology import Edges, joined

Array = NDArray[Any]
SPURS = 3.0  # sharp edges in chains shorter than so many edges wanted are noise
NO_AREA = 1e-5  # over the square of the longest side: which way such a face looks is chance


def areas(at: Array, faces: Array) -> Array:
    """(M,) of (M, 3) faces."""
    one, two = at[faces[:, 1]] - at[faces[:, 0]], at[faces[:, 2]] - at[faces[:, 0]]
    return np.asarray(np.linalg.norm(np.cross(one, two), axis=1) / 2)


def _longest(at: Array, faces: Array) -> Array:
    """(M,) the square of the longest side."""
    side = at[faces] - np.roll(at[faces], 1, axis=1)
    return np.asarray((side**2).sum(axis=2).max(axis=1))


def marks(
    at: Array, faces: Array, groups: Array | None, edges: Edges, pairs: Array, degrees: float, length: float
) -> Array:
    """(3M,) uint8 of each side: FEATURE where it is SHARP or between groups, FROZEN where it has not one other side."""
    mark = np.zeros(faces.size, np.uint8)
    single = edges.boundary[edges.sides.ravel()]
    mark[~single] = FROZEN
    mark[pairs.ravel()] = 0
    a, b = pairs.T
    way = np.cross(at[faces[:, 1]] - at[faces[:, 0]], at[faces[:, 2]] - at[faces[:, 0]])
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)
    flat = areas(at, faces) < NO_AREA * _longest(at, faces)
    sharp = np.einsum("ij,ij->i", way[a // 3], way[b // 3]) < np.cos(np.radians(degrees))
    sharp &= ~(flat[a // 3] | flat[b // 3])
    ends = edges.ends[edges.sides.ravel()[a]]
    _, chain = joined(len(at), ends[sharp])
    long = np.bincount(chain[ends[sharp, 0]], np.linalg.norm(at[ends[sharp, 0]] - at[ends[sharp, 1]], axis=1), len(at))
    sharp[sharp] = long[chain[ends[sharp, 0]]] > SPURS * length
    apart = np.zeros(len(a), bool) if groups is None else groups[a // 3] != groups[b // 3]
    for sides in (a, b):
        mark[sides] = np.where(sharp, FEATURE | SHARP, np.where(apart, FEATURE, 0))
    return mark


def kinds(at: Array, org: Array, mark: Array, pairs: Array, sharp: float) -> Array:
    """(V,) uint8: on no feature, on a line that does not turn much, or where lines end, meet or turn."""
    held = mark != 0
    inner = np.zeros(len(mark), bool)
    inner[pairs.ravel()] = True
    held |= ~inner
    second = np.zeros(len(mark), bool)
    second[pairs[:, 1]] = True
    sides = np.flatnonzero(held & ~second)
    head = np.roll(org.reshape(-1, 3), -1, axis=1).ravel()
    start, end = org[sides], head[sides]
    way = at[end] - at[start]
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)
    count = np.bincount(start, minlength=len(at)) + np.bincount(end, minlength=len(at))
    sums = np.zeros((len(at), 3))
    np.add.at(sums, start, way)
    np.add.at(sums, end, -way)
    straight = np.linalg.norm(sums, axis=1) < 2 * np.sin(np.radians(sharp) / 2)
    kind = np.where(count == 0, FREE, np.where((count == 2) & straight, LINE, CORNER)).astype(np.uint8)
    kind[org[mark & FROZEN != 0]] = kind[head[mark & FROZEN != 0]] = CORNER
    return kind
