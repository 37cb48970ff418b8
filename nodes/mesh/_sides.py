"""Sides of triangles that know their other side, and walking around vertices over them.

Side ``3 f + k`` of face f goes from corner k to corner k + 1. ``org``: (S,) the vertex it starts at, -1 in a face that
is gone. ``opp``: (S,) the side that runs the other way along the same edge, or -1 on a border. ``mark``: (S,) uint8.
``out``: (V,) one side that starts at each vertex. Faces wind alike, and a vertex has one fan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
FEATURE, FROZEN, SHARP = 1, 2, 4
FREE, LINE, CORNER = 0, 1, 2
SLIVER, NOTHING = 0.02, 1e-4  # twice the area over the square of the longest side


@inlined
def after(side: int) -> int:
    return side - 2 if side % 3 == 2 else side + 1


@inlined
def before(side: int) -> int:
    return side + 2 if side % 3 == 0 else side - 1


@kernel
def around(side: int, org: Array, opp: Array, ring: Array) -> tuple[int, bool]:
    """(how many, whether there is a border) sides that start where ``side`` does, in order; -1: more than fit."""
    first, open_fan = side, False
    while True:
        other = opp[first]
        if other < 0:
            open_fan = True
            break
        first = after(other)
        if first == side:
            break
    count, here = 0, first
    while True:
        if count == len(ring):
            return -1, open_fan
        ring[count] = here
        count += 1
        here = opp[before(here)]
        if here < 0 or here == first:
            return count, open_fan


@kernel
def neighbour(i: int, count: int, org: Array, ring: Array) -> int:
    """The i-th vertex around, 0 to ``count`` - 1, and one more at a border."""
    return int(org[after(ring[i])] if i < count else org[before(ring[count - 1])])


@kernel
def held(side: int, mark: Array, opp: Array) -> bool:
    """Whether an edge is a feature or a border."""
    return bool(mark[side] != 0 or opp[side] < 0)


@kernel
def cross(a: Array, b: Array, c: Array, out: Array) -> float:
    """``out``: the normal of a triangle, twice its area long, which is returned."""
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        out[i] = (b[j] - a[j]) * (c[k] - a[k]) - (b[k] - a[k]) * (c[j] - a[j])
    return float(np.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2))


@kernel
def apart(a: Array, b: Array) -> float:
    """The square of a distance."""
    return float((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)


@kernel
def _dot(a: Array, b: Array) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@kernel
def bends(
    ring: Array, count: int, spared: int, to: Array, org: Array, at: Array, cosine: float, short: float, work: Array
) -> bool:
    """Whether a face around turns or collapses when its vertex goes ``to`` there; faces with ``spared`` do not count.

    A sliver no longer than ``short`` may become thinner, and may turn as long as it looks the way of all faces around.
    ``work``: (3, 3) float64.
    """
    work[2] = 0.0
    for i in range(count if short > 0.0 else 0):
        cross(at[org[ring[i]]], at[org[after(ring[i])]], at[org[before(ring[i])]], work[0])
        work[2] += work[0]
    whole, least = np.sqrt(_dot(work[2], work[2])), 0.3 if short > 0.0 else 1.0
    for i in range(count):
        a, b, c = org[ring[i]], org[after(ring[i])], org[before(ring[i])]
        if b == spared or c == spared:
            continue
        old, new = cross(at[a], at[b], at[c], work[0]), cross(to, at[b], at[c], work[1])
        longest = max(apart(to, at[b]), apart(at[b], at[c]), apart(at[c], to))
        was = max(apart(at[a], at[b]), apart(at[b], at[c]), apart(at[c], at[a]))
        sliver = was < short * short and old < SLIVER * was
        if new < (NOTHING if sliver else 2 * SLIVER) * longest and new * was < least * old * longest:
            return True
        if _dot(work[1], work[0]) < cosine * old * new and not (
            sliver and _dot(work[1], work[2]) > cosine * whole * new
        ):
            return True
    return False


@kernel
def link(pairs: Array, opp: Array, org: Array, out: Array) -> None:
    """Fill ``opp`` and ``out`` from (P, 2) sides that share an edge."""
    opp[:] = -1
    for i in range(len(pairs)):
        opp[pairs[i, 0]], opp[pairs[i, 1]] = pairs[i, 1], pairs[i, 0]
    for side in range(len(org)):
        out[org[side]] = side


@kernel
def packed(org: Array, opp: Array, mark: Array, group: Array, out: Array, rename: Array, keep: Array) -> int:
    """Close the gaps of faces that are gone; ``keep`` becomes the old numbers of the vertices in use, in order."""
    faces = 0
    for f in range(len(org) // 3):
        if org[3 * f] < 0:
            continue
        if f != faces:
            for k in range(3):
                old, new = 3 * f + k, 3 * faces + k
                org[new], opp[new], mark[new] = org[old], opp[old], mark[old]
                if opp[new] >= 0:
                    opp[opp[new]] = new
            group[faces] = group[f]
        faces += 1
    rename[:] = -1
    count = 0
    for side in range(3 * faces):
        v = org[side]
        if rename[v] < 0:
            rename[v], keep[count] = count, v
            count += 1
        org[side] = rename[v]
        out[rename[v]] = side
    return faces
