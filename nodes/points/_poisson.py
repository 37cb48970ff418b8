"""The surface that oriented points lie on: screened Poisson reconstruction (Kazhdan and Hoppe 2013).

A function is sought that is 0 outside and 1 inside: its gradient is the field of the points' inward normals, smoothed,
and at the points it is one half. Where normals look into a shape, as in the scan of a room, it is 0 outside and -1
inside, so that the surface looks where they do. It is found by finite elements on nested grids, from coarse to fine;
finer grids cover only what lies near points, and hold at their rim what the coarser one says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.points._band import Level, doubled, find, prolong, put, refined, restrict, spread, whole
from nodes.points._near import Told
from nodes.points._stencils import diagonal, diverge, pull, splat, stiffen, values_at

Array = NDArray[Any]
COARSEST = 12
MARGIN = 0.12
STEPS_FIRST, STEPS = 120, 24
EXACT_FIRST, EXACT = 1e-5, 3e-3
HALF = 0.5
FEW_A_CELL = 0.8
MANY = 200_000


@dataclass(frozen=True)
class Cloud:
    """``at``: (N, 3) float64 places in steps of the finest grid. ``inward``: (N, 3). ``area``: (N,) square steps."""

    at: Array
    inward: Array
    area: Array


@dataclass(frozen=True)
class Samples:
    """Points gathered by cell: ``corner`` (S, 4), ``share`` (S, 3) as the loops want them, ``area`` (S,)."""

    corner: Array
    share: Array
    area: Array


@dataclass(frozen=True)
class Solved:
    """``values``: (X, Y, Z) float32, ``level``: of the surface in them, inside is above. ``low``: metres. ``step``.

    ``inward``: whether the normals look into the shape.
    """

    values: Array
    level: float
    low: Array
    step: float
    inward: bool


def solve(points: Array, normals: Array, area: Array, voxels: int, fit: float, told: Told) -> Solved:
    """``points``, ``normals``: (N, 3), outward. ``area``: (N,) m² that each stands for. ``voxels``: longest side.

    ``fit``: the weight of passing through the points against smoothness; 4 is usual.
    """
    low, step, shape, levels = _domain(points, voxels)
    cloud = Cloud((points - low) / step, -normals.astype(np.float64), area / step**2)
    grids, samples = _grids(cloud, shape, levels, told)
    told(0.35)
    right = _right_sides(cloud, grids)
    x, values, half = np.zeros(grids[0].count, np.float32), None, HALF
    _relax(grids[0], samples[0], right[0], x, 0.0, half, told)
    if _mean(samples[0], x) < 0:
        half = -HALF
    work = np.cumsum([0, *(grid.count for grid in grids)])
    for k, grid in enumerate(grids):
        if k:
            fine = np.empty((grid.count, 1), np.float32)
            prolong(grid.z, grid.parent, x[:, None], fine)
            x = fine[:, 0]
        begun, ended = 0.45 + 0.5 * work[k : k + 2] / work[-1]
        _relax(grid, samples[k], right[k], x, fit, half, lambda done: told(begun + (ended - begun) * done))  # noqa: B023
        values = _spread_out(grid, x, values)
    assert values is not None
    return Solved(values, _mean(samples[-1], x), low, step, half < 0)


def _mean(samples: Samples, x: Array) -> float:
    """Of the function at the points."""
    at = np.empty(len(samples.area), np.float32)
    values_at(samples.corner, samples.share, x, at)
    return float(np.average(at, weights=samples.area))


def _domain(points: Array, voxels: int) -> tuple[Array, float, tuple[int, int, int], int]:
    """(lowest corner, finest step, cells of the coarsest grid, how often it is halved)."""
    least, most = points.min(axis=0), points.max(axis=0)
    span = most - least
    step = float(span.max()) / voxels
    levels = max(0, int(np.floor(np.log2(voxels / COARSEST))))
    coarse = step * 2**levels
    shape = np.ceil((span + 2 * MARGIN * span.max()) / coarse).astype(int) + 2
    low = (least + most) / 2 - shape * coarse / 2
    i, j, k = shape.tolist()
    return low, step, (i, j, k), levels


def _grids(cloud: Cloud, shape: tuple[int, int, int], levels: int, told: Told) -> tuple[list[Level], list[Samples]]:
    i, j, k = (n + 1 for n in shape)
    grids, samples = [whole((i, j, k))], []
    for level in range(levels + 1):
        told(0.05 + 0.3 * level / (levels + 1))
        grid = grids[-1]
        cell = np.floor(cloud.at / 2.0 ** (levels - level)).astype(np.int32)
        samples.append(_gathered(cloud, grid, cell, 2.0 ** (levels - level)))
        if level < levels:
            occupied = np.zeros([n - 1 for n in grid.shape], np.uint8)
            occupied[tuple(cell.T)] = 1
            grids.append(refined(grid, spread(occupied)))
    return grids, samples


def _gathered(cloud: Cloud, grid: Level, cell: Array, size: float) -> Samples:
    """One sample for each cell with points: their mean place and whole area, in steps of the level."""
    flat = np.ravel_multi_index(tuple(cell.T), grid.shape)
    name, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    area = np.bincount(inverse, cloud.area)
    inside = cloud.at / size - cell
    share = np.stack([np.bincount(inverse, inside[:, k] * cloud.area) / area for k in range(3)], axis=1)
    corner = np.empty((len(name), 4), np.int32)
    find(grid.start, grid.z, grid.shape[1], cell[first], corner)
    return Samples(corner, share.astype(np.float32), (area / size**2).astype(np.float32))


def _right_sides(cloud: Cloud, grids: list[Level]) -> list[Array]:
    """For each level what the field of normals asks of it. Sparse points give theirs to the level they are dense on."""
    last = len(grids) - 1
    spacing = np.sqrt(cloud.area) * FEW_A_CELL
    depth = np.clip(np.floor(last - np.log2(np.maximum(spacing, 1e-9))), 0, last).astype(np.int64)
    own: list[Array] = []
    for k, grid in enumerate(grids):
        size, mine = 2.0 ** (last - k), depth == k
        field = np.zeros((grid.count, 3), np.float32)
        at = cloud.at[mine] / size
        cell = np.floor(at).astype(np.int32)
        corner = np.empty((len(cell), 4), np.int32)
        find(grid.start, grid.z, grid.shape[1], cell, corner)
        vectors = cloud.inward[mine] * (cloud.area[mine] / size**2)[:, None]
        splat(corner, (at - cell).astype(np.float32), vectors.astype(np.float32), field)
        own.append(field)
    right = [np.zeros(grid.count, np.float32) for grid in grids]
    for k in range(last, -1, -1):
        diverge(grids[k].free, grids[k].across, own[k], right[k])
        if k:
            part = np.zeros(grids[k - 1].count, np.float32)
            restrict(grids[k].z, grids[k].parent, right[k], part)
            right[k - 1] += part / 2
    total = own[0]
    for k in range(1, last + 1):
        grid = grids[k]
        above = np.empty((grid.count, 3), np.float32)
        prolong(grid.z, grid.parent, total, above)
        above /= 2
        diverge(grid.free, grid.across, above, right[k])
        total = above + own[k]
    return right


def _relax(grid: Level, samples: Samples, right: Array, x: Array, fit: float, half: float, told: Told) -> None:
    """Conjugate gradients with the diagonal as preconditioner, in place; nodes that are not free keep their value."""
    first = not len(grid.parent)
    weight = samples.area * np.float32(fit)
    free = grid.free.astype(np.float32)

    def times(v: Array, target: float) -> Array:
        out = np.empty(len(v), np.float32)
        _on_threads(lambda a, b: stiffen(grid.free, grid.across, v, out, a, b), len(v))
        pull(samples.corner, samples.share, weight, v, target, out)
        return out * free

    own = np.full(len(x), 8 / 3, np.float32)
    diagonal(samples.corner, samples.share, weight, own)
    own = free / own
    rest = (right - times(x, half)) * free
    way = own * rest
    size = float(np.vdot(rest, way))
    enough = size * (EXACT_FIRST if first else EXACT) ** 2
    steps = STEPS_FIRST if first else STEPS
    for step in range(steps):
        told(step / steps)
        if size <= enough or size <= 0:
            break
        turned = times(way, 0.0)
        along = np.float32(size / max(float(np.vdot(way, turned)), 1e-30))
        x += along * way
        rest -= along * turned
        new = own * rest
        before, size = size, float(np.vdot(rest, new))
        way = new + np.float32(size / before) * way


def _on_threads(part: Callable[[int, int], None], count: int) -> None:
    """``part(first, last)`` over all of ``count``, side by side where there is enough to do."""
    many = min(os.cpu_count() or 1, 8, 1 + count // MANY)
    cuts = np.linspace(0, count, many + 1).astype(int).tolist()
    if many == 1:
        part(0, count)
        return
    with ThreadPoolExecutor(many) as pool:
        list(pool.map(part, cuts[:-1], cuts[1:]))


def _spread_out(grid: Level, x: Array, coarse: Array | None) -> Array:
    """The whole grid of a level: its own nodes, and the coarser level between its nodes elsewhere."""
    values = np.empty(grid.shape, np.float32)
    if coarse is not None:
        doubled(coarse, values)
    put(grid.start, grid.z, x, values)
    return values
