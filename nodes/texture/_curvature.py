"""Mean curvature of a surface at its vertices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._jit import kernel
from nodes.mesh._topology import weld_points

Array = NDArray[Any]


@kernel
def _sums(points: Array, faces: Array, bend: Array, area: Array, up: Array) -> None:
    """Add to each vertex: minus the cotangent Laplacian (V, 3), its area (V,), face normals by area (V, 3)."""
    cot, square, e = np.empty(3), np.empty(3), np.empty((3, 3))
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]
            square[k] = 0.0
            for axis in range(3):
                e[k, axis] = points[b, axis] - points[a, axis]
                square[k] += e[k, axis] ** 2
        nx = e[0, 1] * e[1, 2] - e[0, 2] * e[1, 1]
        ny = e[0, 2] * e[1, 0] - e[0, 0] * e[1, 2]
        nz = e[0, 0] * e[1, 1] - e[0, 1] * e[1, 0]
        double = math.sqrt(nx * nx + ny * ny + nz * nz)
        if double < 1e-12 * (square[0] + square[1] + square[2]) or double == 0.0:
            continue
        blunt = -1
        for k in range(3):
            cot[k] = (square[(k + 1) % 3] + square[(k + 2) % 3] - square[k]) / (2.0 * double)
            if cot[k] < 0.0:
                blunt = k
        for k in range(3):
            i, j, v = (k + 1) % 3, (k + 2) % 3, faces[f, k]
            up[v, 0], up[v, 1], up[v, 2] = up[v, 0] + nx, up[v, 1] + ny, up[v, 2] + nz
            if blunt < 0:
                area[v] += (square[i] * cot[i] + square[j] * cot[j]) / 8.0
            else:
                area[v] += double / (4.0 if blunt == k else 8.0)
            for axis in range(3):
                bend[v, axis] += 0.5 * (cot[i] * e[i, axis] - cot[j] * e[j, axis])


@kernel
def _spread(faces: Array, area: Array, value: Array, total: Array, weight: Array) -> None:
    """One step of blur: each vertex takes the mean of its faces' corners, weighted by their area."""
    total[:], weight[:] = 0.0, 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        held = area[a] + area[b] + area[c]
        mean = value[a] * area[a] + value[b] * area[b] + value[c] * area[c]
        for k in range(3):
            total[faces[f, k]] += mean
            weight[faces[f, k]] += held
    for v in range(len(value)):
        if weight[v] > 0.0:
            value[v] = total[v] / weight[v]


def mean_curvature(mesh: Mesh, smoothing: int = 0) -> NDArray[np.float64]:
    """(V,) 1/m: half the sum of the two principal curvatures, positive where the surface bulges out.

    1 / r on a sphere of radius r, 0 on a plane. Cotangent Laplacian over mixed Voronoi areas (Meyer, Desbrun, Schröder,
    Barr 2003) on welded positions; 0 at vertices without area. Borders are taken as they are. ``smoothing``: steps of
    blur over the neighbours.
    """
    weld = weld_points(mesh.vertices)
    faces, points = weld.ids[mesh.faces], mesh.vertices[weld.first].astype(np.float64)
    bend, up, area = np.zeros((weld.count, 3)), np.zeros((weld.count, 3)), np.zeros(weld.count)
    _sums(points, faces, bend, area, up)
    size = np.linalg.norm(bend, axis=1) * 0.5
    sign = np.sign(np.einsum("ij,ij->i", bend, up))
    value = np.where(area > 0, size * sign / np.where(area > 0, area, 1.0), 0.0)
    for _ in range(smoothing):
        _spread(faces, area, value, np.empty(weld.count), np.empty(weld.count))
    return np.asarray(value[weld.ids])
