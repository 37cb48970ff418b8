"""Curves that give values another distribution. Values and weights: (H, W) float32; weight 0 does not count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import Float32

BINS = 256
Float64 = NDArray[np.float64]


def equalised(values: Float32, weight: Float32) -> Float32:
    """Each value becomes the part of the weight that lies at or below it: darkest 0, brightest 1.

    One value everywhere stays as it is.
    """
    found, mass = masses(values, weight)
    if len(found) < 2:
        return values
    total = np.cumsum(mass)
    return np.asarray(np.interp(values, found, (total - total[0]) / (total[-1] - total[0])), np.float32)


def matched(values: Float32, weight: Float32, target: Float32, target_weight: Float32) -> Float32:
    """Each value becomes the one of the same rank in ``target``, which may have another size."""
    found, mass = masses(values, weight)
    aim, aim_mass = masses(target, target_weight)
    if not len(found) or not len(aim):
        return values
    return np.asarray(np.interp(values, found, np.interp(_ranks(mass), _ranks(aim_mass), aim)), np.float32)


def masses(values: Float32, weight: Float32) -> tuple[Float64, Float64]:
    """(the different values in rising order, the weight of each), (N,) float64."""
    seen = weight > 0
    found, place = np.unique(values[seen], return_inverse=True)
    mass = np.asarray(np.bincount(place, weight[seen].astype(np.float64), len(found)), np.float64)
    return found.astype(np.float64), mass


def _ranks(mass: Float64) -> Float64:
    """(N,) 0..1, where the middle of each value's weight lies."""
    return np.asarray((np.cumsum(mass) - mass / 2) / mass.sum())


def local(values: Float32, weight: Float32, limit: float, tiles: int) -> Float32:
    """Contrast-limited adaptive equalisation (Zuiderveld, Graphics Gems IV, 1994) of values 0..1.

    ``limit``: how many times its fair share a bin may hold; what is above is dealt out to all bins. ``tiles``: along
    the longer side. The curves are piecewise linear, not tables of 256 steps.
    """
    height, width = values.shape
    side = max(height, width) / tiles
    rows, columns = max(1, round(height / side)), max(1, round(width / side))
    curves = _curves(values, weight, limit, rows, columns)
    at = np.clip(values, 0, 1) * np.float32(BINS)
    step = np.minimum(at.astype(np.int32), BINS - 1)
    within = at - step
    result = np.zeros_like(values)
    for row, down in _neighbours(height, rows):
        for column, across in _neighbours(width, columns):
            curve = (row[:, None] * columns + column[None]) * (BINS + 1) + step
            one = curves[curve] * (1 - within) + curves[curve + 1] * within
            result += one * down[:, None] * across[None]
    return result


def _curves(values: Float32, weight: Float32, limit: float, rows: int, columns: int) -> Float32:
    """(rows * columns * (BINS + 1),): for each tile its curve from 0 to 1 at the edges of the bins."""
    height, width = values.shape
    tile = (np.arange(height) * rows // height)[:, None] * columns + (np.arange(width) * columns // width)[None]
    bin_of = np.minimum((np.clip(values, 0, 1) * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount((tile * BINS + bin_of).ravel(), weight.ravel(), rows * columns * BINS).reshape(-1, BINS)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.full_like(counts, 1 / BINS), where=total > 0)
    most = limit / BINS
    share = np.minimum(share, most) + np.maximum(share - most, 0).sum(axis=1, keepdims=True) / BINS
    return np.pad(np.cumsum(share, axis=1), ((0, 0), (1, 0))).astype(np.float32).ravel()


def _neighbours(length: int, count: int) -> list[tuple[NDArray[np.int64], Float32]]:
    """For each pixel along a side the two nearest tiles and their weights, (length,) each."""
    at = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
    first = np.floor(at).astype(np.int64)
    share = (at - first).astype(np.float32)
    return [(first, 1 - share), (np.minimum(first + 1, count - 1), share)]
