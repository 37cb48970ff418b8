"""Ambient occlusion by rays, with Embree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nodes.texture._surface import Hits, Surface

Array = NDArray[Any]
RAYS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Shade:
    """``rays``: per sample. ``lift``: metres above the surface where rays start. ``reach``: metres they look far."""

    scene: Any
    rays: int
    lift: float
    reach: float

    def openness(self, surface: Surface, hits: Hits, seed: int) -> Array:
        """(N,) float32 in 0..1: cosine-weighted share of rays from each hit that meet nothing."""
        from nodes.texture._loops import hemisphere
        from nodes.texture._surface import unit

        normal = unit(surface.value(surface.normals, hits))
        start = surface.positions(hits.face, hits.at) + normal * self.lift
        share = np.empty(len(start), np.float32)
        step = max(1, RAYS_AT_ONCE // self.rays)
        for first in range(0, len(start), step):
            part = slice(first, first + step)
            direction = np.empty((len(start[part]) * self.rays, 3), np.float32)
            hemisphere(np.ascontiguousarray(normal[part]), self.rays, seed + first, direction)
            origin = np.repeat(start[part].astype(np.float32), self.rays, axis=0)
            reach = np.full(len(origin), self.reach, np.float32)
            met = self.scene.run(origin, direction, dists=reach, query="OCCLUDED") >= 0
            share[part] = 1.0 - met.reshape(-1, self.rays).mean(axis=1)
        return share


def shade_of(surface: Surface, rays: int, lift: float, reach: float) -> Shade:
    """Build the Embree scene of the source."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, surface.mesh.vertices, surface.mesh.faces)
    scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
    return Shade(scene, rays, lift, reach)
