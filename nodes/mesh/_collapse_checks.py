"""May this edge collapse? What the surface must stay: its topology, the side that faces keep up, their wedges."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nodes.mesh._collapse_tables import INNER, MOST_ON_AN_EDGE, PAIRS, STAMP
from nodes.mesh._jit import inlined, kernel
from nodes.mesh._quadric import AREA, FIRST

Array = NDArray[Any]


@inlined
def _mark_ring(u: int, v: int, tri: Array, vert: Array, refs: Array, stamp: int) -> int:
    """Mark the neighbours of u; how many of its faces hold v."""
    shared = 0
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        for k in range(3):
            w = tri[f, k]
            vert[w, 3] = stamp
            if w == v:
                shared += 1
    return shared


@kernel
def _holds(u: int, a: int, b: int, tri: Array, vert: Array, refs: Array) -> bool:
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        hits = 0
        for k in range(3):
            w = tri[refs[i], k]
            hits += w in (a, b)
        if hits == 2:
            return True
    return False


@inlined
def _linked(u: int, v: int, tri: Array, vert: Array, refs: Array, lot: Array) -> bool:
    """The link condition (Dey, Edelsbrunner, Guha and Nekhayev 1999): the ends share no neighbour and no opposite side
    but those of the faces between them."""
    lot[STAMP] += 2
    stamp = lot[STAMP]
    shared = _mark_ring(u, v, tri, vert, refs, stamp)
    if shared < 1 or shared > MOST_ON_AN_EDGE:
        return False
    vert[u, 3] = vert[v, 3] = 0
    common = 0
    for i in range(vert[v, 0], vert[v, 0] + vert[v, 1]):
        f = refs[i]
        for k in range(3):
            w = tri[f, k]
            if vert[w, 3] == stamp:
                vert[w, 3] = stamp + 1
                common += 1
    if common != shared:
        return False
    for i in range(vert[v, 0], vert[v, 0] + vert[v, 1]):
        f = refs[i]
        k = 0 if tri[f, 0] == v else (1 if tri[f, 1] == v else 2)
        a, b = tri[f, k + 1 if k < 2 else 0], tri[f, k - 1 if k > 0 else 2]
        if vert[a, 3] == stamp + 1 and vert[b, 3] == stamp + 1 and _holds(u, a, b, tri, vert, refs):
            return False
    return True


@inlined
def _closes_a_line(u: int, v: int, lines: int, tri: Array, vert: Array, edge: Array, refs: Array) -> bool:
    """Whether two sides that would become one are features both, of the kinds in ``lines``: around a single face."""
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        if tri[f, 0] == v or tri[f, 1] == v or tri[f, 2] == v:
            count = 0
            for k in range(3):
                a, b = tri[f, k], tri[f, (k + 1) % 3]
                between = (a == u and b == v) or (a == v and b == u)
                if not between and edge[tri[f, 6 + k], 3] & lines != 0:
                    count += 1
            if count == 2:
                return True
    return False


@inlined
def _stays_up(f: int, k: int, tri: Array, at: Array, x: Array, least: float) -> bool:
    """Whether face f keeps its side up, and does not become a needle, when its corner k moves to x."""
    one, two = (k + 1 if k < 2 else 0), (k - 1 if k > 0 else 2)
    o, a, b = tri[f, k], tri[f, one], tri[f, two]
    ex, ey, ez = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    px, py, pz = at[o, 0] - at[a, 0], at[o, 1] - at[a, 1], at[o, 2] - at[a, 2]
    rx, ry, rz = x[0] - at[a, 0], x[1] - at[a, 1], x[2] - at[a, 2]
    mx, my, mz = ey * pz - ez * py, ez * px - ex * pz, ex * py - ey * px
    nx, ny, nz = ey * rz - ez * ry, ez * rx - ex * rz, ex * ry - ey * rx
    dot = mx * nx + my * ny + mz * nz
    before, now = mx * mx + my * my + mz * mz, nx * nx + ny * ny + nz * nz
    if dot <= 0.0 or dot * dot < least * least * before * now:
        return bool(before <= 0.0 and now > 0.0)
    ee, rr, er = ex * ex + ey * ey + ez * ez, rx * rx + ry * ry + rz * rz, ex * rx + ey * ry + ez * rz
    longest = max(ee, rr, ee + rr - 2.0 * er)
    return bool(now > 1e-4 * longest * longest or now > before)


@inlined
def _uv_stays_up(f: int, k: int, tri: Array, s: Array, x: float, y: float) -> bool:
    """Whether the face keeps its side up on the texture when its corner k moves to (x, y)."""
    old, a, b = tri[f, 3 + k], tri[f, 4 + k if k < 2 else 3], tri[f, 2 + k if k > 0 else 5]
    before = (s[a, 0] - s[old, 0]) * (s[b, 1] - s[old, 1]) - (s[a, 1] - s[old, 1]) * (s[b, 0] - s[old, 0])
    after = (s[a, 0] - x) * (s[b, 1] - y) - (s[a, 1] - y) * (s[b, 0] - x)
    return bool(before * after >= 0.0)


@inlined
def target_of(w: int, side: int, pair: Array, count: int) -> int:
    for p in range(count):
        if pair[p, side] == w:
            return p
    return -1


@inlined
def _fan_ok(u: int, other: int, side: int, tri: Array, vert: Array, at: Array, s: Array, refs: Array, pair: Array,
            count: int, x: Array, now: Array, moves: bool, uv: bool, least: float) -> bool:  # fmt: skip
    """Whether the faces of u that stay may follow it to x. ``side``: the column of ``pair`` with wedges of u."""
    for i in range(vert[u, 0], vert[u, 0] + vert[u, 1]):
        f = refs[i]
        k = 0 if tri[f, 0] == u else (1 if tri[f, 1] == u else 2)
        if tri[f, 0] == other or tri[f, 1] == other or tri[f, 2] == other:
            continue
        if not _stays_up(f, k, tri, at, x, least):
            return False
        if len(s) == 0:
            continue
        p = target_of(tri[f, 3 + k], side, pair, count)
        if p < 0:
            return False
        if uv:
            row = pair[p, 1 - side]
            to_x, to_y = (now[0], now[1]) if moves else (s[row, 0], s[row, 1])
            if not _uv_stays_up(f, k, tri, s, to_x, to_y):
                return False
    return True


@inlined
def allowed(turn: Array, tri: Array, vert: Array, edge: Array, at: Array, q: Array, s: Array, refs: Array, pair: Array,
             x: Array, now: Array, uv: bool, least: float, lines: int, lot: Array) -> bool:  # fmt: skip
    u, v, moves, count = turn[0], turn[1], turn[2] == 1, lot[PAIRS]
    if not _linked(u, v, tri, vert, refs, lot):
        return False
    if vert[u, 2] != INNER and _closes_a_line(u, v, lines, tri, vert, edge, refs):
        return False
    if moves:
        one, two = pair[0, 0], pair[0, 1]
        share = 1.0 / (q[one, AREA] + q[two, AREA] + 1e-300)
        for j in range(s.shape[1]):
            value = q[one, FIRST + 4 * j + 3] + q[two, FIRST + 4 * j + 3]
            for i in range(3):
                value += (q[one, FIRST + 4 * j + i] + q[two, FIRST + 4 * j + i]) * x[i]
            now[j] = value * share
    side = turn[3]
    if not _fan_ok(u, v, side, tri, vert, at, s, refs, pair, count, x, now, moves, uv, least):
        return False
    return not moves or _fan_ok(v, u, 1 - side, tri, vert, at, s, refs, pair, count, x, now, moves, uv, least)
