"""Points spread evenly: Poisson-disk subsets of candidates, by distance or by count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel
from nodes.points._near import SAMPLE, Told, nearest, tree_of

Array = NDArray[Any]
AT_ONCE = 50_000
STEPS = 1 << 14
GONE = -2


def apart(points: Array, reach: float, seed: int) -> Array:
    """Indices, in order, of a random choice of which no two lie within ``reach`` and which every other lies within."""
    from nodes.mesh._grid import near_earlier

    order = np.random.default_rng(seed).permutation(len(points))
    kept = near_earlier(np.ascontiguousarray(points[order], np.float64), float(reach))
    return np.sort(order[kept == np.arange(len(kept))])


def eliminated(points: Array, count: int, area: float, seed: int, told: Told = lambda _: None) -> Array:
    """``count`` indices, in order: what stays when the most crowded point is left out again and again.

    ``area``: of the surface that the points lie on, m²; 0: guessed from their spacing.
    """
    area = area or _area(points)
    reach = 2 * math.sqrt(area / (2 * math.sqrt(3) * count))
    cell = np.floor((points - points.min(axis=0)) / reach).astype(np.int32)
    size = 1 << max(4, len(points).bit_length())
    slot = _slots(cell, size)
    order = np.lexsort((np.random.default_rng(seed).random(len(points)), slot))
    starts = np.concatenate([[0], np.cumsum(np.bincount(slot, minlength=size + int(cell[:, 2].max()) + 3))])
    at, cell = np.ascontiguousarray(points[order] / reach, np.float32), cell[order]
    weight, after = np.zeros(len(at)), np.empty(len(at), np.int32)
    _weigh(at, cell, starts, size, weight)
    unit, heads, top = STEPS / max(float(weight.max()), 1e-30), np.full(STEPS, -1, np.int32), STEPS - 1
    _stack(weight, unit, heads, after)
    excess = len(at) - count
    for done in range(0, excess, AT_ONCE):
        told(done / excess)
        top = _eliminate(at, cell, starts, size, weight, unit, heads, after, top, min(AT_ONCE, excess - done))
    return np.sort(order[after != GONE])


def _area(points: Array) -> float:
    """What the points cover: each a share of the circle that its tenth neighbour lies on."""
    tree = tree_of(points)
    rows = points[:: max(1, len(points) // SAMPLE)]
    distance, _ = nearest(tree, rows, 11)
    return max(float((math.pi * distance[:, -1].astype(np.float64) ** 2 / 10).mean()) * len(points), 1e-30)


def _slots(cell: Array, size: int) -> Array:
    """(N,) where each cell stands in a table: rows of cells along z stay together, different rows may overlap."""
    x, y, z = cell.astype(np.int64).T
    return np.asarray(((x * 73856093 ^ y * 19349663) & (size - 1)) + z)


@inlined
def _pull(at: Array, cell: Array, i: int, j: int, x: int, y: int) -> float:
    """How much point ``j`` of the row of cells (x, y) crowds point ``i``; 0 out of reach (1) or of another row.

    The eighth power is the weight of Yuksel 2015.
    """
    pull = 0.0
    if cell[j, 0] == x and cell[j, 1] == y:
        square = (at[i, 0] - at[j, 0]) ** 2 + (at[i, 1] - at[j, 1]) ** 2 + (at[i, 2] - at[j, 2]) ** 2
        if square < 1.0:
            pull = (1.0 - math.sqrt(square)) ** 2
            pull *= pull
            pull *= pull
    return pull


@kernel
def _crowd(at: Array, cell: Array, starts: Array, size: int, weight: Array, i: int, give: bool) -> None:
    """Give point ``i`` the weight that its neighbours put on it, or take from them what it puts on them."""
    for x in range(cell[i, 0] - 1, cell[i, 0] + 2):
        for y in range(cell[i, 1] - 1, cell[i, 1] + 2):
            slot = ((x * 73856093 ^ y * 19349663) & (size - 1)) + cell[i, 2]
            for j in range(starts[max(slot - 1, 0)], starts[slot + 2]):
                if j == i:
                    continue
                pull = _pull(at, cell, i, j, x, y)
                if give:
                    weight[i] += pull
                else:
                    weight[j] -= pull


@kernel
def _weigh(at: Array, cell: Array, starts: Array, size: int, weight: Array) -> None:
    for i in range(len(at)):
        _crowd(at, cell, starts, size, weight, i, True)


@inlined
def _step(weight: float, unit: float) -> int:
    return min(STEPS - 1, max(0, int(weight * unit)))


@kernel
def _stack(weight: Array, unit: float, heads: Array, after: Array) -> None:
    """Put each point on the pile of its weight: ``heads`` (STEPS,) its newest, ``after`` (N,) the next below."""
    for i in range(len(weight)):
        step = _step(weight[i], unit)
        after[i] = heads[step]
        heads[step] = i


@kernel
def _eliminate(
    at: Array,
    cell: Array,
    starts: Array,
    size: int,
    weight: Array,
    unit: float,
    heads: Array,
    after: Array,
    top: int,
    many: int,
) -> int:
    """Leave ``many`` points out, the heaviest first; returns the highest pile that may hold any, given as ``top``.

    Weights only fall, so no point lies on too low a pile: it is moved down when its turn comes.
    """
    while many > 0:
        while heads[top] < 0:
            top -= 1
        i = heads[top]
        heads[top] = after[i]
        step = _step(weight[i], unit)
        if step < top:
            after[i] = heads[step]
            heads[step] = i
        else:
            after[i] = GONE
            _crowd(at, cell, starts, size, weight, i, False)
            many -= 1
    return top
