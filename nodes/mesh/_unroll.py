"""First guesses for a flat chart: unrolled triangle by triangle, or seen along its mean direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._isometric import misfit_of
from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _beside(at: Array, a: int, b: int, c: int, uv: Array) -> None:
    """Place ``c`` to the left of the placed side from ``a`` to ``b``, at the distances it has in space.

    Only the direction of the placed side is used: an error in its length would grow from triangle to triangle.
    """
    ee, ec, cc = 0.0, 0.0, 0.0
    for k in range(3):
        e, f = at[b, k] - at[a, k], at[c, k] - at[a, k]
        ee += e * e
        ec += e * f
        cc += f * f
    dx, dy = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1]
    length = math.sqrt(dx * dx + dy * dy)
    dx, dy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    along = ec / math.sqrt(ee) if ee > 0.0 else 0.0
    up = math.sqrt(max(0.0, cc - along * along))
    uv[c, 0], uv[c, 1] = uv[a, 0] + along * dx - up * dy, uv[a, 1] + along * dy + up * dx


@kernel
def unroll(at: Array, corners: Array, across: Array, faces: Array, uv: Array, low: int, high: int) -> None:
    """Roll the ``faces`` of one chart out over the plane, triangle by triangle from the first.

    ``corners``: (M, 3) chart vertices, ``low`` to ``high``. ``across``: (M, 3) neighbours in the chart or -1.
    """
    queue, seen, done = np.empty(len(faces), np.int64), {faces[0]}, np.zeros(high - low, np.bool_)
    queue[0], tail, head = faces[0], 1, 0
    a, b, c = corners[faces[0]]
    gap = math.sqrt((at[b, 0] - at[a, 0]) ** 2 + (at[b, 1] - at[a, 1]) ** 2 + (at[b, 2] - at[a, 2]) ** 2)
    uv[a, 0], uv[a, 1], uv[b, 0], uv[b, 1] = 0.0, 0.0, gap, 0.0
    done[a - low] = done[b - low] = True
    while head < tail:
        f = queue[head]
        head += 1
        for k in range(3):
            a, b, c = corners[f, k], corners[f, (k + 1) % 3], corners[f, (k + 2) % 3]
            if done[a - low] and done[b - low] and not done[c - low]:
                _beside(at, a, b, c, uv)
                done[c - low] = True
        for k in range(3):
            g = across[f, k]
            if g >= 0 and g not in seen:
                seen.add(g)
                queue[tail] = g
                tail += 1


@kernel
def project(at: Array, tri: Array, low: int, high: int, uv: Array) -> None:
    """Look at one chart along the mean direction of its faces."""
    axis, right, up = np.zeros(3), np.zeros(3), np.empty(3)
    for t in range(len(tri)):
        a, b, c = at[tri[t, 0]], at[tri[t, 1]], at[tri[t, 2]]
        for k in range(3):
            m, n = (k + 1) % 3, (k + 2) % 3
            axis[k] += (b[m] - a[m]) * (c[n] - a[n]) - (b[n] - a[n]) * (c[m] - a[m])
    length = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
    if length > 0.0:
        axis /= length
    else:
        axis[2] = 1.0
    least = np.argmin(np.abs(axis))
    for k in range(3):
        right[k] = (1.0 if k == least else 0.0) - axis[least] * axis[k]
    right /= math.sqrt(right[0] ** 2 + right[1] ** 2 + right[2] ** 2)
    for k in range(3):
        m, n = (k + 1) % 3, (k + 2) % 3
        up[k] = axis[m] * right[n] - axis[n] * right[m]
    for v in range(low, high):
        uv[v, 0], uv[v, 1] = 0.0, 0.0
        for k in range(3):
            uv[v, 0] += (at[v, k] - at[low, k]) * right[k]
            uv[v, 1] += (at[v, k] - at[low, k]) * up[k]


@kernel
def alone(tri: Array, rest: Array, uv: Array) -> None:
    """Lay a single triangle down as it is at rest."""
    for k in range(3):
        uv[tri[0, k], 0] = (k == 1) * rest[0, 0] + (k == 2) * rest[0, 1]
        uv[tri[0, k], 1] = (k == 2) * rest[0, 2]


@kernel
def begin(
    at: Array, tri: Array, rest: Array, pull: Array, corners: Array, across: Array, faces: Array, uv: Array, low: int,
    high: int, free: bool,
) -> None:  # fmt: skip
    """The projection of one chart, or where ``free`` the unrolled chart if that changes lengths less."""
    project(at, tri, low, high, uv)
    if free:
        seen = uv[low:high].copy()
        misfit = misfit_of(tri, rest, pull, uv, low, high)
        unroll(at, corners, across, faces, uv, low, high)
        if not misfit_of(tri, rest, pull, uv, low, high) < misfit:
            uv[low:high] = seen
