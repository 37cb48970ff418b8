"""Loops of the software camera: triangles in perspective, exact at pixel centres, without clipping.

Edge functions in homogeneous coordinates (Olano and Greer, Triangle Scan Conversion using 2D Homogeneous Coordinates,
1997): a triangle that reaches behind the camera needs no cutting, and the weights are correct in perspective.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _span(p: Array, a: int, b: int, c: int, near: float, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) pixels whose centres may lie in the triangle; the ends are left out."""
    if min(p[a, 2], p[b, 2], p[c, 2]) <= near:
        return 0, width, 0, height
    x0, x1, x2 = p[a, 0] / p[a, 2], p[b, 0] / p[b, 2], p[c, 0] / p[c, 2]
    y0, y1, y2 = p[a, 1] / p[a, 2], p[b, 1] / p[b, 2], p[c, 1] / p[c, 2]
    left, right = math.ceil(min(x0, x1, x2) - 0.500001), math.floor(max(x0, x1, x2) - 0.499999)
    top, bottom = math.ceil(min(y0, y1, y2) - 0.500001), math.floor(max(y0, y1, y2) - 0.499999)
    left, right = max(0.0, min(left, float(width))), max(-1.0, min(right, width - 1.0))
    top, bottom = max(0.0, min(top, float(height))), max(-1.0, min(bottom, height - 1.0))
    return int(left), int(right) + 1, int(top), int(bottom) + 1


@kernel
def _edge(p: Array, i: int, j: int, out: Array) -> None:
    """``out``: the line through two corners; exactly negated when they change places, so that no gap opens."""
    out[0] = p[i, 1] * p[j, 2] - p[i, 2] * p[j, 1]
    out[1] = p[i, 2] * p[j, 0] - p[i, 0] * p[j, 2]
    out[2] = p[i, 0] * p[j, 1] - p[i, 1] * p[j, 0]


@kernel
def _triangle(f: int, e: Array, det: float, span: Array, near: float, depth: Array, face: Array, at: Array) -> None:
    sign = 1.0 if det > 0.0 else -1.0
    for y in range(span[2], span[3]):
        for x in range(span[0], span[1]):
            px, py = x + 0.5, y + 0.5
            e0 = sign * (e[0, 0] * px + e[0, 1] * py + e[0, 2])
            e1 = sign * (e[1, 0] * px + e[1, 1] * py + e[1, 2])
            e2 = sign * (e[2, 0] * px + e[2, 1] * py + e[2, 2])
            total = e0 + e1 + e2
            if e0 < 0.0 or e1 < 0.0 or e2 < 0.0 or not total > 0.0:
                continue
            w = sign * det / total
            if near < w < depth[y, x]:
                depth[y, x] = w
                face[y, x] = f
                at[y, x, 0], at[y, x, 1] = e1 / total, e2 / total


@kernel
def draw(places: Array, faces: Array, near: float, depth: Array, face: Array, at: Array, front: Array) -> None:
    """Nearest triangle of each pixel.

    ``places``: (N, 3) float64, pixel position times depth, and depth. ``depth``: (H, W) float64, starts infinite.
    ``face``: (H, W) int32, starts at -1. ``at``: (H, W, 2) weights of corners 1 and 2. ``front``: (M,) bool, becomes
    true for faces that turn their outside to the camera.
    """
    height, width = depth.shape
    e, span = np.empty((3, 3)), np.empty(4, np.int64)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if not max(places[a, 2], places[b, 2], places[c, 2]) > near:
            continue
        span[0], span[1], span[2], span[3] = _span(places, a, b, c, near, width, height)
        if span[0] >= span[1] or span[2] >= span[3]:
            continue
        _edge(places, b, c, e[0])
        _edge(places, c, a, e[1])
        _edge(places, a, b, e[2])
        det = places[a, 0] * e[0, 0] + places[a, 1] * e[0, 1] + places[a, 2] * e[0, 2]
        front[f] = det < 0.0
        if det != 0.0:
            _triangle(f, e, det, span, near, depth, face, at)


@kernel
def mixed(rows: Array, faces: Array, face: Array, at: Array, out: Array) -> None:
    """``out`` (P, K): ``rows`` (V, K) at points of faces, by the weights ``at`` (P, 2) of corners 1 and 2."""
    for i in range(len(face)):
        u, v = at[i, 0], at[i, 1]
        a, b, c = faces[face[i], 0], faces[face[i], 1], faces[face[i], 2]
        for k in range(rows.shape[1]):
            out[i, k] = rows[a, k] * (1.0 - u - v) + rows[b, k] * u + rows[c, k] * v
