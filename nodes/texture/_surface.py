"""The surface that is baked from: where its points are, what colour, normal and other maps they have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material, Mesh
from nodes.image._pixels import to_linear
from nodes.io._tangents import with_tangents
from nodes.mesh._blend import blend
from nodes.mesh._bvh import Tree, along, build, nearest
from nodes.mesh._shading import smooth_normals

Array = NDArray[Any]
GREYS = ("metallic", "roughness", "occlusion", "height")
FACING = 0.2


@dataclass(frozen=True)
class Hits:
    """``face``: (N,) of the source. ``at``: (N, 3) signed distance along the ray, u, v. ``far``: (N,) found by nearest
    point because nothing lay within reach."""

    face: Array
    at: Array
    far: Array


@dataclass(frozen=True)
class Surface:
    """A source mesh made ready: search tree, normals, linear textures by name, linear vertex colours, tangents."""

    mesh: Mesh
    normals: Array
    tree: Tree
    textures: dict[str, Array] = field(default_factory=dict)
    colours: Array | None = None
    tangents: Array | None = None

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """(lowest corner, highest corner), metres."""
        return self.mesh.bounds

    def find(self, points: Array, directions: Array, reach: float) -> Hits:
        """The surface point for each of (N, 3) points: along the line both ways, else the nearest that looks alike."""
        return self.completed(points, directions, *along(self.tree, points, directions, reach))

    def completed(self, points: Array, directions: Array, face: Array, at: Array) -> Hits:
        """Points found so far, and where ``face`` is -1 the nearest that looks like ``directions``, else the nearest.

        The distance of those is told along ``directions`` too.
        """
        far = face < 0
        for least in (FACING, -1.0):
            lost = np.flatnonzero(face < 0)
            if len(lost):
                face[lost], at[lost] = nearest(self.tree, points[lost], directions[lost], least)
        aside = np.flatnonzero(far)
        if len(aside):
            offset = self.positions(face[aside], at[aside]) - points[aside]
            at[aside, 0] = np.einsum("ij,ij->i", offset, directions[aside])
        return Hits(face, at, far)

    def positions(self, face: Array, at: Array) -> Array:
        """(N, 3) float64."""
        return blend(self.mesh.vertices, self.mesh.faces, face, at)

    def value(self, rows: Array, hits: Hits) -> Array:
        """(N, K) float64 of a (V, K) vertex attribute."""
        return blend(rows, self.mesh.faces, hits.face, hits.at)

    def uv(self, hits: Hits) -> Array:
        assert self.mesh.uv is not None
        return self.value(self.mesh.uv, hits)

    def base_colour(self, hits: Hits) -> Array:
        """(N, 4) linear RGBA: texture times vertex colour times factor, as a glTF viewer shows it."""
        factor = self.mesh.material.base_factor if self.mesh.material else (1.0, 1.0, 1.0, 1.0)
        shade = np.broadcast_to(np.asarray(factor, np.float32), (len(hits.face), 4)).copy()
        if "base_colour" in self.textures:
            shade *= self.sample("base_colour", hits)
        if self.colours is not None:
            shade *= self.value(self.colours, hits).astype(np.float32)
        return shade

    def sample(self, name: str, hits: Hits) -> Array:
        """(N, C) of a texture, linear."""
        from nodes.texture._loops import look_up

        return look_up(self.textures[name], self.uv(hits))

    def shading(self, hits: Hits) -> Array:
        """(N, 3) unit normals in world space, the source's own normal map included."""
        normal = unit(self.value(self.normals, hits))
        if self.tangents is None:
            return normal
        tangent = self.value(self.tangents[:, :3], hits)
        side = np.cross(normal, tangent) * self.tangents[self.mesh.faces[hits.face, 0], 3:]
        bump = self.sample("normal", hits) * 2 - 1
        return unit(tangent * bump[:, :1] + side * bump[:, 1:2] + normal * bump[:, 2:3])


def unit(vectors: Array) -> Array:
    """(N, 3) vectors of length 1."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-20)[:, None])


def surface_of(mesh: Mesh) -> Surface:
    """Make a source ready. Textures need UVs; without them only factors and vertex colours count."""
    if mesh.normals is None:
        mesh = replace(mesh, normals=smooth_normals(mesh.vertices, mesh.faces))
    textures = _textures(mesh.material) if mesh.material and mesh.uv is not None else {}
    tangents = None
    if "normal" in textures:
        mesh, tangents = with_tangents(mesh)
    assert mesh.normals is not None
    colours = None if mesh.colours is None else _linear(mesh.colours)
    return Surface(mesh, mesh.normals, build(mesh.vertices, mesh.faces), textures, colours, tangents)


def _textures(material: Material) -> dict[str, Array]:
    present: dict[str, Image] = {n: getattr(material, n) for n in material.MAPS if getattr(material, n) is not None}
    shapes = {"base_colour": slice(0, 4), **dict.fromkeys(GREYS, slice(0, 1))}
    return {
        name: np.ascontiguousarray(
            (image.pixels if image.space == "data" else _linear(image.pixels))[..., shapes.get(name, slice(0, 3))]
        )
        for name, image in present.items()
    }


def _linear(rgba: Array) -> Array:
    return np.concatenate([to_linear(rgba[..., :3]), rgba[..., 3:]], axis=-1)
