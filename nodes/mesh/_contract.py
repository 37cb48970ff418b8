"""One edge after the other collapses, the cheapest first, as long as the surface stays what it is.

Costs only grow while quadrics are added up, so an edge waits under the last cost known for it and is weighed again when
its turn comes (lazy evaluation, Cohen, Manocha and Olano 1997). The queue is a row of buckets, each 0.4 % of cost wide.
Arrays are changed in place; :mod:`nodes.mesh._collapse_tables` says what they hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_checks import allowed
from nodes.mesh._collapse_steps import join, push
from nodes.mesh._collapse_tables import (
    BUCKET,
    BUCKETS,
    CORNER,
    DONE,
    EMPTY,
    FACES,
    FEATURE,
    FIXED,
    FULL,
    GONE,
    INNER,
    LOT,
    NEVER,
    PAIRS,
    PAUSE,
    ROOM,
    TAIL,
    WAITS,
)
from nodes.mesh._jit import inlined, kernel
from nodes.mesh._quadric import TIE, best, fixed

Array = NDArray[Any]


@inlined
def _bucket(cost: float, single: Array, bits: Array) -> int:
    """Sign, exponent and 8 bits of the mantissa, as a whole number; ``bits`` are those of ``single``."""
    single[0] = cost
    return int(bits[0] >> 17)


@inlined
def _pairs(u: int, v: int, tri: Array, vert: Array, refs: Array, pair: Array) -> int:
    """Rows of ``pair``: the wedges of u and v in each face that has both; equal rows once. 0: too many, or a tie of
    one wedge of u to two of v."""
    count = 0
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        one, two = -1, -1
        for k in range(3):
            if tri[f, k] == u:
                one = tri[f, 3 + k]
            elif tri[f, k] == v:
                two = tri[f, 3 + k]
        if two < 0:
            continue
        known = False
        for p in range(count):
            known = known or (pair[p, 0] == one and pair[p, 1] == two)
        if known:
            continue
        if count == len(pair):
            return 0
        pair[count, 0], pair[count, 1] = one, two
        count += 1
    return count


@inlined
def _onto(count: int, side: int, v: int, at: Array, q: Array, s: Array, pair: Array) -> float:
    """Error of moving the wedges pair[:, 1 - side] onto pair[:, side], those of vertex v."""
    total = 0.0
    for p in range(count):
        for r in range(p):
            if pair[p, 1 - side] == pair[r, 1 - side]:
                return NEVER
        total += fixed(q, pair[p, 0], pair[p, 1], at[v, 0], at[v, 1], at[v, 2], s, pair[p, side])
    return total


@inlined
def _weigh(e: int, free: bool, tri: Array, vert: Array, edge: Array, at: Array, q: Array, s: Array, refs: Array,
           pair: Array, x: Array, turn: Array, lot: Array) -> float:  # fmt: skip
    """Cost of the edge. ``turn``: becomes (vertex that goes, the one that stays, 1 when it moves to ``x``, the
    column of ``pair`` with wedges of the one that goes)."""
    u, v, flags = edge[e, 0], edge[e, 1], edge[e, 3]
    ku, kv = vert[u, 2], vert[v, 2]
    if ku == FIXED or kv == FIXED or (ku == CORNER and kv == CORNER):
        return NEVER
    if ku != INNER and kv != INNER and flags & FEATURE == 0:
        return NEVER
    count = 1
    pair[0, 0], pair[0, 1] = u, v
    if len(s) != 0:
        count = _pairs(u, v, tri, vert, refs, pair)
    lot[PAIRS] = count
    if count == 0:
        return NEVER
    if free and ku == kv and count == 1:
        turn[0], turn[1], turn[2], turn[3] = u, v, 1, 0
        return best(q, pair[0, 0], pair[0, 1], at, u, v, s.shape[1], x)
    there = _onto(count, 1, v, at, q, s, pair) if ku <= kv else NEVER
    back = _onto(count, 0, u, at, q, s, pair) if kv <= ku else NEVER
    ex, ey, ez = at[v, 0] - at[u, 0], at[v, 1] - at[u, 1], at[v, 2] - at[u, 2]
    turn[2] = 0
    if back < there:
        turn[0], turn[1], turn[3] = v, u, 1
    else:
        turn[0], turn[1], turn[3] = u, v, 0
    stays = turn[1]
    x[0], x[1], x[2] = at[stays, 0], at[stays, 1], at[stays, 2]
    least = min(there, back)
    return least if least >= NEVER else max(least, 0.0) + TIE * (ex * ex + ey * ey + ez * ez) ** 2


@kernel
def weigh_all(low: int, high: int, free: bool, tri: Array, vert: Array, edge: Array, at: Array, q: Array, s: Array,
              refs: Array, cost: Array) -> None:  # fmt: skip
    """``cost`` (E,) float32 of the edges from ``low`` to ``high``; parts may run side by side."""
    pair, x, turn = np.empty((8, 2), np.int64), np.empty(3), np.empty(4, np.int64)
    lot = np.zeros(LOT, np.int64)
    for e in range(low, high):
        cost[e] = NEVER
        if edge[e, 3] & GONE == 0:
            cost[e] = _weigh(e, free, tri, vert, edge, at, q, s, refs, pair, x, turn, lot)


@kernel
def line_up(low: int, high: int, last: int, cost: Array, edge: Array, heads: Array, lot: Array) -> int:
    """Put the edges from ``low`` to ``high`` that cost less than bucket ``last`` into their buckets; how many."""
    single, count = np.empty(1, np.float32), 0
    bits = single.view(np.int32)
    first = BUCKETS
    for i in range(high - low):
        e = high - 1 - i
        edge[e, 3] &= ~WAITS
        if cost[e] < NEVER and edge[e, 3] & GONE == 0:
            place = _bucket(cost[e], single, bits)
            if place < last:
                push(e, place, edge, heads)
                first = min(first, place)
                count += 1
    lot[BUCKET] = first
    return count


@kernel
def contract(goal: int, last: int, most: int, free: bool, uv: bool, least: float, lines: int, tri: Array, vert: Array,
             edge: Array, at: Array, q: Array, s: Array, refs: Array, heads: Array, waiting: Array,
             lot: Array) -> int:  # fmt: skip
    """Collapse edges until ``goal`` faces are left, or none is left below bucket ``last``, or ``most`` were looked at.

    ``waiting`` (E,) float32: the last known costs, kept for the edges that stay above.
    ``free``: vertices move to where the error is least, else onto a neighbour. ``uv``: the first two attributes are
    UVs that must not flip. ``least``: cosine by which the normal of a face may turn in one step. ``lines``: the
    features that may not close around a face and vanish.
    """
    pair, dead, x, turn = np.empty((8, 2), np.int64), np.empty((64, 2), np.int64), np.empty(3), np.empty(4, np.int64)
    now, single, room = np.empty(s.shape[1]), np.empty(1, np.float32), lot[ROOM]
    bits = single.view(np.int32)
    bits[0] = min(last, BUCKETS - 1) << 17
    limit = single[0]
    while lot[FACES] > goal and most > 0:
        b = lot[BUCKET]
        while b < last and heads[b] < 0:
            b += 1
        lot[BUCKET] = b
        if b >= last:
            return EMPTY
        e = heads[b]
        heads[b] = edge[e, 2]
        edge[e, 3] &= ~WAITS
        if edge[e, 3] & GONE != 0:
            continue
        most -= 1
        cost = _weigh(e, free, tri, vert, edge, at, q, s, refs, pair, x, turn, lot)
        if cost >= NEVER:
            waiting[e] = NEVER
            continue
        place = _bucket(cost, single, bits)
        if place > b:
            waiting[e] = cost
            if place < last:
                push(e, place, edge, heads)
            continue
        if lot[TAIL] + vert[turn[0], 1] + vert[turn[1], 1] > room:
            push(e, b, edge, heads)
            return FULL
        waiting[e] = 0.0
        if allowed(turn, tri, vert, edge, at, q, s, refs, pair, x, now, uv, least, lines, lot):
            join(turn, limit, tri, vert, edge, at, q, s, refs, heads, waiting, pair, dead, x, now, lot)
    return DONE if lot[FACES] <= goal else PAUSE
