"""What is wrong with a flattened chart: turned faces, vertices wound round twice, borders that cross.

When no face is turned, the angles at no vertex pass a full turn and the border does not cross itself, a chart covers
no point twice. ``uv``: (V, 2) float64. ``corners``: (M, 3) chart vertices. ``across``: (M, 3) neighbours in the chart
or -1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
FULL = 2 * math.pi
TURNED, WOUND, CROSSED, STRAINED = 1, 2, 4, 8


@inlined
def _twice(uv: Array, a: int, b: int, c: int) -> float:
    """Twice the signed area of (a, b, c)."""
    one = (uv[b, 0] - uv[a, 0]) * (uv[c, 1] - uv[a, 1])
    return float(one - (uv[b, 1] - uv[a, 1]) * (uv[c, 0] - uv[a, 0]))


@kernel
def turned(corners: Array, faces: Array, uv: Array, wrong: Array) -> int:
    """Mark the faces that do not run counter-clockwise; returns how many. Faces that name a vertex twice pass."""
    count = 0
    for i in range(len(faces)):
        a, b, c = corners[faces[i]]
        if a == b or b == c or c == a:
            continue
        if _twice(uv, a, b, c) <= 0.0:
            wrong[faces[i]] = True
            count += 1
    return count


@kernel
def _wound(corners: Array, faces: Array, across: Array, uv: Array, low: int, high: int, wrong: Array) -> int:
    """Mark faces at vertices whose angles pass a full turn: one and a half where the vertex is inside."""
    angle, most = np.zeros(high - low), np.full(high - low, 1.5 * FULL)
    for i in range(len(faces)):
        for k in range(3):
            a, b, c = corners[faces[i], k], corners[faces[i], (k + 1) % 3], corners[faces[i], (k + 2) % 3]
            ux, uy, vx, vy = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1], uv[c, 0] - uv[a, 0], uv[c, 1] - uv[a, 1]
            angle[a - low] += abs(math.atan2(ux * vy - uy * vx, ux * vx + uy * vy))
            if across[faces[i], k] < 0:
                most[a - low] = most[b - low] = FULL - 1e-9
    count = 0
    for i in range(len(faces)):
        for k in range(3):
            v = corners[faces[i], k] - low
            if angle[v] > most[v]:
                wrong[faces[i]] = True
                count += 1
    return count


@inlined
def _cross(uv: Array, a: int, b: int, c: int, d: int, least: float) -> bool:
    """Whether the sides a-b and c-d cross in a point inside both."""
    if a in (c, d) or b in (c, d):
        return False
    p, q = _twice(uv, a, b, c), _twice(uv, a, b, d)
    if (p > -least or q < least) and (p < least or q > -least):
        return False
    p, q = _twice(uv, c, d, a), _twice(uv, c, d, b)
    return (p < -least and q > least) or (p > least and q < -least)


@kernel
def _border(corners: Array, faces: Array, across: Array) -> Array:
    count = 0
    for i in range(len(faces)):
        for k in range(3):
            count += across[faces[i], k] < 0
    border = np.empty((count, 3), np.int64)
    count = 0
    for i in range(len(faces)):
        for k in range(3):
            if across[faces[i], k] < 0:
                border[count, 0], border[count, 1] = corners[faces[i], k], corners[faces[i], (k + 1) % 3]
                border[count, 2] = faces[i]
                count += 1
    return border


@kernel
def _crossed(corners: Array, faces: Array, across: Array, uv: Array, wrong: Array) -> int:
    """Mark the faces whose borders cross; sweeps over the border from left to right."""
    border = _border(corners, faces, across)
    n = len(border)
    left, right = np.empty(n), np.empty(n)
    low, high = np.empty(n), np.empty(n)
    for i in range(n):
        a, b = border[i, 0], border[i, 1]
        left[i], right[i] = min(uv[a, 0], uv[b, 0]), max(uv[a, 0], uv[b, 0])
        low[i], high[i] = min(uv[a, 1], uv[b, 1]), max(uv[a, 1], uv[b, 1])
    order = np.argsort(left)
    longest = 0.0
    for i in range(n):
        longest = max(longest, right[i] - left[i], high[i] - low[i])
    least, count = longest * longest * 1e-12, 0
    for i in range(n):
        one = order[i]
        for j in range(i + 1, n):
            other = order[j]
            if left[other] > right[one]:
                break
            if low[other] > high[one] or high[other] < low[one]:
                continue
            if _cross(uv, border[one, 0], border[one, 1], border[other, 0], border[other, 1], least):
                wrong[border[one, 2]] = wrong[border[other, 2]] = True
                count += 1
    return count


@kernel
def faults(corners: Array, faces: Array, across: Array, uv: Array, low: int, high: int, wrong: Array) -> int:
    """Sum of TURNED, WOUND and CROSSED for one chart whose vertices are ``low`` to ``high``; ``wrong`` faces marked."""
    if turned(corners, faces, uv, wrong):
        return TURNED
    found = 0
    if _wound(corners, faces, across, uv, low, high, wrong):
        found += WOUND
    if _crossed(corners, faces, across, uv, wrong):
        found += CROSSED
    return found
