"""Loop's subdivision surface (1987): where old and new vertices go when every face becomes four.

Creases, darts and corners after Hoppe et al. 1994: an edge that is sharp, open or used by more than two faces becomes a
cubic B-spline curve of its own; a vertex where three or more of them meet, or that is fixed, stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._finer import Net
from nodes.mesh._topology import Bools, face_vectors

Array = NDArray[Any]
CORNER = 70.0


def halfway(values: Array, net: Net) -> Array:
    """(E, C) the middle of each edge."""
    return np.asarray((values[net.ends[:, 0]] + values[net.ends[:, 1]]) / 2)


def sharp_edges(points: Array, net: Net, angle: float) -> Bools:
    """(E,) edges that do not have two faces, or whose faces turn by more than ``angle`` degrees; 180: none of those."""
    sharp = np.not_equal(net.uses, 2)
    if angle >= 180:
        return sharp
    normal = face_vectors(points, net.faces)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    order = np.argsort(net.sides.ravel(), kind="stable")
    start = np.concatenate([[0], np.cumsum(net.uses)[:-1]])[~sharp]
    one, two = order[start], order[start + 1]
    flat, ahead = net.faces.ravel(), np.roll(net.faces, -1, axis=1).ravel()
    way = np.where(flat[one] == ahead[two], 1.0, -1.0)
    cosine = way * np.einsum("ij,ij->i", normal[one // 3], normal[two // 3])
    sharp[~sharp] = cosine < np.cos(np.radians(angle)) - 1e-6
    return sharp


def corners(points: Array, ends: Array, count: int, angle: float = CORNER) -> Bools:
    """(``count``,) vertices where a line of sharp edges, whose ``ends`` are (E, 2), turns by more than ``angle``°."""
    way = points[ends[:, 1]] - points[ends[:, 0]]
    way = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)
    total = _sums(ends[:, 0], way, count) - _sums(ends[:, 1], way, count)
    two = np.bincount(ends.ravel(), minlength=count) == 2
    return np.asarray(two & ((total**2).sum(axis=1) > 2 - 2 * np.cos(np.radians(angle)) + 1e-9))


def refined(values: Array, net: Net, sharp: Bools, fixed: Bools) -> Array:
    """(N + E, C) float64: (N, C) float64 ``values`` at the vertices of ``net.quartered()``.

    ``sharp``: (E,), ``fixed``: (N,).
    """
    from nodes.mesh._loop_sums import across

    degree = np.bincount(net.ends.ravel(), minlength=net.count)
    even = _pulled(values, net, sharp, fixed, degree, _beta(degree), 1 / 8)
    odd = halfway(values, net)
    soft = ~sharp
    off = across(net.faces, net.sides, values, len(odd))
    odd[soft] = 0.75 * odd[soft] + 0.125 * off[soft]
    return np.concatenate([even, odd])


def limit(values: Array, net: Net, sharp: Bools, fixed: Bools) -> Array:
    """(N, C) where the vertices would be after endless subdivision."""
    degree = np.bincount(net.ends.ravel(), minlength=net.count)
    return _pulled(values, net, sharp, fixed, degree, 1 / (degree + 0.375 / _beta(degree)), 1 / 6)


def _beta(degree: Array) -> Array:
    """(N,) what one neighbour weighs at a smooth vertex."""
    count = np.maximum(degree, 1)
    return np.asarray((0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / count)) ** 2) / count)


def _pulled(values: Array, net: Net, sharp: Bools, fixed: Bools, degree: Array, weight: Array, along: float) -> Array:
    """Each vertex drawn to its neighbours with their ``weight``, (N,), or to the two on its crease, with ``along``."""
    from nodes.mesh._loop_sums import around

    lines = np.bincount(net.ends[sharp].ravel(), minlength=net.count)
    free = (lines < 2) & (degree > 1) & ~fixed
    curved = (lines == 2) & ~fixed
    out = values.astype(np.float64)
    pull = around(net.ends, values) - degree[:, None] * values
    out[free] += weight[free, None] * pull[free]
    if curved.any():
        out[curved] += along * (around(net.ends[sharp], values)[curved] - 2 * values[curved])
    return out


def _sums(place: Array, values: Array, count: int) -> Array:
    return np.stack([np.bincount(place, values[:, k], minlength=count) for k in range(values.shape[1])], axis=1)
