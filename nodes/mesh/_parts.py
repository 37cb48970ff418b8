"""Parts of a mesh as nets of their own, and what is left of them joined to one net.

A vertex that has faces outside its part is fixed there, and edges between two fixed vertices are *outer*: what they are
(borders, seams) shows only once the parts are joined. Parts share nothing, so they are worked on side by side, each
small enough for the processor's cache, and no more than a few are in memory at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_steps import tidy
from nodes.mesh._collapse_tables import BORDER, CROWD, FACES, FEATURE, FIXED, LOT, OUTER, ROOM
from nodes.mesh._jit import kernel
from nodes.mesh._net import SOFT_SHIFT, Net, Surface, features, kinds
from nodes.mesh._order import along_the_surface, numbered
from nodes.mesh._quadric import FIRST, gather, stand
from nodes.mesh._tables import sides_of

Array = NDArray[Any]
KEPT = FEATURE | FEATURE << SOFT_SHIFT
SPACE = 2


class Left(NamedTuple):
    """What is left of a part. ``tri``: (n, 9) as in a net, but flags in place of edges, and all numbers those of the
    stock. ``places``, ``wedges``: the numbers of rows of ``at`` and of ``s`` and ``q``."""

    tri: Array
    face_of: Array
    places: Array
    at: Array
    wedges: Array
    s: Array
    q: Array


class Stock(Protocol):
    """What parts are cut from."""

    @property
    def count(self) -> int:
        """Faces."""

    @property
    def places(self) -> int:
        """Vertices."""

    def cut(self, low: int, high: int) -> Net:
        """Faces ``low`` to ``high`` along the surface."""

    def whole(self) -> Net:
        """All of it, at most as many faces as one part."""

    def joined(self, parts: list[Left]) -> Net:
        """One net of what is left; the list is emptied, and nothing more can be cut."""


def left_of(net: Net) -> Left:
    alive = np.flatnonzero(net.tri[:, 0] >= 0)
    tri = net.tri[alive]
    tri[:, 6:] = net.edge[tri[:, 6:], 3] & (KEPT | OUTER)
    places = wedges = np.flatnonzero(net.vert[:, 1])
    if len(net.s):
        used = np.zeros(len(net.s), np.bool_)
        used[tri[:, 3:6]] = True
        wedges = np.flatnonzero(used)
    tri[:, :3], tri[:, 3:6] = net.place_of[tri[:, :3]], net.wedge_of[tri[:, 3:6]]
    s = net.s[wedges] if len(net.s) else net.s
    return Left(tri, net.face_of[alive], net.place_of[places], net.at[places], net.wedge_of[wedges], s, net.q[wedges])


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
        net = _wired(tri, at, s, q, self.valence[places], (rows, places, wedges))
        self._features(0, net)
        _kinds(net, self.valence)
        gather(tri, at, s, net.edge, self.walls, q)
        return net

    def whole(self) -> Net:
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
        net = _joined(parts, places, self.spare_wedges.length, True)
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
        part = _wired(tri, net.at[places], s, net.q[wedges], self.valence[places], (rows, places, wedges))
        _inherit(tri, net.edge[net.tri[low:high, 6:], 3] & KEPT, part.edge)
        _kinds(part, self.valence)
        return part

    def whole(self) -> Net:
        return self.net

    def joined(self, parts: list[Left]) -> Net:
        net, old = _joined(parts, self.places, len(self.net.s), False), self.net
        net.edge[:, 3] &= ~OUTER
        kinds(net.edge, net.vert)
        numbers = old.face_of[net.face_of], old.place_of[net.place_of], old.wedge_of[net.wedge_of]
        return replace(net, face_of=numbers[0], place_of=numbers[1], wedge_of=numbers[2])


def _wired(tri: Array, at: Array, s: Array, q: Array, valence: Array, numbers: tuple[Array, Array, Array]) -> Net:
    """Edges, and the faces of each vertex. Edges whose ends have faces elsewhere are outer ones."""
    ends, tri[:, 6:], uses = sides_of(np.ascontiguousarray(tri[:, :3]))
    vert, lot = np.zeros((len(at), 4), np.int32), np.zeros(LOT, np.int64)
    refs = np.empty(SPACE * 3 * len(tri) + 64, np.int32)
    tidy(tri, vert, refs, lot)
    lot[FACES], lot[ROOM] = len(tri), len(refs)
    edge = np.zeros((len(ends), 4), np.int32)
    edge[:, :2] = ends
    fixed = vert[:, 1] < valence
    outer = fixed[ends[:, 0]] & fixed[ends[:, 1]]
    edge[:, 3] = np.where(outer, OUTER, np.where(uses == 1, BORDER, np.where(uses > 2, CROWD, 0)))
    return Net(tri, vert, edge, at, s, q, refs, lot, *numbers)


def _kinds(net: Net, valence: Array) -> None:
    kinds(net.edge, net.vert)
    net.vert[net.vert[:, 1] < valence[net.place_of], 2] = FIXED


def _joined(parts: list[Left], many_places: int, many_wedges: int, fresh: bool) -> Net:
    """``fresh``: each part knows only its own share of the quadrics of fixed vertices."""
    tri = np.concatenate([part.tri for part in parts])
    face_of = np.concatenate([part.face_of for part in parts])
    new, firsts = _first_seen([part.places for part in parts], many_places)
    place_of = firsts
    at = np.empty((len(place_of), 3))
    for part in parts:
        at[new[part.places]] = part.at
    tri[:, :3] = new[tri[:, :3]]
    wedge_of = place_of
    if many_wedges:
        new, wedge_of = _first_seen([part.wedges for part in parts], many_wedges)
    tri[:, 3:6] = new[tri[:, 3:6]]
    s, q = np.empty((len(wedge_of), parts[0].s.shape[1])), np.zeros((len(wedge_of), parts[0].q.shape[1]))
    while parts:
        part = parts.pop(0)
        rows = new[part.wedges]
        if many_wedges:
            s[rows] = part.s
        if fresh:
            _add(rows, part.q, q)
        else:
            q[rows] = part.q
    flags = tri[:, 6:].copy()
    net = _wired(tri, at, s if many_wedges else np.empty((0, 0)), q, np.zeros(len(at), np.int32),
                 (face_of, place_of, wedge_of))  # fmt: skip
    _inherit(tri, flags, net.edge)
    return net


def _first_seen(numbers: list[Array], many: int) -> tuple[Array, Array]:
    """(new numbers (many,), old ones (K,)), by first appearance."""
    new, old = np.full(many, -1, np.int32), np.empty(sum(map(len, numbers)), np.int32)
    count = 0
    for some in numbers:
        count = _see(some, new, old, count)
    return new, old[:count].copy()


@kernel
def _see(some: Array, new: Array, old: Array, count: int) -> int:
    for n in some:
        if new[n] < 0:
            new[n] = count
            old[count] = n
            count += 1
    return count


@kernel
def _add(rows: Array, some: Array, q: Array) -> None:
    for i in range(len(rows)):
        for j in range(q.shape[1]):
            q[rows[i], j] += some[i, j]


@kernel
def _count(rows: Array, faces: Array, out: Array) -> None:
    for f in rows:
        for k in range(3):
            out[faces[f, k]] += 1


@kernel
def _inherit(tri: Array, flags: Array, edge: Array) -> None:
    """Give each edge the flags (n, 3) of its sides."""
    for f in range(len(tri)):
        for k in range(3):
            edge[tri[f, 6 + k], 3] |= flags[f, k]
