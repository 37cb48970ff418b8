"""How open the surroundings of surface points are, outward and inward, by rays (Embree)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.texture._loops import hemisphere

Array = NDArray[Any]
RAYS_AT_ONCE = 1 << 20


def scene_of(mesh: Mesh) -> Any:
    """The mesh as Embree traces it."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, mesh.vertices, mesh.faces)
    scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
    return scene


def closed_in(scene: Any, points: Array, normals: Array, rays: int, lift: float, reach: float, seed: int) -> Array:
    """(N,) float32 0..1: share of rays around (N, 3) unit ``normals`` that meet the surface within ``reach`` metres.

    Cosine-weighted. Along the normals this is how deep a point lies in a hollow; against them, from below the surface,
    how near it is to an outer edge.
    """
    start = points + normals * lift
    share = np.empty(len(points), np.float32)
    step = max(1, RAYS_AT_ONCE // rays)
    for first in range(0, len(points), step):
        part = slice(first, first + step)
        direction = np.empty((len(start[part]) * rays, 3), np.float32)
        hemisphere(np.ascontiguousarray(normals[part]), rays, seed + first, direction)
        origin = np.repeat(start[part].astype(np.float32), rays, axis=0)
        limit = np.full(len(origin), reach, np.float32)
        met = scene.run(origin, direction, dists=limit, query="OCCLUDED") >= 0
        share[part] = met.reshape(-1, rays).mean(axis=1)
    return share
