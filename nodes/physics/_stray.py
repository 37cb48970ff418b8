"""How far points stick out of the nearest of several convex bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._threads import side_by_side

Array = NDArray[Any]
AT_ONCE = 32_768


@kernel
def _stray(points: Array, planes: Array, start: Array, gap: Array, body: Array) -> None:
    """A body is left as soon as one of its planes is farther than the nearest body so far."""
    for i in range(len(points)):
        x, y, z = points[i]
        gap[i], body[i] = np.inf, 0
        for b in range(len(start) - 1):
            worst = -np.inf
            for k in range(start[b], start[b + 1]):
                worst = max(worst, x * planes[k, 0] + y * planes[k, 1] + z * planes[k, 2] + planes[k, 3])
                if worst >= gap[i]:
                    break
            if worst < gap[i]:
                gap[i], body[i] = worst, b


def stray(points: Array, planes: list[Array], told: Callable[[float], None] = lambda _: None) -> tuple[Array, Array]:
    """((N,) float64 metres out of the nearest body, negative inside, (N,) int64 its number) of (N, 3) float64 points.

    ``planes``: (M, 4) of each body, unit normal and offset.
    """
    start = np.cumsum([0, *(len(each) for each in planes)])
    joint = np.ascontiguousarray(np.concatenate(planes), np.float64)
    gap, body = np.empty(len(points)), np.empty(len(points), np.int64)

    def part(first: int) -> None:
        rows = slice(first, first + AT_ONCE)
        _stray(points[rows], joint, start, gap[rows], body[rows])

    side_by_side(part, range(0, len(points), AT_ONCE), told)
    return gap, body
