"""Loops over pixels, compiled. Imported inside functions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel, loose

Float32 = NDArray[np.float32]


@kernel
def _lower(value: Any, y: Any, x: Any, yy: Any, xx: Any, high: Any, low: Any, distance: Any) -> Any:
    upper, under = max(high[yy, xx], value), min(low[yy, xx], value)
    if upper - under < distance[y, x]:
        distance[y, x], high[y, x], low[y, x] = upper - under, upper, under


@kernel
def _barrier(layer: Any, passes: Any) -> Any:
    height, width = layer.shape
    high, low = layer.copy(), layer.copy()
    distance = np.zeros((height, width), np.float32)
    distance[1:-1, 1:-1] = 1e9
    for sweep in range(passes):
        if sweep % 2 == 0:
            for y in range(1, height):
                for x in range(1, width - 1):
                    _lower(layer[y, x], y, x, y - 1, x, high, low, distance)
                    _lower(layer[y, x], y, x, y, x - 1, high, low, distance)
        else:
            for y in range(height - 2, -1, -1):
                for x in range(width - 2, 0, -1):
                    _lower(layer[y, x], y, x, y + 1, x, high, low, distance)
                    _lower(layer[y, x], y, x, y, x + 1, high, low, distance)
    return distance


def barrier_distance(layers: Float32, passes: int = 4) -> Float32:
    """(H, W, C) to (H, W): over all channels, the smallest range of values met on a path from the picture's border.

    Raster scans as in Zhang et al., Minimum barrier salient object detection at 80 FPS, 2015.
    """
    total = np.zeros(layers.shape[:2], np.float32)
    for channel in range(layers.shape[2]):
        total += _barrier(np.ascontiguousarray(layers[..., channel], np.float32), passes)
    return total


@loose
def _dual_step(ahead: Any, across: Any, down: Any, right: Any, below: Any, step: Any) -> Any:
    height, width = ahead.shape
    for y in range(height):
        for x in range(width - 1):
            value = across[y, x] + step * (ahead[y, x + 1] - ahead[y, x])
            across[y, x] = min(max(value, -right[y, x]), right[y, x])
    for y in range(height - 1):
        for x in range(width):
            value = down[y, x] + step * (ahead[y + 1, x] - ahead[y, x])
            down[y, x] = min(max(value, -below[y, x]), below[y, x])


@loose
def _primal_step(inside: Any, ahead: Any, cost: Any, across: Any, down: Any, step: Any) -> Any:
    height, width = inside.shape
    change = 0.0
    for y in range(height):
        for x in range(width):
            flow = across[y, x] + down[y, x]
            if x > 0:
                flow -= across[y, x - 1]
            if y > 0:
                flow -= down[y - 1, x]
            old = inside[y, x]
            new = min(max(old + step * (flow - cost[y, x]), np.float32(0)), np.float32(1))
            ahead[y, x] = 2 * new - old
            inside[y, x] = new
            change += abs(new - old)
    return change / (height * width)


@kernel
def _cut(cost: Any, right: Any, below: Any, inside: Any, rounds: Any) -> Any:
    across, down = np.zeros_like(cost), np.zeros_like(cost)
    ahead = inside.copy()
    for turn in range(rounds):
        _dual_step(ahead, across, down, right, below, np.float32(0.5))
        change = _primal_step(inside, ahead, cost, across, down, np.float32(0.25))
        if turn % 20 == 19 and change < 2e-5:
            break
    return inside


def minimum_cut(cost: Float32, right: Float32, below: Float32, start: Float32, rounds: int) -> Float32:
    """The soft region (H, W) 0..1 that makes ``sum(cost * region)`` plus its weighted outline smallest.

    ``right``, ``below``: (H, W) weight of the outline between a pixel and its right and lower neighbour; the last
    column of ``right`` and the last row of ``below`` are 0. The convex form of the two-label cut (Chan, Esedoglu and
    Nikolova, 2006), solved by primal-dual steps (Chambolle and Pock, 2011); thresholding at 0.5 gives the cut.
    """
    result: Float32 = _cut(cost, right, below, np.ascontiguousarray(start, np.float32).copy(), rounds)
    return result
