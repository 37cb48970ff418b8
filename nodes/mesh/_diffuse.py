"""Smoothing to a length: one backward step of curvature flow, the same however fine the triangles are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._shading import corner_angles
from nodes.mesh._topology import Ints, edges_of, face_vectors

Array = NDArray[Any]
EXACT = 1e-5
MOST = 2_000


def cotangents(points: Array, faces: Ints, sides: Ints) -> Array:
    """(E,) half the sum of the cotangents opposite each edge (Pinkall and Polthier 1993), never negative."""
    angle = np.clip(corner_angles(points, faces), 1e-3, np.pi - 1e-3)
    opposite = np.roll(angle, 1, axis=1)
    total = np.bincount(sides.ravel(), 1 / np.tan(opposite).ravel())
    return np.maximum(total / 2, 0.0)


def diffused(points: Array, faces: Ints, wave: float, keep_borders: bool, told: Callable[[], None]) -> Array:
    """(K, 3) float64: (A + t L) x' = A x with t = (wave / 2 pi)² (backward Euler, Desbrun et al. 1999).

    A: area of each vertex, L: cotangent weights. A ripple of length ``wave``, metres, keeps half its height, longer
    ones more. Conjugate gradients on the way to go, (K, 3), from 0; what has no faces stays.
    """
    from scipy.sparse import coo_array

    edges = edges_of(faces)
    weight = (wave / (2 * np.pi)) ** 2 * cotangents(points, faces, edges.sides)
    area = np.linalg.norm(face_vectors(points, faces), axis=1) / 6
    mass = np.bincount(faces.ravel(), np.repeat(area, 3), minlength=len(points))
    a, b = edges.ends.T
    total = np.bincount(np.concatenate([a, b]), np.tile(weight, 2), minlength=len(points))
    free = (total > 0) & (mass > 0)
    if keep_borders:
        free[edges.ends[edges.boundary].ravel()] = False
    places = np.concatenate([a, b]), np.concatenate([b, a])
    mixing = coo_array((np.tile(weight, 2), places), shape=(len(points), len(points))).tocsr()
    centre = points.mean(axis=0)
    pull = mixing @ (points - centre) - total[:, None] * (points - centre)
    return np.asarray(points + _solved(mixing, mass + total, np.where(free[:, None], pull, 0.0), free, told))


def _solved(mixing: Any, diagonal: Array, wanted: Array, free: Array, told: Callable[[], None]) -> Array:
    """d with diagonal * d - mixing @ d = wanted, where ``free``, else 0; all columns in one go (Jacobi weights)."""
    ease = np.where(free, 1 / np.where(free, diagonal, 1.0), 0.0)[:, None]
    found, left = np.zeros_like(wanted), wanted.copy()
    way = ease * left
    size = first = np.einsum("ij,ij->j", left, way)
    for _ in range(MOST):
        if (size <= EXACT**2 * first).all():
            break
        told()
        turned = np.where(free[:, None], diagonal[:, None] * way - mixing @ way, 0.0)
        step = size / np.maximum(np.einsum("ij,ij->j", way, turned), 1e-300)
        found += step * way
        left -= step * turned
        eased = ease * left
        size, before = np.einsum("ij,ij->j", left, eased), size
        way = eased + size / np.maximum(before, 1e-300) * way
    return found
