"""Carry colours over the surface from where they are known to where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run

Array = NDArray[Any]
MOST_KNOWN = 200_000
AT_ONCE = 1 << 17
NEIGHBOURS = 12


def spread(run: Run, known: Array, colours: Array, wanted: Array, start: float, end: float) -> Array:
    """(N, C) float32 at ``wanted`` (N, 3): the mean of the twelve nearest ``known`` (K, 3) points, weighted.

    Distance is measured in space and not on the texture, where neighbours may belong to quite other places. Weights
    fall with the square of the distance (Shepard 1968).
    """
    from scipy.spatial import cKDTree

    step = max(1, len(known) // MOST_KNOWN)
    known, colours = known[::step], colours[::step]
    tree, count = cKDTree(known), min(NEIGHBOURS, len(known))
    out = np.empty((len(wanted), colours.shape[1]), np.float32)
    for first in range(0, len(wanted), AT_ONCE):
        run.progress(start + (end - start) * first / len(wanted), "filling what no picture shows")
        part = slice(first, first + AT_ONCE)
        gap, near = tree.query(wanted[part], k=list(range(1, count + 1)), workers=-1)
        weight = 1 / np.maximum(gap * gap, 1e-12)
        weight /= weight.sum(axis=1, keepdims=True)
        out[part] = np.einsum("nk,nkc->nc", weight, colours[near])
    return out
