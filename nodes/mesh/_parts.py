"""Nets wired up from tables of faces, and what is left of several joined to one.

A vertex that has faces outside its part of a mesh is fixed there, and edges between two fixed vertices are *outer*:
what they are (borders, seams) shows only once the parts are joined.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_steps import tidy
from nodes.mesh._collapse_tables import BORDER, CROWD, FACES, FEATURE, FIXED, LOT, OUTER, ROOM
from nodes.mesh._jit import kernel
from nodes.mesh._net import SOFT_SHIFT, Net, kinds
from nodes.mesh._tables import sides_of

Array = NDArray[Any]
KEPT = FEATURE | FEATURE << SOFT_SHIFT
SPACE = 2


class Left(NamedTuple):
    """What is left of a part. ``tri``: (n, 9) as in a net, but flags in place of edges, and all numbers those of the
    whole they were cut from. ``places``, ``wedges``: the numbers of rows of ``at`` and of ``s`` and ``q``."""

    tri: Array
    face_of: Array
    places: Array
    at: Array
    wedges: Array
    s: Array
    q: Array


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


def wired(tri: Array, at: Array, s: Array, q: Array, valence: Array | None, numbers: tuple[Array, Array, Array]) -> Net:
    """With edges. Where vertices have more faces elsewhere than here, which ``valence`` (V,) counts, edges are outer
    ones. The lists of faces around vertices are still missing."""
    ends, tri[:, 6:], uses = sides_of(np.ascontiguousarray(tri[:, :3]))
    vert, lot = np.zeros((len(at), 4), np.int32), np.zeros(LOT, np.int64)
    vert[:, 1] = np.bincount(tri[:, :3].ravel(), minlength=len(at))
    lot[FACES] = len(tri)
    edge = np.zeros((len(ends), 4), np.int32)
    edge[:, :2] = ends
    edge[:, 3] = np.where(uses == 1, BORDER, np.where(uses > 2, CROWD, 0))
    if valence is not None:
        fixed = vert[:, 1] < valence
        edge[fixed[ends[:, 0]] & fixed[ends[:, 1]], 3] = OUTER
    return Net(tri, vert, edge, at, s, q, np.empty(0, np.int32), lot, *numbers)


def ready(net: Net) -> Net:
    """With the faces around each vertex, and room for those of vertices that are still to become one."""
    refs = np.empty(SPACE * 3 * len(net.tri) + 64, np.int32)
    tidy(net.tri, net.vert, refs, net.lot)
    net.lot[ROOM] = len(refs)
    return replace(net, refs=refs)


def settle(net: Net, valence: Array) -> None:
    kinds(net.edge, net.vert)
    net.vert[net.vert[:, 1] < valence[net.place_of], 2] = FIXED


def joined(parts: list[Left], many_places: int, many_wedges: int, fresh: bool) -> Net:
    """``fresh``: each part knows only its own share of the quadrics of fixed vertices."""
    tris, faces, places, ats, wedges, ss, qs = map(list, zip(*parts, strict=True))
    parts.clear()
    tri, face_of = _run_together(tris), _run_together(faces)
    new, place_of = _first_seen(places, many_places)
    at = _spread_out(ats, places, new, np.empty((len(place_of), 3)))
    tri[:, :3] = new[tri[:, :3]]
    wedge_of, s = place_of, ss[0]
    if many_wedges:
        new, wedge_of = _first_seen(wedges, many_wedges)
        s = _spread_out(ss, wedges, new, np.empty((len(wedge_of), ss[0].shape[1])))
    tri[:, 3:6] = new[tri[:, 3:6]]
    q = _spread_out(qs, wedges, new, np.zeros((len(wedge_of), qs[0].shape[1])), fresh)
    flags = tri[:, 6:].copy()
    net = wired(tri, at, s, q, None, (face_of, place_of, wedge_of))
    inherit(tri, flags, net.edge)
    return net


def _run_together(some: list[Array]) -> Array:
    """One array of many, which are let go."""
    together = np.concatenate(some)
    some.clear()
    return together


def _spread_out(some: list[Array], numbers: list[Array], new: Array, out: Array, add: bool = False) -> Array:
    """Rows at their new numbers in one array, those of one number added up or the last of them; ``some`` is let go."""
    for place, number in enumerate(numbers):
        rows = new[number]
        if add:
            _add(rows, some[place], out)
        else:
            out[rows] = some[place]
        some[place] = rows
    return out


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
def inherit(tri: Array, flags: Array, edge: Array) -> None:
    """Give each edge the flags (n, 3) of its sides."""
    for f in range(len(tri)):
        for k in range(3):
            edge[tri[f, 6 + k], 3] |= flags[f, k]
