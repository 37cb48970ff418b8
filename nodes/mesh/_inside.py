"""How often a surface, open or damaged as it may be, winds around a point.

Exact solid angles near by (van Oosterom and Strackee 1983), one dipole for each far group of triangles (Barill,
Dickson, Schmidt, Levin and Jacobson 2018).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree
from nodes.mesh._jit import kernel

Array = NDArray[Any]
AT_ONCE = 8_192
FAR_AWAY = 2.3


@kernel
def _angle(c: Array, k: int, x: float, y: float, z: float) -> float:
    """Half the solid angle of triangle ``k`` seen from a point."""
    ax, ay, az = c[k, 0] - x, c[k, 1] - y, c[k, 2] - z
    bx, by, bz = ax + c[k, 3], ay + c[k, 4], az + c[k, 5]
    ex, ey, ez = ax + c[k, 6], ay + c[k, 7], az + c[k, 8]
    la = math.sqrt(ax * ax + ay * ay + az * az)
    lb = math.sqrt(bx * bx + by * by + bz * bz)
    le = math.sqrt(ex * ex + ey * ey + ez * ez)
    top = ax * (by * ez - bz * ey) + ay * (bz * ex - bx * ez) + az * (bx * ey - by * ex)
    ab, be, ea = ax * bx + ay * by + az * bz, bx * ex + by * ey + bz * ez, ex * ax + ey * ay + ez * az
    return math.atan2(top, la * lb * le + ab * le + be * la + ea * lb)


@kernel
def _turns(
    child: Array, start: Array, count: Array, corner: Array, middle: Array, vector: Array, radius: Array,
    points: Array, found: Array,
) -> None:  # fmt: skip
    stack = np.empty(128, np.int32)
    for r in range(len(points)):
        x, y, z, total = points[r, 0], points[r, 1], points[r, 2], 0.0
        stack[0], top = 0, 1
        while top > 0:
            top -= 1
            node = stack[top]
            dx, dy, dz = middle[node, 0] - x, middle[node, 1] - y, middle[node, 2] - z
            square = dx * dx + dy * dy + dz * dz
            if square > (FAR_AWAY * radius[node]) ** 2:
                dot = vector[node, 0] * dx + vector[node, 1] * dy + vector[node, 2] * dz
                total += dot / (square * math.sqrt(square))
            elif child[node] >= 0:
                stack[top], stack[top + 1] = child[node], child[node] + 1
                top += 2
            else:
                for k in range(start[node], start[node] + count[node]):
                    total += 2.0 * _angle(corner, k, x, y, z)
        found[r] = total / (4.0 * math.pi)


def winding(tree: Tree, points: Array, told: Callable[[float], None] = lambda _: None) -> Array:
    """(N,) float64 winding numbers of (N, 3) points: 1 inside a closed body that looks outward, 0 outside it."""
    corner = tree.corner.astype(np.float64)
    vector = np.cross(corner[:, 3:6], corner[:, 6:9]) / 2
    area = np.linalg.norm(vector, axis=1)
    centre = corner[:, :3] + (corner[:, 3:6] + corner[:, 6:9]) / 3
    end = tree.start + tree.count

    def within(rows: Array) -> Array:
        upto = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
        return np.asarray(upto[end] - upto[tree.start])

    weight = within(area[:, None])
    low, high = tree.low.astype(np.float64), tree.high.astype(np.float64)
    middle = np.where(weight > 0, within(centre * area[:, None]) / np.maximum(weight, 1e-300), (low + high) / 2)
    middle = np.clip(middle, low, high)
    radius = np.linalg.norm(np.maximum(high - middle, middle - low), axis=1)
    vectors, at, found = within(vector), np.ascontiguousarray(points, np.float64), np.empty(len(points))

    def part(first: int) -> None:
        rows = slice(first, first + AT_ONCE)
        _turns(tree.child, tree.start, tree.count, corner, middle, vectors, radius, at[rows], found[rows])

    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(part, first) for first in range(0, len(points), AT_ONCE)]
        try:
            for number, job in enumerate(jobs):
                told(number / len(jobs))
                job.result()
        finally:
            for job in jobs:
                job.cancel()
    return found
