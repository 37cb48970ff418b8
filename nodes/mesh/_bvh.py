"""A bounding volume hierarchy over triangles: nearest hit along a line, both ways, and nearest point.

A search begins with the triangle that the previous one found: neighbouring texels find the same or the next one.
Ray-triangle test after Möller and Trumbore 1997; nearest point on a triangle by region after Ericson 2005. Single
precision positions, as in the meshes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh_build import corners_of, fit, grow
from nodes.mesh._jit import kernel

Array = NDArray[Any]
FAR = 1e30


@dataclass(frozen=True)
class Tree:
    """``low``, ``high``: (K, 3) boxes. ``child``: first of two children or -1. ``start``, ``count``: triangles below.

    ``corner``: (M, 9) float32 first corner and two sides, in tree order. ``order``: (M,) the face behind each.
    """

    low: Array
    high: Array
    child: Array
    start: Array
    count: Array
    corner: Array
    order: Array


def build(vertices: Array, faces: Array) -> Tree:
    """A tree over (M, 3) faces, M > 0, of (N, 3) float32 finite positions."""
    (low, high, child, start, count), corner, order = grow(vertices, faces)
    return Tree(low, high, child, start, count, corner, order)


def refitted(tree: Tree, vertices: Array, faces: Array) -> Tree:
    """``tree`` around the same faces after their vertices moved. It holds all; the farther they went, the looser."""
    low, high, corner = np.empty_like(tree.low), np.empty_like(tree.high), np.empty_like(tree.corner)
    fit(np.ascontiguousarray(vertices, np.float32), faces, tree.order, tree.child, tree.start, tree.count, low, high)
    corners_of(np.ascontiguousarray(vertices, np.float32), faces, tree.order, corner)
    return replace(tree, low=low, high=high, corner=corner)


@kernel
def _span(low: Array, high: Array, k: int, o: Array, inv: Array, back: float, ahead: float) -> float:
    """Least distance from the origin to the box along the line within [back, ahead], or FAR when it is missed."""
    for axis in range(3):
        a, b = (low[k, axis] - o[axis]) * inv[axis], (high[k, axis] - o[axis]) * inv[axis]
        back, ahead = max(back, min(a, b)), min(ahead, max(a, b))
    if back > ahead:
        return FAR
    return float(max(back, -ahead, 0.0))


@kernel
def _meet(c: Array, k: int, o: Array, d: Array) -> tuple[float, float, float]:
    """(distance along the line, u, v) where it meets triangle ``k``, or (FAR, 0, 0)."""
    ux, uy, uz, vx, vy, vz = c[k, 3], c[k, 4], c[k, 5], c[k, 6], c[k, 7], c[k, 8]
    px, py, pz = d[1] * vz - d[2] * vy, d[2] * vx - d[0] * vz, d[0] * vy - d[1] * vx
    det = ux * px + uy * py + uz * pz
    if det == 0.0:
        return FAR, 0.0, 0.0
    tx, ty, tz = o[0] - c[k, 0], o[1] - c[k, 1], o[2] - c[k, 2]
    u = (tx * px + ty * py + tz * pz) / det
    qx, qy, qz = ty * uz - tz * uy, tz * ux - tx * uz, tx * uy - ty * ux
    v = (d[0] * qx + d[1] * qy + d[2] * qz) / det
    if u < -1e-6 or v < -1e-6 or u + v > 1.000001:
        return FAR, 0.0, 0.0
    return (vx * qx + vy * qy + vz * qz) / det, u, v


@kernel
def _faces_along(c: Array, k: int, n: Array, least: float) -> bool:
    """Whether the cosine between the normal of triangle ``k`` and unit ``n`` is above ``least``."""
    x = c[k, 4] * c[k, 8] - c[k, 5] * c[k, 7]
    y = c[k, 5] * c[k, 6] - c[k, 3] * c[k, 8]
    z = c[k, 3] * c[k, 7] - c[k, 4] * c[k, 6]
    return bool(x * n[0] + y * n[1] + z * n[2] > least * math.sqrt(x * x + y * y + z * z))


@kernel
def _invert(d: Array, inv: Array) -> None:
    for axis in range(3):
        inv[axis] = 1.0 / d[axis] if d[axis] != 0.0 else FAR


@kernel
def _push(stack: Array, near: Array, top: int, first: int, a: float, b: float, best: float) -> int:
    """Push the two children that lie nearer than ``best``, the nearer one last."""
    swap = a < b
    for i in range(2):
        second = (i == 0) == swap
        gap = b if second else a
        if gap < best:
            stack[top], near[top] = first + second, gap
            top += 1
    return top


@kernel
def _leaf_along(corner: Array, s: int, e: int, o: Array, d: Array, best: float, found: Array) -> int:
    """The triangle in [s, e) that faces along ``d`` and meets the line nearest to ``o``, nearer than ``best``."""
    hit = -1
    for k in range(s, e):
        t, u, v = _meet(corner, k, o, d)
        if abs(t) < best and _faces_along(corner, k, d, 0.0):
            best, hit = abs(t), k
            found[0], found[1], found[2] = t, u, v
    return hit


@kernel
def _along(
    low: Array, high: Array, child: Array, start: Array, count: Array, corner: Array,
    origin: Array, direction: Array, reach: float, hit: Array, at: Array,
) -> None:  # fmt: skip
    stack, near, found, inv, last = np.empty(128, np.int32), np.empty(128), np.empty(3), np.empty(3), 0
    for r in range(len(origin)):
        o, d, best = origin[r].astype(np.float64), direction[r].astype(np.float64), reach
        _invert(d, inv)
        hit[r], top = _leaf_along(corner, last, last + 1, o, d, best, found), 0
        if hit[r] >= 0:
            best, at[r] = abs(found[0]), found
        stack[0], near[0] = 0, _span(low, high, 0, o, inv, -best, best)
        if near[0] < best:
            top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if near[top] >= best:
                continue
            first = child[node]
            if first >= 0:
                a = _span(low, high, first, o, inv, -best, best)
                b = _span(low, high, first + 1, o, inv, -best, best)
                top = _push(stack, near, top, first, a, b, best)
                continue
            k = _leaf_along(corner, start[node], start[node] + count[node], o, d, best, found)
            if k >= 0:
                best, hit[r] = abs(found[0]), k
                at[r] = found
        last = max(hit[r], 0)


def along(tree: Tree, origin: Array, direction: Array, reach: float) -> tuple[Array, Array]:
    """Nearest hit on the line through each origin, both ways, on faces that look along ``direction`` (unit).

    Returns the face, (N,) int64 or -1 when nothing lies within ``reach``, and (N, 3) distance along the line, u, v.
    """
    hit, at = np.empty(len(origin), np.int64), np.zeros((len(origin), 3))
    _along(
        tree.low, tree.high, tree.child, tree.start, tree.count, tree.corner, origin, direction, float(reach), hit, at
    )
    return np.where(hit >= 0, tree.order[np.maximum(hit, 0)], -1), at


@kernel
def _gap(low: Array, high: Array, k: int, p: Array) -> float:
    """Squared distance from a point to a box."""
    total = 0.0
    for axis in range(3):
        out = max(low[k, axis] - p[axis], p[axis] - high[k, axis], 0.0)
        total += out * out
    return total


@kernel
def _on_segment(d: float, length: float) -> float:
    return min(1.0, max(0.0, d / length)) if length > 0.0 else 0.0


@kernel
def _nearest_on(c: Array, k: int, p: Array, found: Array) -> float:
    """Squared distance to triangle ``k``; ``found`` becomes (0, u, v) of the nearest point."""
    uu, uv, vv, up, vp, pp = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        a, b, q = float(c[k, 3 + axis]), float(c[k, 6 + axis]), p[axis] - c[k, axis]
        uu, uv, vv = uu + a * a, uv + a * b, vv + b * b
        up, vp, pp = up + a * q, vp + b * q, pp + q * q
    det = uu * vv - uv * uv
    u, v = 0.0, 0.0
    inside = False
    if det > 0.0:
        u, v = (vv * up - uv * vp) / det, (uu * vp - uv * up) / det
        inside = u >= 0.0 and v >= 0.0 and u + v <= 1.0
    best = pp - 2.0 * (u * up + v * vp) + u * u * uu + 2.0 * u * v * uv + v * v * vv if inside else FAR
    for side in range(0 if inside else 3):
        if side == 0:
            a, b = _on_segment(up, uu), 0.0
        elif side == 1:
            a, b = 0.0, _on_segment(vp, vv)
        else:
            b = _on_segment(vp - up + uu - uv, uu - 2.0 * uv + vv)
            a = 1.0 - b
        gap = pp - 2.0 * (a * up + b * vp) + a * a * uu + 2.0 * a * b * uv + b * b * vv
        if gap < best:
            best, u, v = gap, a, b
    found[0], found[1], found[2] = 0.0, u, v
    return max(best, 0.0)


@kernel
def _leaf_near(
    corner: Array, s: int, e: int, p: Array, n: Array, least: float, best: float, found: Array, trial: Array
) -> int:
    hit = -1
    for k in range(s, e):
        gap = _nearest_on(corner, k, p, trial)
        if gap < best and (least <= -1.0 or _faces_along(corner, k, n, least)):
            best, hit = gap, k
            found[:] = trial
            found[0] = gap
    return hit


@kernel
def _near(
    low: Array, high: Array, child: Array, start: Array, count: Array, corner: Array,
    point: Array, normal: Array, least: float, reach: float, hit: Array, at: Array,
) -> None:  # fmt: skip
    stack, near, found, last = np.empty(128, np.int32), np.empty(128), np.empty(3), 0
    trial = np.empty(3)
    for r in range(len(point)):
        p, n = point[r].astype(np.float64), normal[r].astype(np.float64)
        best = reach * reach
        hit[r], top = _leaf_near(corner, last, last + 1, p, n, least, best, found, trial), 0
        if hit[r] >= 0:
            best, at[r] = found[0], found
        stack[0], near[0] = 0, _gap(low, high, 0, p)
        if near[0] < best:
            top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if near[top] >= best:
                continue
            first = child[node]
            if first >= 0:
                top = _push(stack, near, top, first, _gap(low, high, first, p), _gap(low, high, first + 1, p), best)
                continue
            k = _leaf_near(corner, start[node], start[node] + count[node], p, n, least, best, found, trial)
            if k >= 0:
                best, hit[r] = found[0], k
                at[r] = found
        at[r, 0] = math.sqrt(at[r, 0])
        last = max(hit[r], 0)


def nearest(
    tree: Tree, point: Array, normal: Array | None = None, least: float = -1.0, reach: float = 1e15
) -> tuple[Array, Array]:
    """Nearest surface point to each of (N, 3) points: the face, (N,) int64 or -1, and (N, 3) distance, u, v.

    With ``normal`` (unit), only faces whose normal has a cosine above ``least`` with it count.
    """
    hit, at = np.empty(len(point), np.int64), np.zeros((len(point), 3))
    _near(
        tree.low,
        tree.high,
        tree.child,
        tree.start,
        tree.count,
        tree.corner,
        point,
        point if normal is None else normal,
        float(least),
        float(reach),
        hit,
        at,
    )
    return np.where(hit >= 0, tree.order[np.maximum(hit, 0)], -1), at
