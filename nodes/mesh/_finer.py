"""Faces cut into smaller ones, as numbers only: where the new vertices lie is told by who uses the numbers.

A surface has several nets over the same faces: one over places, one over the vertices of the mesh (which are doubled at
seams), one over texture coordinates. All are cut alike, and each numbers its own new vertices, so that a seam stays a
seam and a surface without cracks stays without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import Bools, Ints, edges_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Net:
    """``faces``: (M, 3) int32 below ``count``, no number twice in a face. ``ends``: (E, 2) int32, lower number first.

    ``sides``: (M, 3) int32, the edge of side k (corner k to k + 1). ``uses``: (E,) how many sides lie on it.
    """

    faces: Ints
    count: int
    ends: Ints
    sides: Ints
    uses: Ints

    @classmethod
    def of(cls, faces: Ints, count: int) -> Net:
        edges = edges_of(faces)
        return cls(faces, count, edges.ends, edges.sides, edges.uses)

    def marked(self, sides: Bools) -> Bools:
        """(E,) whether one of the marked sides, (M, 3), lies on the edge."""
        out = np.zeros(len(self.ends), np.bool_)
        out[self.sides[sides]] = True
        return out

    def quartered(self) -> Net:
        """Each face becomes four: one at each corner and one in the middle, 4f to 4f + 3 in this order.

        The new vertex of edge e is ``count`` + e. Edges 2e and 2e + 1 are its halves at the lower and higher end;
        those inside the old faces follow, corner 0, 1 and 2 of each face.
        """
        middle = self.count + self.sides
        behind = np.roll(middle, 1, axis=1)
        faces = np.empty((len(self.faces), 4, 3), np.int32)
        faces[:, :3, 0], faces[:, :3, 1], faces[:, :3, 2], faces[:, 3] = self.faces, middle, behind, middle
        inner = 2 * len(self.ends) + np.arange(self.faces.size, dtype=np.int32).reshape(-1, 3)
        before, low = np.roll(self.sides, 1, axis=1), self.ends[:, 0]
        sides = np.empty_like(faces)
        sides[:, :3, 0] = 2 * self.sides + (self.faces != low[self.sides])
        sides[:, :3, 1] = inner
        sides[:, :3, 2] = 2 * before + (self.faces != low[before])
        sides[:, 3] = np.roll(inner, -1, axis=1)
        new = np.arange(self.count, self.count + len(self.ends), dtype=np.int32)
        halves = np.stack([self.ends, np.repeat(new[:, None], 2, axis=1)], axis=2).reshape(-1, 2)
        inside = np.stack([np.minimum(middle, behind), np.maximum(middle, behind)], axis=2).reshape(-1, 2)
        uses = np.concatenate([np.repeat(self.uses, 2), np.full(len(inside), 2, np.int32)])
        count = self.count + len(self.ends)
        return Net(faces.reshape(-1, 3), count, np.concatenate([halves, inside]), sides.reshape(-1, 3), uses)

    def halves(self, marked: Bools) -> Bools:
        """(E',) the edges of the quartered net that lie on marked ones, (E,)."""
        return np.concatenate([np.repeat(marked, 2), np.zeros(self.faces.size, np.bool_)])


def cut(net: Net, sides: Bools, first: Array) -> tuple[Net, Array, Array]:
    """Cut the marked sides of faces, (M, 3), in halves: a face becomes one to four.

    ``first``: (M,) the marked side of a face that is cut across to the corner off it; where no side is marked it does
    not matter. Sides on one edge are marked alike. Returns (net, (K,) the old edges that got a new vertex, in the order
    of the new vertices, (M',) the face that each new one is a piece of).
    """
    edge = net.marked(sides)
    old = np.flatnonzero(edge)
    number = np.full(len(net.ends), -1, np.int32)
    number[old] = net.count + np.arange(len(old), dtype=np.int32)
    around = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(net.faces, around, axis=1).T
    ab, bc, ca = np.take_along_axis(number[net.sides], around, axis=1).T
    one, right, left = ab >= 0, bc >= 0, ca >= 0
    pieces = [
        (~one, (a, b, c)),
        (one & left, (a, ab, ca)),
        (one & left, (ca, ab, c)),
        (one & ~left, (a, ab, c)),
        (one & right, (ab, b, bc)),
        (one & right, (ab, bc, c)),
        (one & ~right, (ab, b, c)),
    ]
    faces = np.concatenate([np.stack([corner[which] for corner in corners], axis=1) for which, corners in pieces])
    source = np.concatenate([np.flatnonzero(which) for which, _ in pieces])
    order = np.argsort(source, kind="stable")
    return Net.of(np.ascontiguousarray(faces[order]), net.count + len(old)), old, source[order]
