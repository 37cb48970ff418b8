"""Lay charts flat with as little change of lengths as can be: unroll or project, then relax.

The relaxing is the local and global step of Liu, Zhang, Xu, Gotsman and Gortler 2008 ("as rigid as possible"): each
triangle takes the rotation that fits it best, then the vertices move to where the turned triangles want them. What
can be developed (a cylinder, a cone) comes out without any change of lengths.

``tri``: (M, 3) chart vertices, the longest side first. ``rest``: (M, 3) float64: corner 1 at (rest 0, 0), corner 2 at
(rest 1, rest 2), in metres. ``pull``: (M, 3) cotangent weights of the sides. ``uv``: (V, 2) float64 metres.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
THINNEST = 5e-3
ROUNDS, STEPS = 30, 8


@kernel
def rest_shapes(at: Array, tri: Array, rest: Array, pull: Array) -> None:
    """Fill ``rest`` and ``pull``, and turn each row of ``tri`` so that its longest side comes first.

    Thinner triangles than ``THINNEST`` count as that thick: their weights would drown all others.
    """
    side = np.empty(3)
    for t in range(len(tri)):
        longest = 0
        for k in range(3):
            a, b = tri[t, k], tri[t, (k + 1) % 3]
            side[k] = math.sqrt((at[b, 0] - at[a, 0]) ** 2 + (at[b, 1] - at[a, 1]) ** 2 + (at[b, 2] - at[a, 2]) ** 2)
            if side[k] > side[longest]:
                longest = k
        a, b, c = tri[t, longest], tri[t, (longest + 1) % 3], tri[t, (longest + 2) % 3]
        tri[t, 0], tri[t, 1], tri[t, 2] = a, b, c
        base = max(side[longest], 1e-12)
        along = 0.0
        for k in range(3):
            along += (at[b, k] - at[a, k]) * (at[c, k] - at[a, k])
        along /= base
        reach = (at[c, 0] - at[a, 0]) ** 2 + (at[c, 1] - at[a, 1]) ** 2 + (at[c, 2] - at[a, 2]) ** 2
        up = max(math.sqrt(max(0.0, reach - along * along)), THINNEST * base)
        rest[t, 0], rest[t, 1], rest[t, 2] = base, along, up
        one, two = along / up, (base - along) / up
        pull[t, 1], pull[t, 2] = one, two
        pull[t, 0] = (1.0 - one * two) / (one + two)


@inlined
def _side(rest: Array, t: int, k: int) -> tuple[float, float]:
    """The resting side from corner k to the next."""
    if k == 0:
        return rest[t, 0], 0.0
    if k == 1:
        return rest[t, 1] - rest[t, 0], rest[t, 2]
    return -rest[t, 1], -rest[t, 2]


@kernel
def _turned(tri: Array, rest: Array, pull: Array, uv: Array, low: int, wanted: Array) -> float:
    """Fill ``wanted`` (V, 2) with what the triangles, each at its best rotation, ask for; returns the misfit in m²."""
    wanted[:] = 0.0
    misfit = 0.0
    for t in range(len(tri)):
        along, across = 0.0, 0.0
        for k in range(3):
            i, j = tri[t, k], tri[t, (k + 1) % 3]
            x, y = _side(rest, t, k)
            dx, dy = uv[j, 0] - uv[i, 0], uv[j, 1] - uv[i, 1]
            along += pull[t, k] * (dx * x + dy * y)
            across += pull[t, k] * (dy * x - dx * y)
        length = math.sqrt(along * along + across * across)
        c, s = (along / length, across / length) if length > 0.0 else (1.0, 0.0)
        for k in range(3):
            i, j = tri[t, k], tri[t, (k + 1) % 3]
            x, y = _side(rest, t, k)
            px, py = c * x - s * y, s * x + c * y
            w = pull[t, k]
            wanted[j - low, 0] += w * px
            wanted[j - low, 1] += w * py
            wanted[i - low, 0] -= w * px
            wanted[i - low, 1] -= w * py
            misfit += w * ((uv[j, 0] - uv[i, 0] - px) ** 2 + (uv[j, 1] - uv[i, 1] - py) ** 2)
    return misfit / 2.0


@kernel
def _springs(tri: Array, pull: Array, low: int, n: int) -> tuple[Array, Array, Array]:
    """(first (n + 1,), other (E,), weight (E,)): the sides from each vertex to higher ones, each side once."""
    heads, count = np.full(n, -1, np.int64), 0
    after, other, weight = np.empty(3 * len(tri), np.int64), np.empty(3 * len(tri), np.int64), np.empty(3 * len(tri))
    for t in range(len(tri)):
        for k in range(3):
            i, j = tri[t, k] - low, tri[t, (k + 1) % 3] - low
            i, j = min(i, j), max(i, j)
            at = heads[i]
            while at >= 0 and other[at] != j:
                at = after[at]
            if at < 0:
                at, after[count], other[count], weight[count] = count, heads[i], j, 0.0
                heads[i] = count
                count += 1
            weight[at] += pull[t, k]
    first, to, how = np.empty(n + 1, np.int64), np.empty(count, np.int64), np.empty(count)
    count = 0
    for i in range(n):
        first[i], at = count, heads[i]
        while at >= 0:
            to[count], how[count] = other[at], weight[at]
            count, at = count + 1, after[at]
    first[n] = count
    return first, to, how


@kernel
def _stiff(springs: tuple[Array, Array, Array], x: Array, out: Array) -> None:
    """``out`` becomes the cotangent Laplacian applied to ``x``, both (n, 2)."""
    first, other, weight = springs
    out[:] = 0.0
    for i in range(len(x)):
        u, v, x0, x1 = 0.0, 0.0, x[i, 0], x[i, 1]
        for e in range(first[i], first[i + 1]):
            j, w = other[e], weight[e]
            dx, dy = w * (x[j, 0] - x0), w * (x[j, 1] - x1)
            out[j, 0] += dx
            out[j, 1] += dy
            u -= dx
            v -= dy
        out[i, 0] += u
        out[i, 1] += v


@inlined
def _dot(a: Array, b: Array) -> float:
    total = 0.0
    for i in range(len(a)):
        total += a[i, 0] * b[i, 0] + a[i, 1] * b[i, 1]
    return total


@kernel
def _settle(springs: tuple[Array, Array, Array], scale: Array, wanted: Array, uv: Array, steps: int) -> None:
    """Conjugate gradients from where the vertices, (n, 2), are. ``scale``: (n,) one over the Laplacian's diagonal."""
    n = len(wanted)
    rest, move, heavy = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    _stiff(springs, uv, heavy)
    now = 0.0
    for i in range(n):
        for k in range(2):
            rest[i, k] = wanted[i, k] - heavy[i, k]
            move[i, k] = rest[i, k] * scale[i]
            now += rest[i, k] * move[i, k]
    goal = now * 1e-8
    for _ in range(steps):
        if now <= goal or now <= 1e-300:
            break
        _stiff(springs, move, heavy)
        step, after = now / _dot(move, heavy), 0.0
        for i in range(n):
            for k in range(2):
                uv[i, k] += step * move[i, k]
                rest[i, k] -= step * heavy[i, k]
                after += rest[i, k] * rest[i, k] * scale[i]
        for i in range(n):
            for k in range(2):
                move[i, k] = rest[i, k] * scale[i] + after / now * move[i, k]
        now = after


@kernel
def relax(tri: Array, rest: Array, pull: Array, uv: Array, low: int, high: int) -> float:
    """Relax one chart whose vertices are ``low`` to ``high`` of ``uv``; returns the misfit that stays, in m²."""
    n = high - low
    wanted, scale = np.empty((n, 2)), np.zeros(n)
    for t in range(len(tri)):
        for k in range(3):
            scale[tri[t, k] - low] += pull[t, k]
            scale[tri[t, (k + 1) % 3] - low] += pull[t, k]
    for i in range(n):
        scale[i] = 1.0 / scale[i] if scale[i] > 1e-12 else 1.0
    area = 0.0
    for t in range(len(tri)):
        area += rest[t, 0] * rest[t, 2] / 2.0
    before, springs = 1e300, _springs(tri, pull, low, n)
    for _ in range(ROUNDS):
        misfit = _turned(tri, rest, pull, uv, low, wanted)
        if misfit <= area * 1e-12 or before - misfit < 0.02 * misfit:
            return misfit
        before = misfit
        _settle(springs, scale, wanted, uv[low:high], STEPS)
    return misfit


@kernel
def misfit_of(tri: Array, rest: Array, pull: Array, uv: Array, low: int, high: int) -> float:
    """How far the triangles are from turned copies of themselves, in m²."""
    return _turned(tri, rest, pull, uv, low, np.empty((high - low, 2)))
