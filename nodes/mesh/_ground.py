"""What parts of a mesh are cut from: the surface as it came in, or the net that a level of collapses has left.

Parts share nothing, so they are worked on side by side, each small enough for the processor's cache, and no more than a
few are in memory at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_tables import OUTER
from nodes.mesh._jit import kernel
from nodes.mesh._net import Net, Surface, features, kinds
from nodes.mesh._order import along_the_surface, numbered
from nodes.mesh._parts import KEPT, Left, inherit, joined, left_of, ready, settle, wired
from nodes.mesh._quadric import FIRST, gather, stand

Array = NDArray[Any]


class Whole(Protocol):
    """What parts are cut from."""

    @property
    def count(self) -> int:
        """Faces."""

    @property
    def places(self) -> int:
        """Vertices."""

    def cut(self, low: int, high: int) -> Net:
        """Faces ``low`` to ``high`` along the surface."""

    def uncut(self) -> Net:
        """All of it, at most as many faces as one part."""

    def joined(self, parts: list[Left]) -> Net:
        """One net of what is left; the list is emptied, and nothing more can be cut."""


class Spare:
    """Tables of numbers, -1 all over, that are handed back so."""

    def __init__(self, length: int) -> None:
        self.length, self.free = length, list[Array]()

    def numbered(self, rows: Array, table: Array, column: int, tri: Array, to: int) -> Array:
        try:
            new = self.free.pop()
        except IndexError:
            new = np.full(self.length, -1, np.int32)
        old = numbered(rows, table, column, tri, to, new)
        self.free.append(new)
        return old


class Ground:
    """A surface as it came in, which has no edges and quadrics yet."""

    def __init__(self, surface: Surface, walls: Array, cosine: float) -> None:
        self.surface, self.walls, self.cosine = surface, walls, cosine
        low, high = surface.points.min(axis=0).astype(np.float64), surface.points.max(axis=0).astype(np.float64)
        self.middle, self.size = (low + high) / 2, max(float(np.linalg.norm(high - low)), 1e-30)
        span = max(float((high - low).max()), 1e-30)
        self.order = along_the_surface(surface.points, surface.faces, self.middle, span)
        self.valence = np.zeros(len(surface.points), np.int32)
        _count(self.order, surface.faces, self.valence)
        self.spare = Spare(len(surface.points))
        self.many = 0 if surface.attributes is None else surface.attributes.shape[1]
        self.spare_wedges = Spare(0 if surface.attributes is None else len(surface.attributes))

    @property
    def count(self) -> int:
        return len(self.order)

    @property
    def places(self) -> int:
        return len(self.valence)

    def cut(self, low: int, high: int) -> Net:
        surface, rows = self.surface, self.order[low:high]
        tri = np.empty((len(rows), 9), np.int32)
        places = wedges = self.spare.numbered(rows, surface.faces, 0, tri, 0)
        at, s = (surface.points[places] - self.middle) / self.size, np.empty((0, 0))
        if surface.wedges is not None and surface.attributes is not None:
            wedges = self.spare_wedges.numbered(rows, surface.wedges, 0, tri, 3)
            s = surface.attributes[wedges]
        else:
            tri[:, 3:6] = tri[:, :3]
        q = np.zeros((len(wedges), FIRST + 4 * self.many))
        net = wired(tri, at, s, q, self.valence[places], (rows, places, wedges))
        self._features(0, net)
        settle(net, self.valence)
        gather(tri, at, s, net.edge, self.walls, q)
        return ready(net)

    def uncut(self) -> Net:
        return self.cut(0, self.count)

    def _features(self, only: int, net: Net) -> None:
        surface, none = self.surface, np.empty((0, 3), np.float32)
        groups = np.empty(0, np.int32) if surface.groups is None else surface.groups
        normals = none if surface.normals is None else surface.normals
        corners = surface.faces if surface.corners is None else surface.corners
        if self.many or len(groups) or len(normals):
            features(only, net.tri, net.edge, net.face_of, groups, normals, corners, net.at, self.cosine)

    def joined(self, parts: list[Left]) -> Net:
        places, self.order, self.valence, self.spare = self.places, *np.empty((2, 0), np.int32), Spare(0)
        net = joined(parts, places, self.spare_wedges.length, True)
        self._features(OUTER, net)
        stand(net.tri, net.at, net.edge, self.walls, net.q)
        net.edge[:, 3] &= ~OUTER
        kinds(net.edge, net.vert)
        return net


def packed(net: Net) -> Net:
    """Without the faces that are gone."""
    same = (np.arange(len(some), dtype=np.int32) for some in (net.face_of, net.place_of, net.wedge_of))
    part = left_of(replace(net, face_of=next(same), place_of=next(same), wedge_of=next(same)))
    return Upper(net).joined([part])


class Upper:
    """A net of which no face is gone."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.spare, self.spare_wedges = Spare(len(net.vert)), Spare(len(net.s))
        self.valence = net.vert[:, 1].copy()

    @property
    def count(self) -> int:
        return len(self.net.tri)

    @property
    def places(self) -> int:
        return len(self.valence)

    def cut(self, low: int, high: int) -> Net:
        net, rows = self.net, np.arange(low, high, dtype=np.int32)
        tri = np.empty((len(rows), 9), np.int32)
        places = wedges = self.spare.numbered(rows, net.tri, 0, tri, 0)
        if len(net.s):
            wedges = self.spare_wedges.numbered(rows, net.tri, 3, tri, 3)
        else:
            tri[:, 3:6] = tri[:, :3]
        s = net.s[wedges] if len(net.s) else net.s
        part = wired(tri, net.at[places], s, net.q[wedges], self.valence[places], (rows, places, wedges))
        inherit(tri, net.edge[net.tri[low:high, 6:], 3] & KEPT, part.edge)
        settle(part, self.valence)
        return ready(part)

    def uncut(self) -> Net:
        return ready(self.net)

    def joined(self, parts: list[Left]) -> Net:
        net, old = joined(parts, self.places, len(self.net.s), False), self.net
        net.edge[:, 3] &= ~OUTER
        kinds(net.edge, net.vert)
        numbers = old.face_of[net.face_of], old.place_of[net.place_of], old.wedge_of[net.wedge_of]
        return replace(net, face_of=numbers[0], place_of=numbers[1], wedge_of=numbers[2])


@kernel
def _count(rows: Array, faces: Array, out: Array) -> None:
    for f in rows:
        for k in range(3):
            out[faces[f, k]] += 1
