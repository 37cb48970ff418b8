"""The steps of isotropic remeshing that move no vertex off the surface much: turn edges, even vertices out.

Arrays as in :mod:`nodes.mesh._isotropic`. Faces never turn over. ``room``: for so
many faces around a vertex; those with more stay.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._sides import CORNER, FREE, LINE, after, apart, around, before, bends, cross, held, neighbour

Array = NDArray[Any]
COSINE = 0.5


@kernel
def valences(org: Array, opp: Array, at: Array, kind: Array, lot: Array, excess: Array) -> None:
    """``excess``: (V,) edges around each vertex over what is best: 6, or what its angle asks for on features."""
    excess[:] = 0
    angle = np.zeros(len(at))
    one, two = np.empty(3), np.empty(3)
    for side in range(3 * lot[0]):
        a, b, c = org[side], org[after(side)], org[before(side)]
        excess[a] += 1
        if opp[side] < 0:
            excess[b] += 1
        if kind[a] != FREE:
            one[:], two[:] = at[b] - at[a], at[c] - at[a]
            length = math.sqrt((one * one).sum() * (two * two).sum())
            if length > 0.0:
                angle[a] += math.acos(min(1.0, max(-1.0, (one * two).sum() / length)))
    for side in range(3 * lot[0]):
        if opp[side] < 0:
            angle[org[after(side)]] += math.pi / 3
    for v in range(lot[1]):
        excess[v] -= 6 if kind[v] == FREE else max(2, round(angle[v] * 3 / math.pi))


@kernel
def _joined(c: int, d: int, org: Array, opp: Array, out: Array, ring: Array) -> bool:
    count, wide = around(out[c], org, opp, ring)
    if count < 0:
        return True
    found = False
    for i in range(count + wide):
        found |= neighbour(i, count, org, ring) == d
    return found


@kernel
def _flips_well(a: int, b: int, c: int, d: int, at: Array, work: Array) -> bool:
    """Whether the edge c-d instead of a-b leaves two faces that look the old way and are no slivers."""
    f, g = cross(at[a], at[b], at[c], work[0]), cross(at[b], at[a], at[d], work[1])
    one, two = cross(at[a], at[d], at[c], work[2]), cross(at[b], at[c], at[d], work[3])
    span = apart(at[c], at[d])
    if min(one, two) < 0.1 * span and min(one, two) / span < min(f, g) / max(apart(at[a], at[b]), 1e-300):
        return False
    for i in range(2, 4):
        length = one if i == 2 else two
        for k in range(2):
            dot = work[i, 0] * work[k, 0] + work[i, 1] * work[k, 1] + work[i, 2] * work[k, 2]
            if dot < COSINE * length * (f if k == 0 else g):
                return False
    return True


@kernel
def flip(org: Array, opp: Array, mark: Array, at: Array, out: Array, lot: Array, excess: Array, room: int) -> int:
    """Turn edges where that brings the number of edges around its four vertices nearer to the best."""
    ring, work, done = np.empty(room, np.int32), np.empty((4, 3)), 0
    for side in range(3 * lot[0]):
        other = opp[side]
        if other < side or mark[side] != 0:
            continue
        n, p, n2, p2 = after(side), before(side), after(other), before(other)
        a, b, c, d = org[side], org[n], org[p], org[p2]
        w, x, y, z = excess[a], excess[b], excess[c], excess[d]
        was = w * w + x * x + y * y + z * z
        if (w - 1) ** 2 + (x - 1) ** 2 + (y + 1) ** 2 + (z + 1) ** 2 >= was:
            continue
        if c == d or not _flips_well(a, b, c, d, at, work) or _joined(c, d, org, opp, out, ring):
            continue
        o_n, o_p, o_n2, o_p2 = opp[n], opp[p], opp[n2], opp[p2]
        m_n, m_p, m_n2, m_p2 = mark[n], mark[p], mark[n2], mark[p2]
        f, g = 3 * (side // 3), 3 * (other // 3)
        org[f], org[f + 1], org[f + 2], org[g], org[g + 1], org[g + 2] = a, d, c, b, c, d
        opp[f], opp[f + 1], opp[f + 2], opp[g], opp[g + 1], opp[g + 2] = o_n2, g + 1, o_p, o_n, f + 1, o_p2
        mark[f], mark[f + 1], mark[f + 2], mark[g], mark[g + 1], mark[g + 2] = m_n2, 0, m_p, m_n, 0, m_p2
        for k in (f, f + 2, g, g + 2):
            if opp[k] >= 0:
                opp[opp[k]] = k
        out[a], out[d], out[c], out[b] = f, f + 1, f + 2, g
        excess[a], excess[b], excess[c], excess[d] = w - 1, x - 1, y + 1, z + 1
        done += 1
    return done


@kernel
def _middle_of_faces(ring: Array, count: int, org: Array, at: Array, size: Array, to: Array, work: Array) -> bool:
    """``to``: the middle of the faces around by area, within the tangent plane (``work`` (2, 3))."""
    total, work[1] = 0.0, 0.0
    to[:] = 0.0
    v = org[ring[0]]
    for i in range(count):
        b, c = org[after(ring[i])], org[before(ring[i])]
        area = cross(at[v], at[b], at[c], work[0])
        wanted = size[v] + size[b] + size[c]
        weight = area / (wanted * wanted)
        total += weight
        for k in range(3):
            to[k] += weight * (at[v, k] + at[b, k] + at[c, k]) / 3.0
            work[1, k] += work[0, k]
    square = work[1, 0] ** 2 + work[1, 1] ** 2 + work[1, 2] ** 2
    if total <= 0.0 or square <= 0.0:
        return False
    off = 0.0
    for k in range(3):
        off += (to[k] / total - at[v, k]) * work[1, k] / square
    for k in range(3):
        to[k] = to[k] / total - off * work[1, k]
    return True


@kernel
def _middle_of_line(ring: Array, count: int, org: Array, opp: Array, mark: Array, at: Array, to: Array) -> bool:
    """``to``: half-way between the two neighbours on the line, along their direction."""
    first, second, v = -1, -1, org[ring[0]]
    if opp[before(ring[count - 1])] < 0 or mark[before(ring[count - 1])] != 0:
        first = org[before(ring[count - 1])]
    for i in range(count):
        if (i > 0 or opp[ring[i]] < 0) and held(ring[i], mark, opp):
            second, first = first, org[after(ring[i])]
    if first < 0 or second < 0 or first == second:
        return False
    along, square = 0.0, apart(at[first], at[second])
    for k in range(3):
        along += (0.5 * (at[first, k] + at[second, k]) - at[v, k]) * (at[second, k] - at[first, k])
    for k in range(3):
        to[k] = at[v, k] + along / max(square, 1e-300) * (at[second, k] - at[first, k])
    return square > 0.0


@kernel
def even_out(
    org: Array, opp: Array, mark: Array, at: Array, out: Array, kind: Array, size: Array, lot: Array, room: int
) -> None:
    """Move each vertex to the middle of what is around it, along the surface or the line it is on."""
    ring, work, to = np.empty(room, np.int32), np.empty((3, 3)), np.empty(3)
    for v in range(lot[1]):
        if kind[v] == CORNER:
            continue
        count, _ = around(out[v], org, opp, ring)
        if count < 0:
            continue
        if kind[v] == LINE:
            moved = _middle_of_line(ring, count, org, opp, mark, at, to)
        else:
            moved = _middle_of_faces(ring, count, org, at, size, to, work)
        if moved and not bends(ring, count, -1, to, org, at, COSINE, 0.0, work):
            at[v] = to


@kernel
def settle(which: Array, target: Array, org: Array, opp: Array, at: Array, out: Array, room: int) -> None:
    """Move the vertices ``which`` (K,) to ``target`` (K, 3), or half the way, where that turns no face."""
    ring, work, to = np.empty(room, np.int32), np.empty((3, 3)), np.empty(3)
    for i in range(len(which)):
        v = which[i]
        count, _ = around(out[v], org, opp, ring)
        for share in (1.0, 0.5):
            to[:] = at[v] + share * (target[i] - at[v])
            if count >= 0 and not bends(ring, count, -1, to, org, at, 0.2, 0.0, work):
                at[v] = to
                break


@kernel
def directions(org: Array, at: Array, lot: Array, out: Array) -> None:
    """``out``: (V, 3) unit normals by area."""
    out[:] = 0.0
    work = np.empty(3)
    for f in range(lot[0]):
        a, b, c = org[3 * f], org[3 * f + 1], org[3 * f + 2]
        cross(at[a], at[b], at[c], work)
        for v in (a, b, c):
            out[v] += work
    for v in range(lot[1]):
        length = math.sqrt((out[v] * out[v]).sum())
        out[v] /= max(length, 1e-300)
