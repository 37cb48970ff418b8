"""On which side of a plane or a line does a point lie? Signs that rounding cannot turn.

A determinant in double precision decides when it is larger than its possible error; else the products are summed
without any loss as expansions (Shewchuk 1997: two-sum, two-product, grow-expansion). Exact for single precision
positions whose magnitudes are within 2^29 of one another, as then all differences of coordinates are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
SPLIT = 134217729.0
DOUBT_3D = 7.8e-16
DOUBT_2D = 3.4e-16


@kernel
def _product(a: float, b: float) -> tuple[float, float]:
    """(rounded product, what was rounded off)."""
    high = a * b
    c, d = SPLIT * a, SPLIT * b
    a1, b1 = c - (c - a), d - (d - b)
    a2, b2 = a - a1, b - b1
    return high, a2 * b2 - (((high - a1 * b1) - a2 * b1) - a1 * b2)


@kernel
def _grow(parts: Array, count: int, value: float) -> int:
    """Add a number to an expansion of ``count`` parts without loss; the new count."""
    carry = value
    for i in range(count):
        total = carry + parts[i]
        back = total - carry
        parts[i], carry = (carry - (total - back)) + (parts[i] - back), total
    parts[count] = carry
    return count + 1


@kernel
def _sign(parts: Array, count: int) -> int:
    for i in range(count - 1, -1, -1):
        if parts[i] != 0.0:
            return 1 if parts[i] > 0.0 else -1
    return 0


@kernel
def _triple(parts: Array, count: int, a: float, b: float, c: float) -> int:
    """Add a b c to the expansion."""
    high, low = _product(a, b)
    for half in (high, low):
        one, two = _product(half, c)
        count = _grow(parts, count, two)
        count = _grow(parts, count, one)
    return count


@kernel
def _exact_3d(ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float) -> int:
    parts, n = np.zeros(24), 0
    n = _triple(parts, n, ax, by, cz)
    n = _triple(parts, n, -ax, bz, cy)
    n = _triple(parts, n, ay, bz, cx)
    n = _triple(parts, n, -ay, bx, cz)
    n = _triple(parts, n, az, bx, cy)
    n = _triple(parts, n, -az, by, cx)
    return _sign(parts, n)


@kernel
def side_3d(p: Array, i: int, j: int, k: int, t: int) -> int:
    """1 when point ``t`` of (N, 3) ``p`` lies behind the face i, j, k, -1 when before it, 0 when on its plane."""
    ax, ay, az = p[i, 0] - p[t, 0], p[i, 1] - p[t, 1], p[i, 2] - p[t, 2]
    bx, by, bz = p[j, 0] - p[t, 0], p[j, 1] - p[t, 1], p[j, 2] - p[t, 2]
    cx, cy, cz = p[k, 0] - p[t, 0], p[k, 1] - p[t, 1], p[k, 2] - p[t, 2]
    one, two, three = by * cz, bz * cy, bz * cx
    four, five, six = bx * cz, bx * cy, by * cx
    det = ax * (one - two) + ay * (three - four) + az * (five - six)
    size = (abs(one) + abs(two)) * abs(ax) + (abs(three) + abs(four)) * abs(ay) + (abs(five) + abs(six)) * abs(az)
    if abs(det) > DOUBT_3D * size:
        return 1 if det > 0.0 else -1
    return _exact_3d(ax, ay, az, bx, by, bz, cx, cy, cz) if size > 0.0 else 0


@kernel
def side_2d(p: Array, i: int, j: int, t: int, u: int, v: int) -> int:
    """1 when ``t`` lies left of i to j in the plane of coordinates ``u`` and ``v``, -1 when right, 0 on the line."""
    ax, ay = p[i, u] - p[t, u], p[i, v] - p[t, v]
    bx, by = p[j, u] - p[t, u], p[j, v] - p[t, v]
    one, two = ax * by, ay * bx
    if abs(one - two) > DOUBT_2D * (abs(one) + abs(two)):
        return 1 if one > two else -1
    parts, n = np.zeros(4), 0
    for sign, a, b in ((1.0, ax, by), (-1.0, ay, bx)):
        high, low = _product(sign * a, b)
        n = _grow(parts, n, low)
        n = _grow(parts, n, high)
    return _sign(parts, n)
