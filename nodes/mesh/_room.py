"""Room inside a body that is wide enough to be of use: narrow clefts, which a grid shows as teeth, are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._wrap import Grid

Array = NDArray[Any]
SLAB = 64


def wide_room(field: Array, narrow: float) -> Array:
    """(X, Y, Z) float32: above 0 where a ball of radius ``narrow`` fits, and a step around. In steps, like ``field``,
    which is the distance to the wall, or more than ``narrow``.
    """
    from scipy.ndimage import distance_transform_edt

    reach = narrow + 1
    margin = int(reach) + 2
    found = np.full(field.shape, -1.0, np.float32)
    for start in range(0, len(field), SLAB):
        first = max(start - margin, 0)
        room = field[first : start + SLAB + margin] > narrow
        if room.any():
            found[start : start + SLAB] = reach - distance_transform_edt(~room)[start - first :][:SLAB]
    found[np.abs(found) < 1e-3] = -1e-3
    return found


def held_back(grid: Grid, field: Array, wide: Array, at: Array, place: Array) -> Array:
    """(V,) bool, vertices of the level set where the room ends by ``wide``; they are put there in ``place``, (V, 3).

    ``field``: what ``wide`` was found from. ``at``: (V, 3) in steps, each on an edge of the grid.
    """
    low, high = np.floor(at).astype(np.int64), np.ceil(at).astype(np.int64)
    f, g = wide[tuple(low.T)].astype(np.float64), wide[tuple(high.T)].astype(np.float64)
    ends = np.flatnonzero((f * g < 0) & ((low != high).sum(axis=1) == 1))
    low, high, f, g = low[ends], high[ends], f[ends], g[ends]
    one, other = grid.at(low), grid.at(high)
    there = one + (other - one) * (f / (f - g))[:, None]
    deep = np.where((f > 0)[:, None], one, other)
    wall = np.where((field[tuple(low.T)] < 0) | (field[tuple(high.T)] < 0), _apart(place[ends], deep), np.inf)
    first = _apart(there, deep) < wall
    place[ends[first]] = there[first]
    held = np.zeros(len(at), bool)
    held[ends[first]] = True
    return held


def _apart(one: Array, other: Array) -> Array:
    return np.asarray(np.linalg.norm(one - other, axis=1))
