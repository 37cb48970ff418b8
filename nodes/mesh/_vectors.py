"""What is reckoned face by face, without a copy of all corners."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def crossed(vertices: Array, faces: Array, out: Array) -> None:
    """``out`` (M, 3) float64: the cross product of two sides of each face, from its first corner."""
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x, y, z = np.float64(vertices[a, 0]), np.float64(vertices[a, 1]), np.float64(vertices[a, 2])
        ux, uy, uz = vertices[b, 0] - x, vertices[b, 1] - y, vertices[b, 2] - z
        vx, vy, vz = vertices[c, 0] - x, vertices[c, 1] - y, vertices[c, 2] - z
        out[f, 0], out[f, 1], out[f, 2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@kernel
def longest(vertices: Array, faces: Array, out: Array) -> float:
    """``out`` (M,) float64: the length of the longest side of each face. Returns the largest coordinate in use."""
    reach = 0.0
    for f in range(len(faces)):
        most = 0.0
        for k in range(3):
            a, b = faces[f, k], faces[f, k - 1 if k else 2]
            x, y, z = np.float64(vertices[a, 0]), np.float64(vertices[a, 1]), np.float64(vertices[a, 2])
            reach = max(reach, abs(x), abs(y), abs(z))
            x, y, z = x - vertices[b, 0], y - vertices[b, 1], z - vertices[b, 2]
            most = max(most, x * x + y * y + z * z)
        out[f] = math.sqrt(most)
    return reach
