"""Who touches whom on a triangle mesh: welding, edges, neighbours, parts, fans around vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
FEW, BAND = 200_000, 50_000


@dataclass(frozen=True)
class Weld:
    """``ids``: (N,) int32, the welded number of each row. ``first``: (K,) int32, the first row of each number."""

    ids: Ints
    first: Ints

    @property
    def count(self) -> int:
        return len(self.first)


def weld_rows(rows: NDArray[Any], few: int = FEW) -> Weld:
    """Number equal rows of an (N, K) float32 array alike, in order of first appearance. Minus zero equals zero."""
    return weld_bits((np.ascontiguousarray(rows, np.float32) + np.float32(0)).view(np.uint32), few)


def weld_bits(rows: NDArray[Any], few: int = FEW) -> Weld:
    """Number equal rows of an (N, K) array of whole numbers alike. Rows are told apart by a 64-bit mix of them.

    ``few``: up to so many rows it sorts, which takes longer but needs no compiled loops to start.
    """
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key ^= column.astype(np.uint64)
        key *= np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    if len(key) <= few:
        return _numbered(key)
    from nodes.mesh._tables import number

    return Weld(*number(key))


def _numbered(key: NDArray[np.uint64]) -> Weld:
    """The same by sorting: for few rows it takes less time than to start the compiled loops."""
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int32)
    rank[order] = np.arange(len(first), dtype=np.int32)
    return Weld(rank[inverse.reshape(-1)], first[order].astype(np.int32))


def weld_points(points: Floats, tolerance: float = 0.0) -> Weld:
    """Weld (N, 3) positions: equal ones, or with ``tolerance`` > 0 (metres) those near an earlier kept position."""
    if tolerance <= 0:
        return weld_rows(points)
    from nodes.mesh._grid import near_earlier

    exact = weld_rows(points)
    kept = near_earlier(np.ascontiguousarray(points[exact.first], np.float64), float(tolerance))
    first, inverse = np.unique(kept, return_inverse=True)
    return Weld(inverse.reshape(-1).astype(np.int32)[exact.ids], exact.first[first])


@dataclass(frozen=True)
class Edges:
    """The edges of (M, 3) faces.

    ``ends``: (E, 2) int32, lower vertex first. ``sides``: (M, 3) int32, the edge of side k (corner k to k + 1).
    ``uses``: (E,) how many sides lie on it. ``forward``: (M, 3) bool, the side runs from the lower end to the higher.
    """

    ends: Ints
    sides: Ints
    uses: Ints
    forward: Bools

    @cached_property
    def before(self) -> Ints:
        """(3M,) int32: the previous side on the same edge, or -1."""
        from nodes.mesh._tables import before_of

        return before_of(self.sides, len(self.uses))

    @cached_property
    def boundary(self) -> Bools:
        return np.equal(self.uses, 1)

    @cached_property
    def crowded(self) -> Bools:
        return np.greater(self.uses, 2)

    @property
    def touching(self) -> Ints:
        """(P, 2) sides (numbers into ``sides.ravel()``) that share an edge: each with the one before it."""
        later = np.flatnonzero(self.before >= 0).astype(np.int32)
        return np.stack([self.before[later], later], axis=1)

    @cached_property
    def pairs(self) -> Ints:
        """(P, 2) sides that share an edge used exactly twice."""
        from nodes.mesh._tables import pairs_of

        return pairs_of(self.sides, self.uses, self.before)

    def at(self, marked: Bools) -> Bools:
        """(M,) whether a face has a side on one of the marked edges, (E,)."""
        return np.asarray(marked[self.sides].any(axis=1))

    @cached_property
    def neighbours(self) -> Ints:
        """(M, 3) int32: the face across side k when the edge is used exactly twice, else -1."""
        across = np.full(self.sides.size, -1, np.int32)
        a, b = self.pairs.T
        across[a], across[b] = b // 3, a // 3
        return across.reshape(-1, 3)


def edges_of(faces: Ints) -> Edges:
    """Edges of faces whose corners are welded vertex numbers."""
    from nodes.mesh._tables import sides_of

    forward = np.stack([faces[:, k] < faces[:, (k + 1) % 3] for k in range(3)], axis=1)
    return Edges(*sides_of(np.ascontiguousarray(faces, np.int32)), forward)


def joined(count: int, pairs: Ints) -> tuple[int, Ints]:
    """(number of groups, (count,) int32 group of each item) when the items of each pair belong together."""
    from nodes.mesh._tables import union

    return union(count, pairs)


def parts(faces: Ints, edges: Edges) -> tuple[int, Ints]:
    """(number of parts, (M,) part of each face): faces belong together when they share an edge."""
    from nodes.mesh._tables import union_across

    return union_across(edges.before)


def fans(edges: Edges, faces: Ints, across: Ints | None = None) -> tuple[int, Ints]:
    """(number of fans, (M, 3) fan of each corner).

    Two corners at the same vertex are in one fan when one can walk between them over the sides in ``across``, (P, 2)
    pairs of sides; by default all edges used exactly twice. A vertex is manifold when it has one fan.
    """
    from nodes.mesh._tables import union_fans

    count, label = union_fans(faces.ravel(), edges.pairs if across is None else across)
    return count, label.reshape(-1, 3)


def collapsed(faces: Ints) -> Bools:
    """(M,) whether a face names one vertex twice."""
    return np.asarray((faces == np.roll(faces, 1, axis=1)).any(axis=1))


def turned(faces: Ints, which: Bools) -> Ints:
    """(M, 3) faces, those that are marked, (M,), the other way round."""
    return np.where(which[:, None], faces[:, ::-1], faces).astype(np.int32, copy=False) if which.any() else faces


def by_bands(reckon: Callable[[Ints], NDArray[Any]], faces: Ints) -> NDArray[Any]:
    """``reckon``: n rows (faces, pairs) to n rows. Those of all, without all that it needs for them at one time."""
    if len(faces) <= BAND:
        return reckon(faces)
    first = reckon(faces[:BAND])
    out = np.empty((len(faces), *first.shape[1:]), first.dtype)
    out[:BAND] = first
    for low in range(BAND, len(faces), BAND):
        out[low : low + BAND] = reckon(faces[low : low + BAND])
    return out


def compacted(ids: Ints, count: int) -> tuple[Ints, Ints]:
    """(the numbers below ``count`` that are in use, int32; ``ids`` as places among them, int32)."""
    used = np.zeros(count, np.bool_)
    used[ids.ravel()] = True
    place = np.cumsum(used, dtype=np.int32)
    place -= 1
    return np.flatnonzero(used).astype(np.int32), place[ids]


def face_vectors(vertices: NDArray[Any], faces: Ints) -> NDArray[np.float64]:
    """(M, 3) float64: direction of the face normal, length twice the face's area."""
    if len(faces) > FEW:
        from nodes.mesh._vectors import crossed

        out = np.empty((len(faces), 3))
        crossed(vertices, faces, out)
        return out
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return np.asarray(np.cross(b - a, c - a))


def signed_volume(vertices: NDArray[Any], faces: Ints) -> NDArray[np.float64]:
    """(M,) float64 share of each face in the enclosed volume; positive in sum when faces look outward."""

    def share(faces: Ints) -> NDArray[np.float64]:
        a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
        out: NDArray[np.float64] = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
        return out

    return by_bands(share, faces)


def diagonal(mesh: Mesh) -> float:
    """Length of the diagonal of the bounding box in metres."""
    low, high = mesh.bounds
    return float(np.linalg.norm(high.astype(np.float64) - low))
