"""Loops of Denoise: face normals averaged with those of their neighbours that look alike, and vertices that follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _gather(faces: Array, start: Array, around: Array) -> None:
    """``around``: the faces at each vertex, from ``start``, (K + 1,)."""
    at = start.copy()
    for f in range(len(faces)):
        for k in range(3):
            around[at[faces[f, k]]] = f
            at[faces[f, k]] += 1


def faces_around(faces: Array, count: int) -> tuple[Array, Array]:
    """(start (count + 1,), around (3M,)): the faces at each vertex."""
    start = np.concatenate([[0], np.cumsum(np.bincount(faces.ravel(), minlength=count))])
    around = np.empty(faces.size, np.int32)
    _gather(faces, start, around)
    return start, around


@kernel
def measured(points: Array, faces: Array, normal: Array, centre: Array, area: Array) -> None:
    """Unit normals, centres and areas of faces; one without area gets the normal 0."""
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        long = math.sqrt(x * x + y * y + z * z)
        area[f] = long / 2
        scale = 1 / long if long > 1e-30 else 0.0
        normal[f, 0], normal[f, 1], normal[f, 2] = x * scale, y * scale, z * scale
        for axis in range(3):
            centre[f, axis] = (points[a, axis] + points[b, axis] + points[c, axis]) / 3


@kernel
def filtered(
    faces: Array, start: Array, around: Array, normal: Array, centre: Array, area: Array,
    near: float, alike: float, out: Array,
) -> None:  # fmt: skip
    """``out``: (M, 3) unit. ``near``: 1 / (2 sigma²) of the distance of centres. ``alike``: 1 / d², of normals farther
    than d apart none counts for the other (Tukey's biweight; a bell curve would leak over edges step by step)."""
    for f in range(len(faces)):
        x, y, z = 0.0, 0.0, 0.0
        for k in range(3):
            for i in range(start[faces[f, k]], start[faces[f, k] + 1]):
                g = around[i]
                seen = False
                for j in range(k):
                    for corner in range(3):
                        seen = seen or faces[g, corner] == faces[f, j]
                if seen:
                    continue
                gap, turn = 0.0, 0.0
                for axis in range(3):
                    gap += (centre[f, axis] - centre[g, axis]) ** 2
                    turn += (normal[f, axis] - normal[g, axis]) ** 2
                same = max(0.0, 1.0 - turn * alike)
                w = area[g] * math.exp(-gap * near) * same * same
                x, y, z = x + w * normal[g, 0], y + w * normal[g, 1], z + w * normal[g, 2]
        long = math.sqrt(x * x + y * y + z * z)
        if long > 1e-30:
            out[f, 0], out[f, 1], out[f, 2] = x / long, y / long, z / long
        else:
            out[f, 0], out[f, 1], out[f, 2] = normal[f, 0], normal[f, 1], normal[f, 2]


@kernel
def followed(points: Array, faces: Array, start: Array, around: Array, normal: Array, fixed: Array, out: Array) -> None:
    """``out``: (K, 3) vertices moved towards the planes through the centres of their faces with the new normals."""
    for v in range(len(points)):
        x, y, z = 0.0, 0.0, 0.0
        for i in range(start[v], start[v + 1]):
            f = around[i]
            off = 0.0
            for axis in range(3):
                middle = (points[faces[f, 0], axis] + points[faces[f, 1], axis] + points[faces[f, 2], axis]) / 3
                off += normal[f, axis] * (middle - points[v, axis])
            x, y, z = x + off * normal[f, 0], y + off * normal[f, 1], z + off * normal[f, 2]
        share = 0.0 if fixed[v] or start[v] == start[v + 1] else 1.0 / (start[v + 1] - start[v])
        out[v, 0], out[v, 1], out[v, 2] = points[v, 0] + share * x, points[v, 1] + share * y, points[v, 2] + share * z
