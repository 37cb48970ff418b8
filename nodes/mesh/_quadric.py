"""Quadrics of edge collapse: how far a point would lie from the planes and the attributes it has to stand for.

A row of quadrics, one per wedge (a vertex on one side of its seams), is 11 + 4 m numbers for m attributes: the upper
half of A (6), b (3), c, the area, then for each attribute its summed gradient (3) and offset, all weighted by area.
The error at point x with attributes s is x'Ax + 2 b'x + c - 2 sum s_j (g_j'x + d_j) + area sum s_j^2: squared distance
to the planes (Garland and Heckbert 1997) and squared difference to attributes that are linear over each face (Hoppe
1999). Without given s the best s_j are (g_j'x + d_j) / area, which leaves a 3 x 3 system.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_tables import OUTER
from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
AREA, FIRST = 10, 11
FIRM = 1e-8
TIE = 1e-12
FAR = 4.0


@kernel
def _plane(q: Array, w: int, x: float, y: float, z: float, d: float, weight: float) -> None:
    """Add the squared distance to the plane n'p + d = 0, times ``weight``."""
    q[w, 0] += weight * x * x
    q[w, 1] += weight * x * y
    q[w, 2] += weight * x * z
    q[w, 3] += weight * y * y
    q[w, 4] += weight * y * z
    q[w, 5] += weight * z * z
    q[w, 6] += weight * x * d
    q[w, 7] += weight * y * d
    q[w, 8] += weight * z * d
    q[w, 9] += weight * d * d


@kernel
def _slopes(tri: Array, f: int, at: Array, s: Array, n: Array, twice: float, slope: Array) -> None:
    """``slope`` (m, 4): gradient and offset of each attribute over the face, whose normal ``n`` has length one."""
    a, b, c = tri[f, 0], tri[f, 1], tri[f, 2]
    for j in range(s.shape[1]):
        p, r, t = s[tri[f, 3], j], s[tri[f, 4], j], s[tri[f, 5], j]
        ex = (r - p) * (at[c, 0] - at[a, 0]) - (t - p) * (at[b, 0] - at[a, 0])
        ey = (r - p) * (at[c, 1] - at[a, 1]) - (t - p) * (at[b, 1] - at[a, 1])
        ez = (r - p) * (at[c, 2] - at[a, 2]) - (t - p) * (at[b, 2] - at[a, 2])
        slope[j, 0] = (ey * n[2] - ez * n[1]) / twice
        slope[j, 1] = (ez * n[0] - ex * n[2]) / twice
        slope[j, 2] = (ex * n[1] - ey * n[0]) / twice
        slope[j, 3] = p - slope[j, 0] * at[a, 0] - slope[j, 1] * at[a, 1] - slope[j, 2] * at[a, 2]


@kernel
def normal_of(tri: Array, f: int, at: Array, n: Array) -> float:
    """Twice the area of the face; ``n`` becomes its unit normal, or zero."""
    a, b, c = tri[f, 0], tri[f, 1], tri[f, 2]
    ux, uy, uz = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    vx, vy, vz = at[c, 0] - at[a, 0], at[c, 1] - at[a, 1], at[c, 2] - at[a, 2]
    n[0], n[1], n[2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    twice = math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
    scale = 1.0 / twice if twice > 0.0 else 0.0
    n[0], n[1], n[2] = n[0] * scale, n[1] * scale, n[2] * scale
    return float(twice)


@kernel
def _wall(tri: Array, f: int, k: int, at: Array, n: Array, weight: float, q: Array) -> None:
    """The plane through side k that stands on the face keeps a border or seam where it is."""
    a, b = tri[f, k], tri[f, (k + 1) % 3]
    ex, ey, ez = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    square = ex * ex + ey * ey + ez * ez
    if square <= 0.0:
        return
    scale = 1.0 / math.sqrt(square)
    x, y, z = (ey * n[2] - ez * n[1]) * scale, (ez * n[0] - ex * n[2]) * scale, (ex * n[1] - ey * n[0]) * scale
    d = -(x * at[a, 0] + y * at[a, 1] + z * at[a, 2])
    for corner in (k, (k + 1) % 3):
        _plane(q, tri[f, 3 + corner], x, y, z, d, weight * square)


@kernel
def gather(tri: Array, at: Array, s: Array, edge: Array, walls: Array, q: Array) -> None:
    """Fill ``q`` (zeros at first) from all faces. ``walls``: (256,) weight for each combination of edge flags; those
    of outer edges are left to :func:`stand`."""
    n, slope = np.empty(3), np.empty((s.shape[1], 4))
    for f in range(len(tri)):
        twice = normal_of(tri, f, at, n)
        a, area = tri[f, 0], twice / 2.0
        if twice <= 0.0:
            continue
        d = -(n[0] * at[a, 0] + n[1] * at[a, 1] + n[2] * at[a, 2])
        _slopes(tri, f, at, s, n, twice, slope)
        for k in range(3):
            w = tri[f, 3 + k]
            _plane(q, w, n[0], n[1], n[2], d, area)
            q[w, AREA] += area
            for j in range(s.shape[1]):
                _plane(q, w, slope[j, 0], slope[j, 1], slope[j, 2], slope[j, 3], area)
                for i in range(4):
                    q[w, FIRST + 4 * j + i] += area * slope[j, i]
            flags = edge[tri[f, 6 + k], 3]
            weight = walls[flags & 255]
            if weight > 0.0 and flags & OUTER == 0:
                _wall(tri, f, k, at, n, weight, q)


@kernel
def stand(tri: Array, at: Array, edge: Array, walls: Array, q: Array) -> None:
    """Add the walls of all outer edges."""
    n = np.empty(3)
    for f in range(len(tri)):
        for k in range(3):
            flags = edge[tri[f, 6 + k], 3]
            weight = walls[flags & 255]
            if weight > 0.0 and flags & OUTER != 0 and normal_of(tri, f, at, n) > 0.0:
                _wall(tri, f, k, at, n, weight, q)


@inlined
def fixed(q: Array, one: int, two: int, x: float, y: float, z: float, s: Array, w: int) -> float:
    """Error of two wedges at a given point with the attributes of wedge ``w``."""
    a0, a1, a2 = q[one, 0] + q[two, 0], q[one, 1] + q[two, 1], q[one, 2] + q[two, 2]
    a3, a4, a5 = q[one, 3] + q[two, 3], q[one, 4] + q[two, 4], q[one, 5] + q[two, 5]
    b0, b1, b2 = q[one, 6] + q[two, 6], q[one, 7] + q[two, 7], q[one, 8] + q[two, 8]
    total = x * (a0 * x + 2.0 * (a1 * y + a2 * z + b0)) + y * (a3 * y + 2.0 * (a4 * z + b1)) + z * (a5 * z + 2.0 * b2)
    total += q[one, 9] + q[two, 9]
    area = q[one, AREA] + q[two, AREA]
    for j in range(s.shape[1]):
        i = FIRST + 4 * j
        gx, gy = q[one, i] + q[two, i], q[one, i + 1] + q[two, i + 1]
        gz, d = q[one, i + 2] + q[two, i + 2], q[one, i + 3] + q[two, i + 3]
        total += s[w, j] * (area * s[w, j] - 2.0 * (gx * x + gy * y + gz * z + d))
    return float(total)


@inlined
def best(q: Array, one: int, two: int, at: Array, u: int, v: int, many: int, x: Array) -> float:
    """Least error of two wedges, at ``x`` (3,), which is filled; attributes are free.

    Where the planes leave x open (flat ground), it stays near the middle of u and v.
    """
    a0, a1, a2 = q[one, 0] + q[two, 0], q[one, 1] + q[two, 1], q[one, 2] + q[two, 2]
    a3, a4, a5 = q[one, 3] + q[two, 3], q[one, 4] + q[two, 4], q[one, 5] + q[two, 5]
    b0, b1, b2 = q[one, 6] + q[two, 6], q[one, 7] + q[two, 7], q[one, 8] + q[two, 8]
    c = q[one, 9] + q[two, 9]
    share = 1.0 / (q[one, AREA] + q[two, AREA] + 1e-300)
    for j in range(many):
        i = FIRST + 4 * j
        gx, gy = q[one, i] + q[two, i], q[one, i + 1] + q[two, i + 1]
        gz, d = q[one, i + 2] + q[two, i + 2], q[one, i + 3] + q[two, i + 3]
        a0, a1, a2 = a0 - gx * gx * share, a1 - gx * gy * share, a2 - gx * gz * share
        a3, a4, a5 = a3 - gy * gy * share, a4 - gy * gz * share, a5 - gz * gz * share
        b0, b1, b2, c = b0 - gx * d * share, b1 - gy * d * share, b2 - gz * d * share, c - d * d * share
    mx, my, mz = (at[u, 0] + at[v, 0]) * 0.5, (at[u, 1] + at[v, 1]) * 0.5, (at[u, 2] + at[v, 2]) * 0.5
    firm = FIRM * (a0 + a3 + a5) + 1e-30
    # about the middle m: (A + firm) z = -(b + A m), as L D L'
    r0 = -(b0 + a0 * mx + a1 * my + a2 * mz)
    r1 = -(b1 + a1 * mx + a3 * my + a4 * mz)
    r2 = -(b2 + a2 * mx + a4 * my + a5 * mz)
    i0 = 1.0 / (a0 + firm)
    l1, l2 = a1 * i0, a2 * i0
    i1 = 1.0 / (a3 + firm - l1 * a1)
    t = a4 - l1 * a2
    l3 = t * i1
    i2 = 1.0 / (a5 + firm - l2 * a2 - l3 * t)
    y1 = r1 - l1 * r0
    z2 = (r2 - l2 * r0 - l3 * y1) * i2
    z1 = y1 * i1 - l3 * z2
    z0 = r0 * i0 - l1 * z1 - l2 * z2
    ex, ey, ez = at[v, 0] - at[u, 0], at[v, 1] - at[u, 1], at[v, 2] - at[u, 2]
    length = ex * ex + ey * ey + ez * ez
    if not z0 * z0 + z1 * z1 + z2 * z2 <= FAR * length:
        z0, z1, z2 = 0.0, 0.0, 0.0
    x0, x1, x2 = mx + z0, my + z1, mz + z2
    x[0], x[1], x[2] = x0, x1, x2
    error = x0 * (a0 * x0 + 2.0 * (a1 * x1 + a2 * x2 + b0)) + x1 * (a3 * x1 + 2.0 * (a4 * x2 + b1))
    error += x2 * (a5 * x2 + 2.0 * b2) + c
    return float(max(error, 0.0) + TIE * length * length)
