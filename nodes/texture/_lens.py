"""Loops of camera projection: what a texel looks like to a camera, and whether anything stands in between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _clear(x: float, y: float, plane: Array, slack: float, near: Array, rim: Array) -> float:
    """Least ``rim`` of the four samples around (x, y), 0 where one of them shows something in front of the plane.

    ``near``: (h, w) one over the depth that the camera sees, 0 where it sees nothing. ``plane``: one over depth is
    plane . (x, y, 1) on the plane of the texel, which is exact for what is flat.
    """
    height, width = near.shape
    left, top = math.floor(x - 0.5), math.floor(y - 0.5)
    least = 1.0
    for k in range(4):
        column, row = int(left) + (k & 1), int(top) + (k >> 1)
        if column < 0 or row < 0 or column >= width or row >= height:
            return 0.0
        own = plane[0] * (column + 0.5) + plane[1] * (row + 0.5) + plane[2]
        there = near[row, column]
        if there <= 0.0 or own <= 0.0 or 1.0 / own - 1.0 / there > slack:
            return 0.0
        least = min(least, rim[row, column])
    return least


@kernel
def sight(
    points: Array, normals: Array, flat: Array, centre: Array, turn: Array, back: Array, finer: float, slack: float,
    limit: float, both: bool, near: Array, rim: Array, spot: Array, fit: Array, clear: Array,
) -> None:  # fmt: skip
    """For (K, 3) points with unit shading ``normals`` and unit face normals ``flat``: where and how well they are seen.

    ``turn``: (3, 3), offset from ``centre`` to pixel position times depth, and depth; ``back``: its inverse.
    ``finer``: samples of ``near`` and ``rim`` a pixel. ``slack``: metres that may lie in between. ``limit``: cosine at
    which a surface stops being seen. ``both``: it is seen from behind, too. Fills ``spot`` (K, 2) pixels, ``fit`` (K,)
    0..1, 1 where the surface faces the camera, and ``clear`` (K,) 0..1, 0 where it is hidden, less near outlines.
    """
    away, plane = np.empty(3), np.empty(3)
    for i in range(len(points)):
        fit[i], clear[i] = 0.0, 0.0
        for k in range(3):
            away[k] = points[i, k] - centre[k]
        z = away[0] * turn[0, 2] + away[1] * turn[1, 2] + away[2] * turn[2, 2]
        length = math.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
        if not z > 0.0:
            continue
        facing = -(away[0] * normals[i, 0] + away[1] * normals[i, 1] + away[2] * normals[i, 2]) / length
        level = away[0] * flat[i, 0] + away[1] * flat[i, 1] + away[2] * flat[i, 2]
        if both and level > 0.0:
            facing = -facing
        if facing <= limit or level == 0.0 or (level > 0.0 and not both):
            continue
        x = (away[0] * turn[0, 0] + away[1] * turn[1, 0] + away[2] * turn[2, 0]) / z
        y = (away[0] * turn[0, 1] + away[1] * turn[1, 1] + away[2] * turn[2, 1]) / z
        for k in range(3):
            plane[k] = (back[k, 0] * flat[i, 0] + back[k, 1] * flat[i, 1] + back[k, 2] * flat[i, 2]) / level
        plane[0], plane[1] = plane[0] / finer, plane[1] / finer
        spot[i, 0], spot[i, 1] = x, y
        fit[i] = (facing - limit) / (1.0 - limit)
        clear[i] = _clear(x * finer, y * finer, plane, slack, near, rim)
