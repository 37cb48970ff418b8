"""A new closed skin around whatever a damaged mesh encloses: winding numbers on a grid, and the surface between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree, build, nearest
from nodes.mesh._inside import winding
from nodes.mesh._iso import surface
from nodes.mesh._threads import side_by_side

Array = NDArray[Any]
Told = Callable[[float], None]
BLOCK = 4
AT_ONCE = 65_536
ENCLOSED = 0.52


@dataclass(frozen=True)
class Grid:
    """``low``: (3,) first point. ``step``: metres. ``shape``: points along each axis, a multiple of BLOCK and one."""

    low: Array
    step: float
    shape: tuple[int, int, int]

    def at(self, index: Array) -> Array:
        return np.asarray(self.low + index * self.step)


def grid_over(low: Array, high: Array, voxels: float) -> Grid:
    """``voxels`` along the longest side of a box, and a margin."""
    step = float((high - low).max()) / voxels
    blocks = np.ceil(((high - low) / step + 4) / BLOCK).astype(int)
    spare = (blocks * BLOCK * step - (high - low)) / 2
    i, j, k = (blocks * BLOCK + 1).tolist()
    return Grid(low - spare, step, (i, j, k))


def wrap(points: Array, faces: Array, voxels: float, told: Told) -> tuple[Array, Array] | None:
    """((V, 3) float32 positions, (F, 3) faces) of a closed surface that looks outward, or None if nothing is enclosed.

    Where the surface is near, the new one passes at its distance between two grid points; across holes it passes where
    half as many directions are closed off as in the inside.
    """
    used = points[faces].reshape(-1, 3)
    low, high = used.min(axis=0), used.max(axis=0)
    middle = (low + high) / 2
    grid = grid_over(low - middle, high - middle, voxels)
    tree = build((points - middle).astype(np.float32), faces)
    field = _field(tree, grid, told)
    if not (field > 0).any():
        return None
    return surface(field, 0.0, grid.low + middle, grid.step)


def _field(tree: Tree, grid: Grid, told: Told) -> Array:
    """(X, Y, Z) float32: metres to the surface, positive inside; two steps and more are all the same."""
    coarse = tuple(range(0, n, BLOCK) for n in grid.shape)
    index = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1).reshape(-1, 3)
    shape = [len(c) for c in coarse]
    turns = winding(tree, grid.at(index), lambda done: told(0.2 * done)).reshape(shape)
    if turns.max() < ENCLOSED:
        return np.full(grid.shape, -1.0, np.float32)
    level = _level(turns)
    fine = _near(tree, grid) | _undecided(turns, level)
    inside = np.repeat(np.repeat(np.repeat(turns[:-1, :-1, :-1] > level, BLOCK, 0), BLOCK, 1), BLOCK, 2)
    field = np.full(grid.shape, -2 * grid.step, np.float32)
    field[:-1, :-1, :-1] = np.where(inside, 2 * grid.step, -2 * grid.step)
    for axis in range(3):
        rim: list[Any] = [slice(None)] * 3
        rim[axis] = -1
        field[tuple(rim)] = -2 * grid.step
    asked = np.argwhere(points_of(fine, grid.shape))
    values = side_by_side(
        lambda k: _values(tree, grid, asked[k : k + AT_ONCE], level),
        range(0, len(asked), AT_ONCE),
        lambda done: told(0.2 + 0.8 * done),
    )
    if values:
        field[tuple(asked.T)] = np.concatenate(values)
    return field


def _near(tree: Tree, grid: Grid) -> Array:
    """Blocks that the surface comes within one step of."""
    blocks = [(n - 1) // BLOCK for n in grid.shape]
    index = np.stack(np.meshgrid(*map(np.arange, blocks), indexing="ij"), axis=-1).reshape(-1, 3)
    reach = grid.step * (BLOCK / 2 * np.sqrt(3) + 1)
    hit, _ = nearest(tree, grid.at((index + 0.5) * BLOCK).astype(np.float32), reach=float(reach))
    return np.asarray((hit >= 0).reshape(blocks))


def _level(turns: Array) -> float:
    """Half of what the inside has: 0.5 for a whole surface, less for one with many faces missing."""
    inner = turns[turns > 0.25]
    return float(np.clip(np.median(inner) / 2, 0.2, 0.5)) if len(inner) else 0.5


def _undecided(turns: Array, level: float) -> Array:
    """Blocks whose corners are neither all well inside nor all well outside."""
    eight = [turns[i : i - 1 or None, j : j - 1 or None, k : k - 1 or None] for i, j, k in np.ndindex(2, 2, 2)]
    low, high = np.minimum.reduce(eight), np.maximum.reduce(eight)
    return np.asarray((low < 1.5 * level) & (high > 0.5 * level))


def points_of(blocks: Array, shape: tuple[int, int, int]) -> Array:
    """(X, Y, Z) bool: the grid points in and on the marked blocks."""
    marked = np.zeros(shape, bool)
    inner = np.repeat(np.repeat(np.repeat(blocks, BLOCK, 0), BLOCK, 1), BLOCK, 2)
    for i, j, k in np.ndindex(2, 2, 2):
        marked[i : shape[0] - 1 + i, j : shape[1] - 1 + j, k : shape[2] - 1 + k] |= inner
    return marked


def _values(tree: Tree, grid: Grid, index: Array, level: float) -> Array:
    at = grid.at(index)
    turns = winding(tree, at)
    hit, found = nearest(tree, at.astype(np.float32), reach=2 * grid.step)
    sign = np.where(turns > level, 1.0, -1.0)
    far = np.clip((turns / level - 1) * 2, -2, 2) * grid.step
    value = np.where(hit >= 0, sign * found[:, 0], far)
    least = 1e-3 * grid.step
    return np.where(np.abs(value) < least, sign * least, value).astype(np.float32)


def signed(points: Array, faces: Array, voxels: float, margin: float, told: Told) -> tuple[Array, Array, Array] | None:
    """((X, Y, Z) float32 metres, < 0 inside, (3,) first and last sample), or None if nothing is enclosed.

    ``margin``: metres around the box of the (N, 3) ``points``, which with it has ``voxels`` along its longest side.
    """
    used = points[faces].reshape(-1, 3)
    low, high = used.min(axis=0) - margin, used.max(axis=0) + margin
    middle = (low + high) / 2
    grid = grid_over(low - middle, high - middle, voxels)
    tree = build((points - middle).astype(np.float32), faces)
    field = _field(tree, grid, lambda done: told(0.3 * done))
    if not (field > 0).any():
        return None
    line = [np.arange(n) for n in grid.shape[1:]]

    def layer(i: int) -> None:
        index = np.stack(np.meshgrid(np.array([i]), *line, indexing="ij"), axis=-1).reshape(-1, 3)
        _, at = nearest(tree, grid.at(index).astype(np.float32))
        field[i] = -np.copysign(at[:, 0].reshape(field[i].shape), field[i])

    side_by_side(layer, range(grid.shape[0]), lambda done: told(0.3 + 0.7 * done))
    last = np.array(grid.shape) - 1
    return field, grid.low + middle, grid.at(last) + middle
