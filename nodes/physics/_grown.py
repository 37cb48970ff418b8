"""Loops over the triangles of a hull."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _off(points: Array, plane: Array, a: int) -> float:
    return float(abs(points[a, 0] * plane[0] + points[a, 1] * plane[1] + points[a, 2] * plane[2] + plane[3]))


@kernel
def grown(
    order: Array, points: Array, triangles: Array, neighbours: Array, planes: Array, near: float, group: Array
) -> int:
    """Number the flat sides: from each triangle in ``order``, all that hang together within ``near`` of its plane.

    ``group``: (T,) int32 becomes the side of each triangle; sides are numbered in the order of their first triangle.
    """
    group[:] = -1
    count = 0
    waiting = np.empty(len(triangles), np.int32)
    for first in order:
        if group[first] >= 0:
            continue
        plane = planes[first]
        group[first] = count
        waiting[0], top = first, 1
        while top > 0:
            top -= 1
            here = waiting[top]
            for k in range(3):
                there = neighbours[here, k]
                if group[there] >= 0:
                    continue
                flat = True
                for corner in range(3):
                    flat = flat and _off(points, plane, triangles[there, corner]) <= near
                normal = planes[there]
                alike = plane[0] * normal[0] + plane[1] * normal[1] + plane[2] * normal[2]
                if flat and alike > 0.5:
                    group[there] = count
                    waiting[top] = there
                    top += 1
        count += 1
    return count
