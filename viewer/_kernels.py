"""Compiled loops of the software rasteriser. Screen: x right, y down, pixels; z grows towards the viewer."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def vertex_normals(vertices, faces):
    """(N, 3) float32: face normals summed by area at each vertex, then normalised; zero where no face meets."""
    out = np.zeros_like(vertices)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += x
            out[i, 1] += y
            out[i, 2] += z
    for i in range(len(out)):
        length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2)
        if length > 0:
            out[i] /= length
    return out


@numba.njit(cache=True, nogil=True)
def project(points, matrix, offset):
    """(N, 3) float32: ``matrix`` (3, 3) times each point, plus ``offset`` (3,)."""
    out = np.empty_like(points)
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for k in range(3):
            out[i, k] = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + offset[k]
    return out


@numba.njit(cache=True, nogil=True)
def fill_triangles(screen, faces, width, height, stride):
    """Z-buffered triangles: (H, W) int32 face numbers (-1 = none) and (H, W, 2) float32 weights of corners 1 and 2.

    Only each ``stride``-th face is drawn, grown about its centre so that the picture stays closed.
    """
    face_at = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 2), np.float32)
    depth = np.full((height, width), -np.inf, np.float32)
    grow = np.float32(1.5 * stride if stride > 1 else 1.0)
    for f in range(0, len(faces), stride):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        mx = (screen[a, 0] + screen[b, 0] + screen[c, 0]) / 3
        my = (screen[a, 1] + screen[b, 1] + screen[c, 1]) / 3
        x0, y0 = mx + (screen[a, 0] - mx) * grow, my + (screen[a, 1] - my) * grow
        x1, y1 = mx + (screen[b, 0] - mx) * grow, my + (screen[b, 1] - my) * grow
        x2, y2 = mx + (screen[c, 0] - mx) * grow, my + (screen[c, 1] - my) * grow
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if not (np.isfinite(area) and abs(area) > 1e-12):
            continue
        left = max(0, int(np.ceil(min(x0, x1, x2) - 0.5)))
        right = min(width - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
        top = max(0, int(np.ceil(min(y0, y1, y2) - 0.5)))
        bottom = min(height - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                w1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) / area
                w2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) / area
                if w1 < 0 or w2 < 0 or w1 + w2 > 1:
                    continue
                z = screen[a, 2] + w1 * (screen[b, 2] - screen[a, 2]) + w2 * (screen[c, 2] - screen[a, 2])
                if z > depth[y, x]:
                    depth[y, x] = z
                    face_at[y, x] = f
                    weights[y, x, 0] = w1
                    weights[y, x, 1] = w2
    return face_at, weights


@numba.njit(cache=True, nogil=True)
def fill_dots(screen, width, height, radius):
    """Z-buffered squares of half-width ``radius`` pixels: (H, W) int32 point numbers, -1 = none."""
    point_at = np.full((height, width), -1, np.int32)
    depth = np.full((height, width), -np.inf, np.float32)
    for i in range(len(screen)):
        x, y, z = screen[i, 0], screen[i, 1], screen[i, 2]
        if not (np.isfinite(x) and np.isfinite(y) and np.isfinite(z)):
            continue
        left, right = max(0, int(np.floor(x - radius))), min(width - 1, int(np.floor(x + radius)))
        top, bottom = max(0, int(np.floor(y - radius))), min(height - 1, int(np.floor(y + radius)))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                if z > depth[row, column]:
                    depth[row, column] = z
                    point_at[row, column] = i
    return point_at
