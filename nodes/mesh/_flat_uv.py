"""UVs for new, flat surfaces: seen straight on, at the texel density that the mesh has elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import face_vectors

Array = NDArray[Any]


def density_of(mesh: Mesh) -> float:
    """UV units per metre, over the whole surface; 1 where the mesh has no UVs or none with area."""
    if mesh.uv is None or not len(mesh.faces):
        return 1.0
    corner = mesh.uv[mesh.faces].astype(np.float64)
    (ux, uy), (vx, vy) = (corner[:, 1] - corner[:, 0]).T, (corner[:, 2] - corner[:, 0]).T
    laid = float(np.abs(ux * vy - uy * vx).sum())
    real = float(np.linalg.norm(face_vectors(mesh.vertices, mesh.faces), axis=1).sum())
    return float(np.sqrt(laid / real)) if laid > 0 and real > 0 else 1.0


def frame_of(normal: Array) -> Array:
    """(2, 3) unit vectors to the right and upwards for one who looks at a plane against its ``normal``."""
    up = np.array((0.0, 1.0, 0.0)) if abs(normal[1]) < 0.9 else np.array((0.0, 0.0, -np.sign(normal[1])))
    right = np.cross(up, normal)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(normal, right)])


def flat_uv(points: Array, normal: Array, density: float) -> Array:
    """(N, 2) float32 UVs of points in a plane, the left bottom one of their box at 0, 0."""
    at = (points.astype(np.float64) @ frame_of(normal).T) * density
    return np.asarray(at - at.min(axis=0)).astype(np.float32) if len(at) else at.astype(np.float32)


def boxed(mesh: Mesh, density: float) -> Mesh:
    """The mesh with UVs seen from the six sides of a box, each face from the one it looks to most."""
    facing = face_vectors(mesh.vertices, mesh.faces)
    axis = np.abs(facing).argmax(axis=1)
    side = 2 * axis + (facing[np.arange(len(facing)), axis] < 0)
    key = mesh.faces.astype(np.int64) * 6 + side[:, None]
    names, corners = np.unique(key, return_inverse=True)
    source, seen_from = names // 6, names % 6
    at, uv = mesh.vertices[source], np.zeros((len(names), 2), np.float32)
    for k in range(6):
        here = seen_from == k
        uv[here] = flat_uv(at[here], np.eye(3)[k // 2] * (1 - 2 * (k % 2)), density)
    return replace(
        mesh,
        vertices=at,
        faces=corners.reshape(-1, 3).astype(np.int32),
        normals=None if mesh.normals is None else mesh.normals[source],
        uv=uv,
        colours=None if mesh.colours is None else mesh.colours[source],
    )
