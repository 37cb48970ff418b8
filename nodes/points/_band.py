"""Nested grids of which each finer one covers only what lies near points: who stands where, and who is whose parent.

The nodes of a level are kept row by row along z: ``start`` (X * Y + 1,) the first of each row, ``z`` (N,) their places.
Every node that is ``free`` has all its 26 neighbours, so the ones before and after it, and before and after its
neighbours across, are at numbers one lower and higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Level:
    """``shape``: nodes along each axis if it were whole. ``start``, ``z``: as above, int32. ``free``: (N,) uint8.

    ``across``: (N, 9) int32, for free nodes the numbers at (dx, dy, 0), dx slowest. ``parent``: (N, 4) int32, the
    coarser nodes at the lower z of the cell that a node lies in, two along x by two along y; empty for the first level.
    """

    shape: Shape
    start: Array
    z: Array
    free: Array
    across: Array
    parent: Array

    @property
    def count(self) -> int:
        return len(self.z)


def whole(shape: Shape) -> Level:
    """Every node of a grid; those on its rim are not free."""
    rows, depth = shape[0] * shape[1], shape[2]
    start = np.arange(rows + 1, dtype=np.int32) * depth
    z = np.tile(np.arange(depth, dtype=np.int32), rows)
    inner = np.zeros(shape, np.uint8)
    inner[1:-1, 1:-1, 1:-1] = 1
    return _level(shape, start, z, inner.ravel(), np.zeros((0, 4), np.int32))


def refined(coarse: Level, active: Array) -> Level:
    """Halves the cells that are ``active``, (X, Y, Z) uint8 over the cells of ``coarse``."""
    i, j, k = (2 * n + 1 for n in active.shape)
    tally = np.zeros(i * j + 1, np.int32)
    none = np.zeros(0, np.int32)
    _fill(active, tally, none, none.astype(np.uint8), False)
    start = np.cumsum(tally, dtype=np.int32)
    z, free = np.empty(start[-1], np.int32), np.empty(start[-1], np.uint8)
    _fill(active, start, z, free, True)
    parent = np.empty((len(z), 4), np.int32)
    _parents(start, z, j, coarse.start, coarse.z, coarse.shape[1], parent)
    return _level((i, j, k), start, z, free, parent)


def _level(shape: Shape, start: Array, z: Array, free: Array, parent: Array) -> Level:
    across = np.full((len(z), 9), -1, np.int32)
    _link(start, z, free, shape[0], shape[1], across)
    return Level(shape, start, z, free, across, parent)


def spread(occupied: Array) -> Array:
    """(X, Y, Z) uint8 cells that touch an occupied one, corners included."""
    for axis in range(3):
        grown = occupied.copy()
        ahead: list[Any] = [slice(None)] * 3
        back: list[Any] = [slice(None)] * 3
        ahead[axis], back[axis] = slice(1, None), slice(None, -1)
        grown[tuple(ahead)] |= occupied[tuple(back)]
        grown[tuple(back)] |= occupied[tuple(ahead)]
        occupied = grown
    return occupied


@kernel
def _fill(active: Array, start: Array, z: Array, free: Array, write: bool) -> None:
    """Count the nodes of each row into ``start`` (one place later), or ``write`` them: any cell around, all around."""
    nx, ny, nz = active.shape
    for x in range(2 * nx + 1):
        x0, x1 = max((x - 1) // 2, 0), min(x // 2, nx - 1)
        rim_x = x == 0 or x == 2 * nx
        for y in range(2 * ny + 1):
            y0, y1 = max((y - 1) // 2, 0), min(y // 2, ny - 1)
            rim = rim_x or y == 0 or y == 2 * ny
            row = x * (2 * ny + 1) + y
            at, any_before, all_before = start[row], 0, 0
            for k in range(nz + 1):
                some, every = 0, 0
                if k < nz:
                    around = int(active[x0, y0, k]) + active[x0, y1, k] + active[x1, y0, k] + active[x1, y1, k]
                    some, every = int(around > 0), int(around == 4 and not rim)
                if some | any_before:
                    if write:
                        z[at], free[at] = 2 * k, every & all_before
                    at += 1
                if some:
                    if write:
                        z[at], free[at] = 2 * k + 1, every
                    at += 1
                any_before, all_before = some, every
            if not write:
                start[row + 1] = at - start[row]


@kernel
def _link(start: Array, z: Array, free: Array, nx: int, ny: int, across: Array) -> None:
    for x in range(1, nx - 1):
        for y in range(1, ny - 1):
            row = x * ny + y
            for side in range(9):
                other = row + (side // 3 - 1) * ny + side % 3 - 1
                at = start[other]
                for i in range(start[row], start[row + 1]):
                    if free[i]:
                        while z[at] < z[i]:
                            at += 1
                        across[i, side] = at


@kernel
def _parents(start: Array, z: Array, ny: int, above: Array, above_z: Array, above_ny: int, parent: Array) -> None:
    for row in range(len(start) - 1):
        x, y = row // ny, row % ny
        for side in range(4):
            other = (x // 2 + (side // 2) * (x & 1)) * above_ny + y // 2 + (side & 1) * (y & 1)
            at = above[other]
            for i in range(start[row], start[row + 1]):
                while above_z[at] < z[i] // 2:
                    at += 1
                parent[i, side] = at


@kernel
def find(start: Array, z: Array, ny: int, cell: Array, corner: Array) -> None:
    """``corner``: (S, 4) becomes the numbers of the nodes at the lower z of each of (S, 3) cells, as for ``parent``."""
    for s in range(len(cell)):
        for side in range(4):
            row = (cell[s, 0] + side // 2) * ny + cell[s, 1] + (side & 1)
            low, high = start[row], start[row + 1]
            while low < high:
                middle = (low + high) // 2
                if z[middle] < cell[s, 2]:
                    low = middle + 1
                else:
                    high = middle
            corner[s, side] = low


@kernel
def prolong(z: Array, parent: Array, coarse: Array, fine: Array) -> None:
    """``fine``: (N, C) becomes ``coarse`` between its nodes."""
    for i in range(len(z)):
        up = z[i] & 1
        for c in range(fine.shape[1]):
            total = 0.0
            for side in range(4):
                at = parent[i, side]
                total += coarse[at, c] + coarse[at + up, c]
            fine[i, c] = total * 0.125


@kernel
def restrict(z: Array, parent: Array, fine: Array, coarse: Array) -> None:
    """Add to ``coarse`` (M,) what ``fine`` (N,) is for it: the transpose of :func:`prolong`."""
    for i in range(len(z)):
        up, value = z[i] & 1, fine[i] * 0.125
        for side in range(4):
            at = parent[i, side]
            coarse[at] += value
            coarse[at + up] += value


@kernel
def put(start: Array, z: Array, values: Array, grid: Array) -> None:
    """Write the values of the nodes into a whole grid."""
    for row in range(len(start) - 1):
        x, y = row // grid.shape[1], row % grid.shape[1]
        for i in range(start[row], start[row + 1]):
            grid[x, y, z[i]] = values[i]


@kernel
def doubled(coarse: Array, fine: Array) -> None:
    """``fine``: a whole grid with half the step becomes ``coarse`` between its nodes."""
    line = np.empty(coarse.shape[2], np.float32)
    for x in range(fine.shape[0]):
        for y in range(fine.shape[1]):
            a, b = x // 2, y // 2
            c, d = a + (x & 1), b + (y & 1)
            for k in range(len(line)):
                line[k] = 0.25 * (coarse[a, b, k] + coarse[a, d, k] + coarse[c, b, k] + coarse[c, d, k])
            for k in range(len(line) - 1):
                fine[x, y, 2 * k] = line[k]
                fine[x, y, 2 * k + 1] = 0.5 * (line[k] + line[k + 1])
            fine[x, y, 2 * len(line) - 2] = line[len(line) - 1]
