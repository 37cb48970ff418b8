"""Axes that a shape has by itself, with their signs, and the turn that brings them onto the axes of the world."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import Ints, face_vectors

Array = NDArray[Any]
EVEN = 1e-3


def area_moments(vertices: Array, faces: Ints) -> tuple[Array, Array]:
    """((3,) centre, (3, 3) covariance) of the area, exact for flat triangles."""
    at = vertices[faces].astype(np.float64)
    area = np.linalg.norm(face_vectors(vertices, faces), axis=1)
    area /= max(float(area.sum()), 1e-300)
    centre = np.asarray(area @ at.mean(axis=1))
    at -= centre
    total = at.sum(axis=1)
    second = np.einsum("i,ij,ik->jk", area, total, total)
    for corner in range(3):
        second += np.einsum("i,ij,ik->jk", area, at[:, corner], at[:, corner])
    return centre, second / 12


def skewness(vertices: Array, faces: Ints, centre: Array, axes: Array) -> Array:
    """(K,) of the area along (K, 3) unit axes: third moment by the power 3/2 of the second; 0 for even shapes."""
    area = np.linalg.norm(face_vectors(vertices, faces), axis=1)
    area /= max(float(area.sum()), 1e-300)
    out = []
    for axis in axes:
        a, b, c = ((vertices.astype(np.float64) - centre) @ axis)[faces].T
        second = a * a + b * b + c * c + a * b + b * c + c * a
        third = a * a * (a + b + c) + b * b * (b + c + a) + c * c * (c + a + b) + a * b * c
        out.append(float(area @ third) / 10 / max((float(area @ second) / 6) ** 1.5, 1e-300))
    return np.array(out)


def principal_axes(vertices: Array, faces: Ints) -> Array:
    """(3, 3) unit axes in rows, those along which the shape extends farthest first."""
    _, spread = area_moments(vertices, faces)
    axes = np.linalg.eigh(spread)[1].T
    used = vertices[np.unique(faces)].astype(np.float64)
    return np.asarray(axes[np.argsort(-np.ptp(used @ axes.T, axis=0), kind="stable")])


def onto_axes(axes: Array, skew: Array, order: tuple[int, int, int]) -> Array:
    """(3, 3) rotation that takes axis k, (3,) unit rows, to the world's axis ``order[k]``.

    The longer tail of the shape looks forward: an axis with a negative ``skew`` is turned round. Of three signs two are
    free, so what is told most clearly counts. Where the shape is even it turns as little as possible.
    """
    told = np.where(np.abs(skew) > EVEN, np.round(skew, 3), 0.0)
    ahead = axes[range(3), list(order)]
    odd = np.linalg.det(np.eye(3)[list(order)]) * np.linalg.det(axes) < 0
    signs = [np.array([a, b, a * b * (-1 if odd else 1)]) for a in (1, -1) for b in (1, -1)]
    best = max(signs, key=lambda sign: (round(float(sign @ told), 6), float(sign @ ahead)))
    turn = np.zeros((3, 3))
    turn[list(order)] = best[:, None] * axes
    return turn
