"""Where the objects of a :class:`Scene` stand in the world, and their meshes moved there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.payloads import Mesh, Scene

Float64 = NDArray[np.float64]


def worlds(scene: Scene) -> Float64:
    """(K, 4, 4) float64 object to world."""
    found = scene.places.astype(np.float64)
    for k in np.flatnonzero(scene.parents >= 0):
        found[k] = found[scene.parents[k]] @ found[k]
    return found


def placed(scene: Scene) -> Iterator[tuple[int, int, Float64]]:
    """(object, mesh, (4, 4) to the world) of everything there is to see, in order."""
    found = worlds(scene)
    for k, row in enumerate(scene.parts):
        for mesh in row:
            yield k, mesh, found[k]


def moved(mesh: Mesh, matrix: NDArray[Any]) -> Mesh:
    """The mesh with a (4, 4) affine ``matrix`` applied; a mirror turns its faces round, so that they face outwards."""
    if np.array_equal(matrix, np.eye(4)):
        return mesh
    linear = np.asarray(matrix, np.float64)[:3, :3]
    vertices = (mesh.vertices.astype(np.float64) @ linear.T + matrix[:3, 3]).astype(np.float32)
    volume = float(np.linalg.det(linear))
    faces = np.ascontiguousarray(mesh.faces[:, ::-1]) if volume < 0 else mesh.faces
    return replace(mesh, vertices=vertices, faces=faces, normals=_turned(mesh.normals, linear, volume))


def _turned(normals: NDArray[np.float32] | None, linear: Float64, volume: float) -> NDArray[np.float32] | None:
    """By the inverse transpose, as normals are; None where the matrix flattens the mesh."""
    if normals is None or abs(volume) < 1e-30:
        return None
    turned = normals.astype(np.float64) @ np.linalg.inv(linear)
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-30)
    return turned.astype(np.float32)


def in_place(scene: Scene) -> tuple[Mesh, ...]:
    """Every mesh of every object moved to where it stands, instances each for itself, named as their objects."""
    return tuple(replace(moved(scene.meshes[m], to), name=scene.names[k]) for k, m, to in placed(scene))
