"""Quads that a triangle mesh was made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def quad_rows(points: Array, faces: Array) -> Array:
    """(K, 4) int32: a quad for two triangles that follow one another, share a side and form a strictly convex quad.

    The other triangles have -1 as their last corner. ``points``: (N, 3), ``faces``: (M, 3); the order of faces stays.
    """
    if len(faces) < 2:
        return _closed_up(faces)
    rows, first = _pairs(points, faces)
    result = _closed_up(faces)
    result[:-1][first] = rows[first]
    return np.asarray(result[~np.concatenate([[False], first])])


def mates(points: Array, faces: Array) -> Array:
    """(M,) int32: the other triangle of the quad that a triangle belongs to, itself where there is none."""
    mate = np.arange(len(faces), dtype=np.int32)
    if len(faces) > 1:
        first = np.flatnonzero(_pairs(points, faces)[1])
        mate[first], mate[first + 1] = first + 1, first
    return mate


def _pairs(points: Array, faces: Array) -> tuple[Array, Array]:
    """(quads (M - 1, 4), which of them are taken (M - 1,)): quad k is made of triangles k and k + 1."""
    one, two = faces[:-1], faces[1:]
    rows, found = np.full((len(one), 4), -1, faces.dtype), np.zeros(len(one), bool)
    for i in range(3):
        for j in range(3):
            a, b, c = (one[:, (i + k) % 3] for k in range(3))
            shared = (two[:, j] == a) & (two[:, (j + 1) % 3] == c)
            apex = two[:, (j + 2) % 3]
            here = shared & ~found & (apex != b)
            rows[here] = np.stack([a, b, c, apex], axis=1)[here]
            found |= here
    found[found] = _convex(points, rows[found])
    number = np.arange(len(found))
    before = np.maximum.accumulate(np.where(found, -1, number))
    return rows, found & ((number - before) % 2 == 1)


def _closed_up(faces: Array) -> Array:
    return np.concatenate([faces, np.full((len(faces), 1), -1, faces.dtype)], axis=1)


def _convex(points: Array, quads: Array) -> Array:
    """(Q,) whether each corner turns the way of the whole."""
    at = points[quads].astype(np.float64)
    side = np.roll(at, -1, axis=1) - at
    corner = np.cross(np.roll(side, 1, axis=1), side)
    whole = np.cross(at[:, 2] - at[:, 0], at[:, 3] - at[:, 1])
    sine = np.einsum("ijk,ik->ij", corner, whole)
    return np.asarray((sine > 1e-3 * np.abs(sine).max(axis=1, keepdims=True)).all(axis=1))
