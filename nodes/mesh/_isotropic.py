"""Split what is too long and join what is too short: steps of isotropic remeshing (Botsch and Kobbelt 2004).

Arrays as in :mod:`nodes.mesh._sides`; ``at``: (V, 3) float64. ``kind``: (V,) FREE, on one LINE of features, or a
CORNER that stays. ``size``: (V,) the length wanted of edges around (Dunyach et al. 2013 when it varies). ``lot``: (2,)
faces and vertices so far. Features and borders are split and collapsed along themselves only, and never flipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._sides import (
    CORNER,
    FEATURE,
    FREE,
    FROZEN,
    LINE,
    after,
    apart,
    around,
    before,
    bends,
    held,
    neighbour,
)

Array = NDArray[Any]
LONG, SHORT = 4 / 3, 4 / 5
COSINE = 0.5


@kernel
def _cut(side: int, org: Array, opp: Array, mark: Array, out: Array, group: Array, new: int, middle: int) -> None:
    """Cut a face in two through ``middle`` on one of its sides; the halves of the side become 3 f and 3 new."""
    n, p = after(side), before(side)
    a, b, c, on, op = org[side], org[n], org[p], opp[n], opp[p]
    flags, flags_n, flags_p = mark[side], mark[n], mark[p]
    near, far = 3 * (side // 3), 3 * new
    org[near], org[near + 1], org[near + 2] = a, middle, c
    org[far], org[far + 1], org[far + 2] = middle, b, c
    mark[near], mark[near + 1], mark[near + 2] = flags, 0, flags_p
    mark[far], mark[far + 1], mark[far + 2] = flags, flags_n, 0
    opp[near], opp[near + 1], opp[near + 2] = -1, far + 2, op
    opp[far], opp[far + 1], opp[far + 2] = -1, on, near + 1
    if op >= 0:
        opp[op] = near + 2
    if on >= 0:
        opp[on] = far + 1
    group[new] = group[side // 3]
    out[a], out[b], out[c], out[middle] = near, far + 1, near + 2, far


@kernel
def _is_longest(side: int, length: float, org: Array, at: Array) -> bool:
    a, b, c = at[org[side]], at[org[after(side)]], at[org[before(side)]]
    return max(apart(b, c), apart(c, a)) <= length * 1.0001


@kernel
def split_long(
    org: Array, opp: Array, mark: Array, at: Array, out: Array, kind: Array, size: Array, group: Array, lot: Array
) -> int:
    """Halve edges longer than 4/3 of what is wanted, the longest of a face first; -1 when the arrays are full."""
    done, side = 0, 0
    while side < 3 * lot[0]:
        here, side = side, side + 1
        other = opp[here]
        if mark[here] & FROZEN or 0 <= other < here:
            continue
        a, b = org[here], org[after(here)]
        length = apart(at[a], at[b])
        if length <= (LONG * min(size[a], size[b])) ** 2 or not _is_longest(here, length, org, at):
            continue
        if other >= 0 and not _is_longest(other, length, org, at):
            continue
        faces, middle = lot[0], lot[1]
        if 3 * faces + 6 > len(org) or middle + 1 > len(at):
            return -1
        at[middle], size[middle] = 0.5 * (at[a] + at[b]), 0.5 * (size[a] + size[b])
        kind[middle] = LINE if other < 0 or mark[here] & FEATURE else FREE
        _cut(here, org, opp, mark, out, group, faces, middle)
        lot[0], lot[1], near = faces + 1, middle + 1, 3 * (here // 3)
        if other >= 0:
            _cut(other, org, opp, mark, out, group, faces + 1, middle)
            lot[0], back = faces + 2, 3 * (other // 3)
            opp[near], opp[3 * faces + 3], opp[3 * faces], opp[back] = 3 * faces + 3, near, back, 3 * faces
        done += 1
    return done


@kernel
def _apex_allows(side: int, opp: Array, mark: Array) -> bool:
    """Whether the face on a side may go: its other two sides become one, and its far corner keeps enough faces."""
    n, p = after(side), before(side)
    if (mark[n] | mark[p]) & FROZEN or (held(n, mark, opp) and held(p, mark, opp)):
        return False
    here, count = p, 0
    while count < 4:
        count += 1
        here = opp[before(here)]
        if here < 0:
            return True
        if here == p:
            break
    return count > 3


@kernel
def _goes_into(side: int, opp: Array, mark: Array, a: int, b: int, kind: Array) -> int:
    """Which end of an edge may go: 0 none, 1 its first, 2 its second, 3 both, to the middle."""
    if mark[side] & FROZEN:
        return 0
    if not held(side, mark, opp) and kind[a] != FREE and kind[b] != FREE:
        return 0
    if kind[a] == kind[b]:
        return 0 if kind[a] == CORNER else 3
    return 1 if kind[a] < kind[b] else 2


@kernel
def _moves(
    ring: Array, count: int, wide: bool, spared: int, to: Array, org: Array, at: Array, size: Array, work: Array
) -> bool:
    """Whether a vertex may go ``to`` there: edges stay short enough, or far too long, and no face turns."""
    here = org[ring[0]]
    for i in range(count + wide):
        v = neighbour(i, count, org, ring)
        if v == spared:
            continue
        new, old, most = apart(to, at[v]), apart(at[here], at[v]), (LONG * min(size[v], size[here])) ** 2
        if new > most and (old < 4.0 * most or new > 1.02 * old):
            return False
    return not bends(ring, count, spared, to, org, at, COSINE, LONG * size[here], work)


@kernel
def _shared(
    one: Array, m: int, m_wide: bool, two: Array, n: int, n_wide: bool, org: Array, stamp: Array, token: int
) -> int:
    """How many vertices are around both."""
    for i in range(m + m_wide):
        stamp[neighbour(i, m, org, one)] = token
    shared = 0
    for i in range(n + n_wide):
        shared += stamp[neighbour(i, n, org, two)] == token
    return shared


@kernel
def _glue(side: int, org: Array, opp: Array, mark: Array, out: Array, kept: int) -> None:
    """Take out the face on a side whose ends have become one vertex, ``kept``."""
    n, p = after(side), before(side)
    x, y, flags, apex = opp[n], opp[p], mark[n] | mark[p], org[p]
    if x >= 0:
        opp[x], mark[x] = y, mark[x] | flags
    if y >= 0:
        opp[y], mark[y] = x, mark[y] | flags
    out[apex] = x if x >= 0 else after(y)
    out[kept] = y if y >= 0 else after(x)
    face = 3 * (side // 3)
    org[face], org[face + 1], org[face + 2] = -1, -1, -1


@kernel
def collapse_short(
    org: Array,
    opp: Array,
    mark: Array,
    at: Array,
    out: Array,
    kind: Array,
    size: Array,
    lot: Array,
    stamp: Array,
    room: int,
) -> int:
    """Join the ends of edges shorter than 4/5 of what is wanted, where that keeps the topology and bends nothing.

    Edges go only when exactly the faces on them lie between their ends (the link condition, Dey et al. 1999).
    ``stamp``: (V,) int64, -1. ``room``: for so many faces around a vertex; those with more stay.
    """
    one, two, done = np.empty(room, np.int32), np.empty(room, np.int32), 0
    work, to = np.empty((3, 3)), np.empty(3)
    for side in range(3 * lot[0]):
        other = opp[side]
        if org[side] < 0 or 0 <= other < side:
            continue
        a, b = org[side], org[after(side)]
        if apart(at[a], at[b]) >= (SHORT * min(size[a], size[b])) ** 2:
            continue
        way = _goes_into(side, opp, mark, a, b, kind)
        if way == 0 or not _apex_allows(side, opp, mark) or (other >= 0 and not _apex_allows(other, opp, mark)):
            continue
        gone, kept = (b, a) if way == 2 else (a, b)
        m, m_wide = around(out[gone], org, opp, one)
        n, n_wide = around(out[kept], org, opp, two)
        if m < 0 or n < 0:
            continue
        if _shared(one, m, m_wide, two, n, n_wide, org, stamp, side) != (2 if other >= 0 else 1):
            continue
        to[:] = 0.5 * (at[a] + at[b]) if way == 3 else at[kept]
        sound = _moves(one, m, m_wide, kept, to, org, at, size, work)
        if not sound or (way == 3 and not _moves(two, n, n_wide, gone, to, org, at, size, work)):
            continue
        at[kept] = to
        for i in range(m):
            org[one[i]] = kept
        _glue(side, org, opp, mark, out, kept)
        if other >= 0:
            _glue(other, org, opp, mark, out, kept)
        done += 1
    return done
