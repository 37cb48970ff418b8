"""Carry colours over the surface from where they are known to where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
CELLS = 64
ENOUGH = 4.0


def spread(known: Array, colours: Array, wanted: Array) -> Array:
    """(N, C) float32 at ``wanted`` (N, 3): colours (K, C) of ``known`` points (K, 3) near by, broader the farther away.

    Nearness is measured in space and not on the texture, where neighbours may belong to quite other places. Means over
    ever coarser cubes fill what finer ones leave empty (pull-push, Gortler et al., The Lumigraph, 1996).
    """
    from scipy.ndimage import map_coordinates

    low = np.minimum(known.min(axis=0), wanted.min(axis=0))
    extent = float((np.maximum(known.max(axis=0), wanted.max(axis=0)) - low).max())
    scale = (CELLS - 2) / max(extent, 1e-12)
    at = ((known - low) * scale + 1).astype(np.int64)
    flat = (at[:, 0] * CELLS + at[:, 1]) * CELLS + at[:, 2]
    layers = [*colours.astype(np.float64).T, np.ones(len(known))]
    sums = np.stack([np.bincount(flat, layer, minlength=CELLS**3) for layer in layers], axis=-1)
    filled = _filled(sums.reshape(CELLS, CELLS, CELLS, -1))
    place = ((wanted - low) * scale + 0.5).T
    values = [map_coordinates(filled[..., c], place, order=1, mode="nearest") for c in range(colours.shape[1])]
    return np.stack(values, axis=1).astype(np.float32)


def _filled(sums: Array) -> Array:
    """(X, X, X, C) mean colours of every cube, from (X, X, X, C + 1) sums whose last channel counts."""
    count = sums[..., -1:]
    own = sums[..., :-1] / np.maximum(count, 1e-12)
    side = len(sums)
    if side == 1:
        return np.asarray(own)
    half = side // 2
    pooled = sums.reshape(half, 2, half, 2, half, 2, -1).sum(axis=(1, 3, 5))
    weight = np.minimum(count / ENOUGH, 1)
    return np.asarray(own * weight + _doubled(_filled(pooled)) * (1 - weight))


def _doubled(values: Array) -> Array:
    """Twice as fine along the first three axes, linear in between."""
    for axis in range(3):
        before = np.concatenate([values.take([0], axis=axis), values], axis=axis).take(
            range(values.shape[axis]), axis=axis
        )
        after = np.concatenate([values, values.take([-1], axis=axis)], axis=axis).take(
            range(1, values.shape[axis] + 1), axis=axis
        )
        pair = np.stack([0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after], axis=axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pair.reshape(shape)
    return values
