"""Pack charts: search the order and the scale, roughly at first, then finely."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._places import Lot, Order, Packed, Places, largest, tried
from nodes.mesh._shelves import in_rows

Array = NDArray[Any]
SHARE = 0.6
ROUGH, FINE = 512, 1024
ORDERS, FEW = 16, 3_000
AROUND = (1.05, 1.035, 1.02, 1.005, 0.99, 0.97)


@dataclass(frozen=True)
class Rough:
    """The best of some orders, ``first``, on a coarse board."""

    first: Array
    places: Places

    def coverage(self, lot: Lot) -> float:
        """Share of the tiles that is filled."""
        board = self.places.board
        return lot.total * self.places.scale**2 / (board.cells**2 * board.squares)


def roughly(run: Run, lot: Lot, asked: Order) -> Rough | None:
    """As large as fits, or None where that cannot be told on a coarse board."""
    if lot.count > FEW:
        return None
    board = asked.board(ROUGH)
    orders = lot.orders(ORDERS if lot.count <= FEW // 4 else 1)
    guess = board.inner * math.sqrt(SHARE * asked.tiles / lot.total)
    fits = (board.inner - 1) / max(float(lot.size.max()), 1e-30)
    best = largest(run, lot, orders[0], board, min(guess, fits), 12)
    return _challenged(run, lot, orders, best) if best else None


def _challenged(run: Run, lot: Lot, orders: list[Array], best: Places) -> Rough:
    """The best of the orders: four at a time try to beat the scale found so far."""
    first, rest = orders[0], orders[1:]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        while rest:
            run.check()
            some, rest = rest[:4], rest[4:]
            found = list(pool.map(partial(tried, lot, board=best.board, scale=best.scale * 1.015), some))
            for order, places in zip(some, found, strict=True):
                if places:
                    best = largest(run, lot, order, best.board, places.scale * 1.03, 4, places) or places
                    first = order
                    break
    return Rough(first, best)


def packed(run: Run, lot: Lot, asked: Order, rough: Rough | None) -> Packed:
    """All charts at one scale. Very many charts go side by side in rows, as boxes."""
    if lot.count <= FEW and asked.density > 0:
        exact = _at_density(lot, asked)
        if exact:
            return _unit(lot, exact, False)
    if rough is None:
        return in_rows(lot, asked)
    fine, places = asked.board(FINE), rough.places
    if fine.cells > places.board.cells:
        places = _refined(run, lot, rough.first, places.scale * fine.cells / places.board.cells, asked) or places
    return _unit(lot, places, asked.density > 0)


def _at_density(lot: Lot, asked: Order) -> Places | None:
    board = asked.board(FINE)
    scale = asked.density * board.cells / asked.size
    return next((found for first in lot.orders(3) if (found := tried(lot, first, board, scale))), None)


def _refined(run: Run, lot: Lot, first: Array, scale: float, asked: Order) -> Places | None:
    """The largest of some scales around the one that is given."""
    run.progress(0.8, "packing")
    with ThreadPoolExecutor(min(len(AROUND), os.cpu_count() or 1)) as pool:
        scales = [scale * factor for factor in AROUND]
        found = list(pool.map(partial(tried, lot, first, asked.board(FINE)), scales))
    return next((places for places in found if places), None)


def _unit(lot: Lot, places: Places, full: bool) -> Packed:
    """Cells to texture coordinates."""
    board, (x, y, turn) = places.board, places.at.T
    box = (lot.size * places.scale).astype(np.int64) + 1
    put = lot.corners * places.scale
    u, v = put[..., 0], put[..., 1]
    wide, tall, t = box[lot.label, 0][:, None], box[lot.label, 1][:, None], turn[lot.label][:, None]
    u, v = np.choose(t, [u, tall - v, wide - u, v]), np.choose(t, [v, u, tall - v, wide - u])
    tile, row = np.divmod(y, board.inner)
    u = (u + x[lot.label][:, None] + board.gap / 2) / board.cells
    v = (v + row[lot.label][:, None] + board.gap / 2) / board.cells
    uv = np.stack([u, v], axis=2)
    names, tile = np.unique(tile, return_inverse=True)
    uv += np.stack([tile % 10, tile // 10], axis=1)[lot.label][:, None, :]
    return Packed(uv, places.scale / board.cells, len(names), full)
