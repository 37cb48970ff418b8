"""Place charts in a square, or in several, so that they interlock and fill each other's holes; never mirrored.

Every chart becomes a shape of cells that it touches at all, so that the gap between two charts holds exactly. The
charts come in one order or another, the large ones first; each goes where its middle lies lowest, over four turns.
The scale is searched, roughly for several orders and then finely for the best of them.

``corners``: (M, 3, 2) float64 in metres. ``label``: (M,) chart of each face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._bits import draw_shape, empty, lowest, runs_of, take
from nodes.mesh._jit import kernel
from nodes.mesh._pack import stand_up

Array = NDArray[Any]
STEP = 1.05


@kernel
def _middle(runs: Array) -> float:
    """Height of a shape's centre over its lower rim."""
    total, moment = 0.0, 0.0
    for i in range(len(runs)):
        cells = runs[i, 2] - runs[i, 1] + 1
        total += cells
        moment += cells * (runs[i, 0] + 0.5)
    return moment / total


@kernel
def _fill(
    corners: Array, order: Array, start: Array, size: Array, first: Array, scale: float, gap: int, cells: int,
    squares: int, smear: Array, at: Array,
) -> int:  # fmt: skip
    """Fill ``at`` (C, 3) with x, y and quarter turns of each chart; returns how many of ``first`` found a place."""
    taken = np.empty(smear.shape[2], np.uint64)
    since, low_w, low_h = 0, 1 << 30, 1 << 30
    for i in range(len(first)):
        chart = first[i]
        wide, tall = int(size[chart, 0] * scale) + 1, int(size[chart, 1] * scale) + 1
        if 4 * wide < 3 * low_w or 4 * tall < 3 * low_h:
            since, low_w, low_h = 0, wide, tall
        drawn = np.zeros((tall, wide), np.uint8)
        draw_shape(corners, order[start[chart] : start[chart + 1]], scale, drawn)
        best, found, at[chart, 0] = 1e300, np.empty((0, 3), np.int64), -1
        for turn in range(4):
            w, h = (wide, tall) if turn % 2 == 0 else (tall, wide)
            if w > cells or h > cells:
                continue
            runs = runs_of(drawn, turn)
            over = _middle(runs)
            last = min(float(squares * cells - h), best - over)
            x, y = lowest(smear, runs, w, h, cells, cells, since, math.floor(last), taken)
            if x >= 0 and y + over < best:
                best, found = y + over, runs
                at[chart, 0], at[chart, 1], at[chart, 2] = x, y, turn
        if at[chart, 0] < 0:
            return i
        take(smear, found, at[chart, 0], at[chart, 1], gap, cells, cells)
        since = max(since, at[chart, 1] - tall // 2)
    return len(first)


@dataclass(frozen=True)
class Lot:
    """Charts that stand upright, their lower left at 0. ``order``: (M,) faces by chart, ``start``: (C + 1,).

    ``size``: (C, 2) metres. ``area``: (C,) m² of the flat charts.
    """

    corners: Array
    label: Array
    order: Array
    start: Array
    size: Array
    area: Array

    @classmethod
    def of(cls, corners: Array, label: Array) -> Lot:
        count = int(label.max()) + 1
        order = np.argsort(label, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))])
        corners, size = corners.copy(), np.empty((count, 2))
        stand_up(corners, order, start, size)
        one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        area = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
        return cls(corners, label, order, start, size, np.bincount(label, area, minlength=count))

    @property
    def count(self) -> int:
        return len(self.size)

    @cached_property
    def total(self) -> float:
        return max(float(self.area.sum()), 1e-30)

    def orders(self, many: int) -> list[Array]:
        """Ways to begin with the large charts: by height, by area, by both, and shuffled a little."""
        tall, area = self.size[:, 1], np.sqrt(self.area)
        keys = [area, tall, self.size.sum(axis=1)]
        rng = np.random.default_rng(0)
        keys += [keys[i % 3] * rng.uniform(0.75, 1.25, self.count) for i in range(3, many)]
        return [np.argsort(-key, kind="stable") for key in keys[:many]]


@dataclass(frozen=True)
class Board:
    """``squares`` of ``cells`` x ``cells``, with ``gap`` cells between charts and half of it along the rim."""

    cells: int
    gap: int
    squares: int = 1

    @property
    def inner(self) -> int:
        return self.cells - self.gap


@dataclass(frozen=True)
class Places:
    """``scale``: cells per metre. ``at``: (C, 3) x, y in cells, quarter turns."""

    board: Board
    scale: float
    at: Array


def tried(lot: Lot, first: Array, board: Board, scale: float) -> Places | None:
    """Everything in its place at one scale, or None."""
    inner = board.inner
    if inner < 1 or float(lot.size.max()) * scale >= inner:
        return None
    at = np.zeros((lot.count, 3), np.int64)
    smear = empty(inner, inner * board.squares)
    done = _fill(lot.corners, lot.order, lot.start, lot.size, first, scale, board.gap, inner, board.squares, smear, at)
    return Places(board, scale, at) if done == lot.count else None


def largest(
    run: Run, lot: Lot, first: Array, board: Board, scale: float, trials: int, known: Places | None = None
) -> Places | None:
    """The largest scale found for one order, from a first guess or a known one, in steps and then by halving."""
    best, least, most = known, known.scale if known else 0.0, math.inf
    for _ in range(trials):
        run.check()
        found = tried(lot, first, board, scale)
        if found:
            best, least = found, scale
        else:
            most = scale
        if most < math.inf and least > 0:
            if most / least < 1.006:
                break
            scale = math.sqrt(least * most)
        else:
            scale = scale * STEP if found else scale / STEP
    return best


@dataclass(frozen=True)
class Order:
    """What is asked of a packing. ``size``: px of one square. ``padding``: px. ``density``: px/m, 0: as large as fits.

    ``tiles``: how many squares there may be.
    """

    size: int
    padding: int
    density: float = 0.0
    tiles: int = 1

    def board(self, cells: int) -> Board:
        cells = min(self.size, cells)
        return Board(cells, math.ceil(self.padding * cells / self.size), self.tiles)


@dataclass(frozen=True)
class Packed:
    """``uv``: (M, 3, 2), tile n shifted by (n % 10, n // 10). ``scale``: of the unit square per metre.

    ``full``: the charts did not fit at the density that was asked for, so they are smaller.
    """

    uv: Array
    scale: float
    tiles: int
    full: bool
