"""Place very many charts: side by side in rows, the tall ones first, each as a box. Always ends and always fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._places import Lot, Order, Packed

Array = NDArray[Any]


@kernel
def _rows(size: Array, first: Array, scale: float, gap: float, squares: int, at: Array) -> bool:
    """Fill ``at`` (C, 3): tile, x and y of each box in unit squares; false when they do not fit."""
    tile, x, y, height = 0, gap / 2, gap / 2, 0.0
    for i in range(len(first)):
        wide, tall = size[first[i], 0] * scale + gap, size[first[i], 1] * scale + gap
        if x + wide > 1.0 + gap / 2 and x > gap / 2:
            x, y, height = gap / 2, y + height, 0.0
        if y + tall > 1.0 + gap / 2:
            tile, x, y, height = tile + 1, gap / 2, gap / 2, 0.0
        if tile >= squares or x + wide > 1.0 + gap / 2 or y + tall > 1.0 + gap / 2:
            return False
        at[first[i], 0], at[first[i], 1], at[first[i], 2] = tile, x, y
        x += wide
        height = max(height, tall)
    return True


def in_rows(lot: Lot, asked: Order) -> Packed:
    """The largest scale at which all boxes fit. Where the padding alone would fill the squares it is made smaller."""
    first = np.argsort(-lot.size[:, 1], kind="stable")
    gap = min(asked.padding / asked.size, 0.4 * math.sqrt(asked.tiles / lot.count))
    at = np.zeros((lot.count, 3))
    least, most = 0.0, math.sqrt(asked.tiles / lot.total)
    wanted = asked.density / asked.size
    if wanted and _rows(lot.size, first, wanted, gap, asked.tiles, at):
        least = most = wanted
    for _ in range(24 if least < most else 0):
        middle = (least + most) / 2
        if _rows(lot.size, first, middle, gap, asked.tiles, at):
            least = middle
        else:
            most = middle
    _rows(lot.size, first, least, gap, asked.tiles, at)
    tile = at[:, 0].astype(np.int64)
    place = at[:, 1:] + np.stack([tile % 10, tile // 10], axis=1)
    uv = lot.corners * least + place[lot.label][:, None, :]
    full = gap < asked.padding / asked.size or (wanted > 0 and least != wanted)
    return Packed(uv, least, int(tile.max()) + 1, full)
