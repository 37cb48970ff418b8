"""How copies stand on a surface."""

from __future__ import annotations

import numpy as np

from app.engine import Mesh
from nodes.mesh._copies import Array, Spots
from nodes.mesh._sprinkle import Dots
from nodes.mesh._topology import face_vectors

UP = np.array([0.0, 1.0, 0.0])


def planted(
    ground: Mesh,
    dots: Dots,
    upright: float,
    chances: tuple[float, float, float, float],
    sink: float,
    rng: np.random.Generator,
) -> tuple[Spots, Array]:
    """Spots on the dots, and (N, 3) the directions in which the copies stand.

    ``chances``: random turn and random tilt, degrees; least and largest factor of the size.
    """
    turn, tilt, low, high = chances
    many = len(dots.at)
    if ground.normals is not None:
        normal = _unit(dots.value(ground, ground.normals))
    else:
        normal = _unit(face_vectors(ground.vertices, ground.faces)[dots.face])
    up = (1 - upright) * normal + upright * UP
    size = np.linalg.norm(up, axis=1, keepdims=True)
    up = np.where(size > 1e-6, up / np.maximum(size, 1e-6), normal)
    lean, way = np.radians(tilt) * rng.random(many), 2 * np.pi * rng.random(many)
    leaning = np.stack([np.sin(lean) * np.cos(way), np.cos(lean), np.sin(lean) * np.sin(way)], axis=1)
    stand = np.einsum("nij,nj->ni", raised(up), leaning)
    turns = raised(stand) @ _spun(np.radians(turn) * rng.random(many))
    scales = low + (high - low) * rng.random(many)
    return Spots(dots.at - stand * sink, turns, scales), stand


def raised(up: Array) -> Array:
    """(N, 3, 3) the smallest rotation that takes +Y to each of (N, 3) unit vectors."""
    x, y, z = up.T
    flip = y < -1 + 1e-9
    k = 1 / np.where(flip, 1.0, 1 + y)
    turn = np.stack([1 - x * x * k, x, -x * z * k, -x, y, -z, -x * z * k, z, 1 - z * z * k], axis=1).reshape(-1, 3, 3)
    turn[flip] = np.diag([1.0, -1.0, -1.0])
    return turn


def _spun(angle: Array) -> Array:
    """(N, 3, 3) rotations about +Y."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2] = np.sin(angle)
    turn[:, 2, 0] = -turn[:, 0, 2]
    return turn


def _unit(vectors: Array) -> Array:
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(size > 1e-20, vectors / np.maximum(size, 1e-20), UP)
