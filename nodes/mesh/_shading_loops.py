"""Vertex normals of large meshes: the loop behind :func:`nodes.mesh._shading.grouped_normals`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _sum(vertices: Array, faces: Array, groups: Array, total: Array) -> None:
    side, long, across = np.empty((3, 3)), np.empty(3), np.empty(3)
    for f in range(len(faces)):
        for k in range(3):
            square = 0.0
            for axis in range(3):
                side[k, axis] = float(vertices[faces[f, (k + 1) % 3], axis]) - float(vertices[faces[f, k], axis])
                square += side[k, axis] ** 2
            long[k] = max(math.sqrt(square), 1e-30)
        across[0] = side[0, 1] * side[1, 2] - side[0, 2] * side[1, 1]
        across[1] = side[0, 2] * side[1, 0] - side[0, 0] * side[1, 2]
        across[2] = side[0, 0] * side[1, 1] - side[0, 1] * side[1, 0]
        size = max(math.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2), 1e-30)
        for k in range(3):
            j, g = (k + 2) % 3, groups[f, k]
            cosine = side[k, 0] * side[j, 0] + side[k, 1] * side[j, 1] + side[k, 2] * side[j, 2]
            angle = math.acos(min(1.0, max(-1.0, -cosine / (long[k] * long[j]))))
            for axis in range(3):
                total[g, axis] += across[axis] / size * angle


@kernel
def _make_unit(total: Array) -> None:
    for v in range(len(total)):
        long = math.sqrt(total[v, 0] ** 2 + total[v, 1] ** 2 + total[v, 2] ** 2)
        if long > 1e-20:
            total[v, 0], total[v, 1], total[v, 2] = total[v, 0] / long, total[v, 1] / long, total[v, 2] / long
        else:
            total[v, 0], total[v, 1], total[v, 2] = 0.0, 1.0, 0.0


def grouped(vertices: Array, faces: Array, groups: Array, count: int) -> Array:
    """(count, 3) float64 unit normals: face normals summed over the corners of each group, by corner angle."""
    total = np.zeros((count, 3))
    _sum(vertices, faces, groups, total)
    _make_unit(total)
    return total
