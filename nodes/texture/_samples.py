"""What each kind of map holds at points of the target: one function a map, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._blend import blend
from nodes.mesh._once import once
from nodes.mesh._wide import Wide
from nodes.texture._loops import into_frame, look_up
from nodes.texture._sky import Sky, first_from, openness, thickness
from nodes.texture._surface import GREYS, Hits, Surface, unit

Array = NDArray[Any]


@dataclass(frozen=True)
class Order:
    """What to bake. ``size``: texels a side. ``fine``: samples per texel and axis. ``reach``: metres.

    ``maps``: names of the wanted maps. ``tree``: of the source, for a cage. ``sky``: how to send rays, or None.
    ``bend``: (V, 1) curvature of the source, 1/m; ``radius``: metres, of the sphere that is white. ``group``: (M,)
    int64 numbers of the source's faces. ``picture``: (H, W, 4) linear, over the source's UVs. ``tangent``: whether the
    mean open direction is told in tangent space.
    """

    size: int
    fine: int
    reach: float
    maps: tuple[str, ...]
    tree: Wide | None = None
    sky: Sky | None = None
    bend: Array | None = None
    radius: float = 1.0
    group: Array | None = None
    picture: Array | None = None
    tangent: bool = True


@dataclass(frozen=True)
class Receiver:
    """The target made ready: corners in sample texels, normals for the rays, normals and tangents for shading.

    ``cage``: (3 M, 3) the corner positions of the cage, face by face, or None.
    """

    mesh: Mesh
    corners: Array
    rays: Array
    normals: Array
    tangents: Array
    cage: Array | None = None


@dataclass(frozen=True)
class Samples:
    """N points of the target: ``face`` (N,), ``at`` (N, 3) whose last two are u, v, ``number`` (N,) of the sample."""

    surface: Surface
    receiver: Receiver
    order: Order
    face: Array
    at: Array
    number: Array

    @once
    def hits(self) -> Hits:
        """The points of the source that they show."""
        mesh, rays = self.receiver.mesh, self.receiver.rays
        points = blend(mesh.vertices, mesh.faces, self.face, self.at)
        cage = self.receiver.cage
        if cage is None:
            way = unit(blend(rays, mesh.faces, self.face, self.at))
            return self.surface.find(points, way, self.order.reach)
        assert self.order.tree is not None
        outer = blend(cage, np.arange(len(cage)).reshape(-1, 3), self.face, self.at)
        inward = points - outer
        long = np.linalg.norm(inward, axis=1)
        inward = unit(inward)
        face, at = first_from(self.order.tree, outer, inward, 2 * long)
        at[:, 0] = long - at[:, 0]
        return self.surface.completed(points, -inward, face, at)

    @once
    def points(self) -> Array:
        return self.surface.positions(self.hits.face, self.hits.at)

    @once
    def normal(self) -> Array:
        return unit(self.surface.value(self.surface.normals, self.hits))

    @once
    def flat(self) -> Array:
        """(N, 3) unit normals of the faces themselves, on the side of the vertex normals."""
        a, b, c = (self.surface.mesh.vertices[self.surface.mesh.faces[self.hits.face, k]] for k in range(3))
        across = np.cross((b - a).astype(np.float64), (c - a).astype(np.float64))
        long = np.linalg.norm(across, axis=1, keepdims=True)
        flat = np.where(long > 1e-30, across / np.maximum(long, 1e-30), self.normal)
        return np.where(np.einsum("ij,ij->i", flat, self.normal)[:, None] < 0, -flat, flat)

    @once
    def open(self) -> tuple[Array, Array]:
        sky = self._sky
        return openness(sky, self.points, self.normal, self.flat, self.number, sky.reach)

    @property
    def _sky(self) -> Sky:
        assert self.order.sky is not None
        return self.order.sky

    def crevices(self) -> Array:
        sky = self._sky
        return openness(sky, self.points, self.normal, self.flat, self.number, sky.near)[0][:, None]

    def depth(self) -> Array:
        sky = self._sky
        return thickness(sky, self.points, self.normal, self.flat, self.number)[:, None] / sky.deep

    def in_frame(self, vectors: Array) -> Array:
        """(N, 3): unit vectors in the frame in which a viewer reads a normal map (OpenGL, +Y up)."""
        receiver, faces = self.receiver, self.receiver.mesh.faces
        up = unit(blend(receiver.normals, faces, self.face, self.at))
        along = unit(blend(receiver.tangents[:, :3], faces, self.face, self.at))
        out = np.empty_like(up)
        into_frame(along, up, receiver.tangents[faces[self.face, 0], 3].astype(np.float64), vectors, out)
        return out

    def bent(self) -> Array:
        return self.in_frame(self.open[1]) if self.order.tangent else self.open[1]

    def curvature(self) -> Array:
        assert self.order.bend is not None
        return np.clip(self.surface.value(self.order.bend, self.hits) * self.order.radius, -1, 1) / 2 + 0.5

    def relief(self) -> Array:
        return np.clip(self.hits.at[:, :1] / self.order.reach, -1, 1) / 2 + 0.5

    def position(self) -> Array:
        low, high = self.surface.bounds
        extent = (high - low).astype(np.float64)
        return np.clip((self.points - low) / np.where(extent > 0, extent, 1), 0, 1)

    def ids(self) -> Array:
        assert self.order.group is not None
        return np.asarray(self.order.group[self.hits.face])[:, None]

    def vertex_colour(self) -> Array:
        colours = self.surface.colours
        return np.ones((len(self.face), 4)) if colours is None else self.surface.value(colours, self.hits)

    def other_picture(self) -> Array:
        assert self.order.picture is not None
        return look_up(self.order.picture, self.surface.uv(self.hits))

    def own_map(self, name: str) -> Array:
        sampled = self.surface.sample(name, self.hits)
        return sampled[:, :1] if name in GREYS else sampled


MAPS: dict[str, tuple[int, Callable[[Samples], Array]]] = {
    "base_colour": (4, lambda s: s.surface.base_colour(s.hits)),
    "normal": (3, lambda s: s.in_frame(s.surface.shading(s.hits))),
    "object_normal": (3, lambda s: s.surface.shading(s.hits)),
    "ambient": (1, lambda s: s.open[0][:, None]),
    "bent_normal": (3, Samples.bent),
    "curvature": (1, Samples.curvature),
    "relief": (1, Samples.relief),
    "position": (3, Samples.position),
    "thickness": (1, Samples.depth),
    "cavity": (1, Samples.crevices),
    "ids": (1, Samples.ids),
    "vertex_colour": (4, Samples.vertex_colour),
    "picture": (4, Samples.other_picture),
}


def channels_of(name: str) -> int:
    """How many numbers a texel of the map holds."""
    return MAPS[name][0] if name in MAPS else 1 if name in GREYS else 3


def values_of(name: str, samples: Samples) -> Array:
    """(N, channels)."""
    return MAPS[name][1](samples) if name in MAPS else samples.own_map(name)
