"""Place very many charts: side by side in rows, the tall ones first, each as a box. Always ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput
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
    """The largest scale at which all boxes fit, or the density that is asked for."""
    first = np.argsort(-lot.size[:, 1], kind="stable")
    gap, at = asked.padding / asked.size, np.zeros((lot.count, 3))
    wanted = asked.density / asked.size
    least, most = 0.0, math.sqrt(asked.tiles / lot.total)
    if wanted and _rows(lot.size, first, wanted, gap, asked.tiles, at):
        least = most = wanted
    for _ in range(24 if least < most else 0):
        middle = (least + most) / 2
        if _rows(lot.size, first, middle, gap, asked.tiles, at):
            least = middle
        else:
            most = middle
    if least == 0.0:
        raise BadInput(
            f"{lot.count:,} charts, {asked.padding} px apart, do not fit into {asked.tiles} x {asked.size} px.",
            "Use a larger texture, more tiles, less padding, or a Decimate or Smooth step before.",
        )
    _rows(lot.size, first, least, gap, asked.tiles, at)
    tile = at[:, 0].astype(np.int64)
    place = at[:, 1:] + np.stack([tile % 10, tile // 10], axis=1)
    uv = lot.corners * least + place[lot.label][:, None, :]
    return Packed(uv, least, int(tile.max()) + 1, full=wanted > 0 and least != wanted)
