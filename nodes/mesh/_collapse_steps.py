"""Carry out the collapse of one edge on the tables of faces, vertices and edges."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nodes.mesh._collapse_checks import target_of
from nodes.mesh._collapse_tables import BUCKET, DYING, FACES, FEATURE, GONE, PAIRS, TAIL, WAITS
from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]


@inlined
def push(e: int, b: int, edge: Array, heads: Array) -> None:
    edge[e, 2] = heads[b]
    heads[b] = e
    edge[e, 3] |= WAITS


@inlined
def _drop(w: int, f: int, vert: Array, refs: Array) -> None:
    """Take face f out of the list of vertex w."""
    last = vert[w, 0] + vert[w, 1] - 1
    for i in range(vert[w, 0], last + 1):
        if refs[i] == f:
            refs[i] = refs[last]
            vert[w, 1] -= 1
            return


@inlined
def _bury(f: int, u: int, v: int, tri: Array, vert: Array, edge: Array, refs: Array, dead: Array, lot: Array) -> None:
    """The face between u and v goes; its two other sides become one. ``dead``: rows (old edge, edge that stays)."""
    k = 0 if tri[f, 0] == u else (1 if tri[f, 1] == u else 2)
    # sides: k runs from corner k to k + 1
    if tri[f, (k + 1) % 3] == v:
        between, old, new, apex = tri[f, 6 + k], tri[f, 6 + (k + 2) % 3], tri[f, 6 + (k + 1) % 3], tri[f, (k + 2) % 3]
    else:
        between, old, new, apex = tri[f, 6 + (k + 2) % 3], tri[f, 6 + k], tri[f, 6 + (k + 1) % 3], tri[f, (k + 1) % 3]
    edge[between, 3] |= GONE
    edge[old, 3] |= GONE
    edge[new, 3] |= edge[old, 3] & FEATURE
    _drop(apex, f, vert, refs)
    dead[lot[DYING], 0], dead[lot[DYING], 1] = old, new
    lot[DYING] += 1
    lot[FACES] -= 1


@inlined
def _relabel(f: int, u: int, v: int, side: int, tri: Array, edge: Array, s: Array, pair: Array, count: int,
             dead: Array, lot: Array) -> None:  # fmt: skip
    for k in range(3):
        if tri[f, k] == u:
            tri[f, k] = v
            tri[f, 3 + k] = v if len(s) == 0 else pair[target_of(tri[f, 3 + k], side, pair, count), 1 - side]
    for k in range(3):
        e = tri[f, 6 + k]
        for d in range(lot[DYING]):
            if dead[d, 0] == e:
                e = dead[d, 1]
                tri[f, 6 + k] = e
        if edge[e, 0] == u:
            edge[e, 0] = v
        elif edge[e, 1] == u:
            edge[e, 1] = v


@inlined
def _add_up(count: int, side: int, moves: bool, q: Array, s: Array, pair: Array, now: Array) -> None:
    for p in range(count):
        one, two = pair[p, side], pair[p, 1 - side]
        for i in range(q.shape[1]):
            q[two, i] += q[one, i]
        if moves:
            for j in range(s.shape[1]):
                s[two, j] = now[j]


@inlined
def join(turn: Array, limit: float, tri: Array, vert: Array, edge: Array, at: Array, q: Array, s: Array, refs: Array,
         heads: Array, waiting: Array, pair: Array, dead: Array, x: Array, now: Array,
         lot: Array) -> None:  # fmt: skip
    """Carry it out: u becomes v at x. Edges around it that were put aside, and may cost less than ``limit``, wait."""
    u, v, count, tail = turn[0], turn[1], lot[PAIRS], lot[TAIL]
    side = turn[3]
    lot[DYING] = 0
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        if tri[f, 0] == v or tri[f, 1] == v or tri[f, 2] == v:
            _bury(f, u, v, tri, vert, edge, refs, dead, lot)
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        if tri[f, 0] == v or tri[f, 1] == v or tri[f, 2] == v:
            tri[f, 0] = -1
            continue
        _relabel(f, u, v, side, tri, edge, s, pair, count, dead, lot)
        refs[tail] = f
        tail += 1
    for i in range(vert[v, 0], vert[v, 0] + vert[v, 1]):
        if tri[refs[i], 0] >= 0:
            refs[tail] = refs[i]
            tail += 1
    vert[v, 0], vert[v, 1], vert[u, 1], lot[TAIL] = lot[TAIL], tail - lot[TAIL], 0, tail
    _add_up(count, side, turn[2] == 1, q, s, pair, now)
    at[v, 0], at[v, 1], at[v, 2] = x[0], x[1], x[2]
    _wake(v, limit, tri, vert, edge, refs, heads, waiting, lot)


@inlined
def _wake(v: int, limit: float, tri: Array, vert: Array, edge: Array, refs: Array, heads: Array, waiting: Array,
          lot: Array) -> None:  # fmt: skip
    """Edges around v that were put aside, and may cost less than ``limit``, wait again."""
    for i in range(vert[v, 0], vert[v, 0] + vert[v, 1]):
        f = refs[i]
        for k in range(3):
            e = tri[f, 6 + k]
            near = edge[e, 0] == v or edge[e, 1] == v
            if near and edge[e, 3] & WAITS == 0 and waiting[e] < limit:
                push(e, lot[BUCKET], edge, heads)


@kernel
def tidy(tri: Array, vert: Array, refs: Array, lot: Array) -> None:
    """Pack the lists of faces around vertices anew from the faces that are left."""
    vert[:, 1] = 0
    for f in range(len(tri)):
        if tri[f, 0] >= 0:
            for k in range(3):
                vert[tri[f, k], 1] += 1
    tail = 0
    for v in range(len(vert)):
        vert[v, 0] = tail
        tail += vert[v, 1]
        vert[v, 1] = 0
    lot[TAIL] = tail
    for f in range(len(tri)):
        if tri[f, 0] >= 0:
            for k in range(3):
                v = tri[f, k]
                refs[vert[v, 0] + vert[v, 1]] = f
                vert[v, 1] += 1
