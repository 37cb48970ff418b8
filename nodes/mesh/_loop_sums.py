"""Sums over neighbours, for :mod:`nodes.mesh._loop`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _around(ends: Array, values: Array, out: Array) -> None:
    for e in range(len(ends)):
        a, b = ends[e, 0], ends[e, 1]
        for c in range(values.shape[1]):
            out[a, c] += values[b, c]
            out[b, c] += values[a, c]


def around(ends: Array, values: Array) -> Array:
    """(N, C) float64: at each vertex the sum of ``values``, (N, C), over the other ends of its edges, (E, 2)."""
    out = np.zeros(values.shape)
    _around(ends, values, out)
    return out


@kernel
def _across(faces: Array, sides: Array, values: Array, out: Array) -> None:
    for f in range(len(faces)):
        for k in range(3):
            for c in range(values.shape[1]):
                out[sides[f, k], c] += values[faces[f, (k + 2) % 3], c]


def across(faces: Array, sides: Array, values: Array, edges: int) -> Array:
    """(E, C) float64: at each edge the sum over the corners opposite to it."""
    out = np.zeros((edges, values.shape[1]))
    _across(faces, sides, values, out)
    return out
