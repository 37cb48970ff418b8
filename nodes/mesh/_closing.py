"""A closed skin around anything, by rolling a ball over it (in the spirit of alpha wrapping, Portaneri et al. 2022).

The ball's centre goes wherever the ball touches nothing and it can roll to from far away. Where the ball reaches no
point, holes and gaps narrower than it are closed; the skin lies at a small distance from all that the ball touches.
On a grid with steps h: the places of the centre end at an iso-surface of the distance to the input; the skin is an
iso-surface of the distance to that one.

Guarantees, with ``radius`` r and ``offset`` d = 2 h, r >= 2 d: the skin is closed, each edge has two faces, it does
not enclose hollows, and no point of the input lies on or outside it. For a grid cell with a point of the input has
all its corners inside: they are less than 1.74 h from a point that is r away from each place of the centre, whose
surface errs by less than h² / r <= h / 4 (distances bend by at most 1 / r), and the skin is where r - 2 h is left. No
point of the skin is farther than r from the input, and none farther than d where the input is not hollow by less.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree, build, nearest
from nodes.mesh._iso import surface

Array = NDArray[Any]
Told = Callable[[float], None]
BLOCK = 4
AT_ONCE = 65_536
STEPS = 2  # of the grid in one offset
DIAGONAL = float(np.sqrt(3))


def closed_around(points: Array, faces: Array, radius: float, offset: float, told: Told) -> tuple[Array, Array]:
    """((V, 3) float32 points, (M, 3) int32 faces) of the skin; metres. ``points``: (N, 3) float64, finite.

    ``radius``: of the ball, at least twice ``offset``.
    """
    step = offset / STEPS
    low, high = points[faces].reshape(-1, 3).min(axis=0), points[faces].reshape(-1, 3).max(axis=0)
    blocks = np.ceil((high - low + 2 * (radius + 3 * step)) / (step * BLOCK)).astype(int)
    middle, shape = (low + high) / 2, tuple((blocks * BLOCK + 1).tolist())
    start = -(np.array(shape) - 1) / 2 * step
    free = _beyond(build((points - middle).astype(np.float32), faces), start, step, shape, radius, told)
    reached = _reached(free > 0)
    free[(free > 0) & ~reached] = -step
    rim, sides = surface(free, 0.0, start, step)
    del free
    left = _beyond(build(rim, sides), start, step, shape, radius - offset, lambda done: told(0.5 + done))
    left[reached] = -step
    _drop_empty(left, ((points[np.unique(faces)] - middle - start) / step).astype(int), step)
    return surface(left, 0.0, start + middle, step)


def _reached(free: Array) -> Array:
    """(X, Y, Z) bool: the free grid points that can be walked to from the first one."""
    from scipy.ndimage import label

    part = label(free)[0]
    return np.asarray(part == part[0, 0, 0])


def _drop_empty(left: Array, cells: Array, step: float) -> None:
    """Take away bodies that hold nothing of the input: places in its hollows that the ball passes by."""
    from scipy.ndimage import label

    part, count = label(left > 0)
    held = np.zeros(count + 1, bool)
    held[part[tuple(cells.T)]] = True
    left[(part > 0) & ~held[part]] = -step


def _beyond(tree: Tree, low: Array, step: float, shape: tuple[int, ...], level: float, told: Told) -> Array:
    """(X, Y, Z) float32: the distance to a surface minus ``level``, right wherever a neighbour has the other sign.

    Coarse blocks first, then blocks half the size, then points: distances change by no more than one goes.
    """
    reach = level + BLOCK * DIAGONAL * step
    coarse = np.ones([(n - 1) // BLOCK for n in shape], bool)
    near, inner = _split(tree, low, step, coarse, BLOCK, level, reach, lambda done: told(0.05 * done))
    near, inner = (_doubled(blocks) for blocks in (near, inner))
    near, less = _split(tree, low, step, near, BLOCK // 2, level, reach, lambda done: told(0.05 + 0.1 * done))
    field = np.full(shape, step, np.float32)
    field[:-1, :-1, :-1][_doubled(inner | less)] = -step
    asked = np.zeros(shape, bool)
    around = _doubled(near)
    for i, j, k in np.ndindex(2, 2, 2):
        asked[i : shape[0] - 1 + i, j : shape[1] - 1 + j, k : shape[2] - 1 + k] |= around
    places = low + np.argwhere(asked) * step
    field[asked] = _distances(tree, places, reach, lambda done: told(0.15 + 0.35 * done)) - level
    return field


def _split(
    tree: Tree, low: Array, step: float, blocks: Array, size: int, level: float, reach: float, told: Told
) -> tuple[Array, Array]:
    """Of the marked blocks of ``size`` steps: those that the level may run through, and those that are nearer."""
    index = np.argwhere(blocks)
    found = _distances(tree, low + (index + 0.5) * size * step, reach, told) - level
    near, inner = np.zeros_like(blocks), np.zeros_like(blocks)
    radius = size / 2 * DIAGONAL * step
    near[blocks], inner[blocks] = np.abs(found) <= radius, found < -radius
    return near, inner


def _doubled(blocks: Array) -> Array:
    return blocks.repeat(2, 0).repeat(2, 1).repeat(2, 2)


def _distances(tree: Tree, points: Array, reach: float, told: Told) -> Array:
    """(N,) float64 metres, ``reach`` at most."""
    starts = range(0, len(points), AT_ONCE)
    found = np.empty(len(points))

    def part(first: int) -> None:
        hit, at = nearest(tree, points[first : first + AT_ONCE].astype(np.float32), reach=reach)
        found[first : first + AT_ONCE] = np.where(hit >= 0, at[:, 0], reach)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = [pool.submit(part, first) for first in starts]
        try:
            for number, job in enumerate(jobs):
                told(number / len(jobs))
                job.result()
        finally:
            for job in jobs:
                job.cancel()
    return found
