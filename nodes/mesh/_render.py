"""Pictures of a mesh by a software camera: depth, normals and colours, the same on every machine.

``render(mesh, *camera(30, 20, 2.5, 35, size), size)`` is one picture; who needs many prepares the mesh once with
:func:`subject`. Poses and pixels are those of :mod:`nodes.mesh._camera`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.image._pixels import to_linear, to_srgb
from nodes.mesh._camera import Array, Camera, Size

Float32 = NDArray[np.float32]
Light = Literal["none", "soft"]
GREY = (0.604, 0.623, 0.658, 1.0)
KEY = np.array([-0.42, 0.59, 0.69], np.float32)
FILL = np.array([0.84, -0.11, 0.53], np.float32)


class Rendered(NamedTuple):
    """What a camera sees, row 0 on top. Without a surface: depth NaN, normal and alpha 0, face -1.

    ``depth``: (H, W) float32 metres along the view axis. ``normal``: (H, W, 3) float32 unit vectors in camera axes (+X
    right, +Y up, +Z to the viewer), turned to the camera side of the surface. ``colour``: (H, W, 3) float32, sRGB.
    ``alpha``: (H, W) float32, share of the pixel that is covered. ``face``: (H, W) int32. ``at``: (H, W, 2) float32
    weights of the second and third corner. Depth, normal, face and weights belong to the centre of the pixel.
    """

    depth: Float32
    normal: Float32
    colour: Float32
    alpha: Float32
    face: NDArray[np.int32]
    at: Float32


@dataclass(frozen=True)
class Subject:
    """A mesh made ready: with normals, linear texture (H, W, 4), linear vertex colours, and bumps from its normal map.

    ``bumps``: (tangents (N, 4), normal map (H, W, 3) in -1..1) or None.
    """

    mesh: Mesh
    texture: Float32 | None
    colours: Float32 | None
    bumps: tuple[Array, Float32] | None


def subject(mesh: Mesh, bumps: bool = True) -> Subject:
    """Make a mesh ready. ``bumps``: the material's normal map counts too."""
    from nodes.io._tangents import with_tangents
    from nodes.mesh._shading import smooth_normals

    if mesh.normals is None:
        mesh = replace(mesh, normals=smooth_normals(mesh.vertices, mesh.faces))
    material = mesh.material if mesh.uv is not None and np.isfinite(mesh.uv).all() else None
    relief = None
    if bumps and material is not None and material.normal is not None:
        mesh, tangents = with_tangents(mesh)
        relief = tangents, np.ascontiguousarray(material.normal.rgb * 2 - 1)
    texture = None
    if material is not None and material.base_colour is not None:
        texture = _linear(material.base_colour.pixels)
    return Subject(mesh, texture, None if mesh.colours is None else _linear(mesh.colours), relief)


def render(
    mesh: Mesh | Subject, pose: Array, intrinsics: Array, size: Size, light: Light = "none", finer: int = 1
) -> Rendered:
    """One picture of ``size`` (width, height).

    ``light``: none shows the base colour as it is, soft adds a sky and two lamps that stand with the camera.
    ``finer``: colour and alpha of a pixel average ``finer`` squared samples; 0: there are no colours.
    """
    ready = mesh if isinstance(mesh, Subject) else subject(mesh)
    seen = _Seen.of(ready, Camera(pose, intrinsics), size)
    normal = np.zeros((size[1], size[0], 3), np.float32)
    normal[seen.hit] = seen.normals
    if finer == 0:
        colour, alpha = np.zeros_like(normal), seen.hit.astype(np.float32)
    elif finer == 1:
        colour, alpha = _averaged(seen, light, 1)
    else:
        scale = np.array([[finer], [finer], [1]])
        fine = _Seen.of(ready, Camera(pose, intrinsics * scale), (size[0] * finer, size[1] * finer))
        colour, alpha = _averaged(fine, light, finer)
    depth = np.where(seen.hit, seen.depth, np.nan).astype(np.float32)
    return Rendered(depth, normal, colour, alpha, seen.face, seen.at.astype(np.float32))


@dataclass(frozen=True)
class _Seen:
    """The nearest face of each sample. ``hit``: (H, W) bool; arrays of samples are in the order of ``hit``."""

    ready: Subject
    camera: Camera
    places: Array
    depth: Array
    face: NDArray[np.int32]
    at: Array
    hit: NDArray[np.bool_]
    front: NDArray[np.bool_]

    @classmethod
    def of(cls, ready: Subject, camera: Camera, size: Size) -> _Seen:
        from nodes.mesh._draw import draw

        mesh = ready.mesh
        places = _placed(mesh.vertices, camera)
        depth, face = np.full(size[::-1], np.inf), np.full(size[::-1], -1, np.int32)
        at, front = np.zeros((*size[::-1], 2)), np.zeros(len(mesh.faces), np.bool_)
        near = 1e-6 * max(float(np.abs(places[:, 2]).max(initial=0.0)), 1e-9)
        draw(places, mesh.faces, near, depth, face, at, front)
        return cls(ready, camera, places, depth, face, at, face >= 0, front)

    def value(self, rows: Array) -> Array:
        """(P, K) float64 of a (V, K) vertex attribute at every sample with a surface."""
        from nodes.mesh._draw import mixed

        out = np.empty((int(self.hit.sum()), rows.shape[1]))
        mixed(rows, self.ready.mesh.faces, self.face[self.hit], self.at[self.hit], out)
        return out

    @property
    def normals(self) -> Array:
        """(P, 3) unit, in camera axes, to the camera side."""
        mesh = self.ready.mesh
        assert mesh.normals is not None
        normal = _unit(self.value(mesh.normals))
        if self.ready.bumps is not None and mesh.uv is not None:
            tangents, relief = self.ready.bumps
            along = self.value(tangents[:, :3])
            side = np.cross(normal, along) * tangents[mesh.faces[self.face[self.hit], 0], 3:]
            bump = self.sample(relief)
            normal = _unit(along * bump[:, :1] + side * bump[:, 1:2] + normal * bump[:, 2:3])
        away = np.where(self.front[self.face[self.hit]], 1.0, -1.0)[:, None]
        turned: Array = normal * away @ self.camera.pose[:3, :3]
        return turned

    def sample(self, texture: Array) -> Array:
        """(P, C) of a texture, averaged to about one texel a sample."""
        from nodes.image._pixels import resample
        from nodes.texture._loops import look_up

        assert self.ready.mesh.uv is not None
        step = self._texels_a_sample(texture.shape[1::-1])
        if step > 1:
            smaller = max(1, texture.shape[1] // step), max(1, texture.shape[0] // step)
            texture = resample(np.asarray(texture, np.float32), smaller)
        return look_up(texture, self.value(self.ready.mesh.uv))

    def _texels_a_sample(self, size: Size) -> int:
        """A power of two: texels that the median sample spans, from the areas of a face on the texture and here."""
        mesh = self.ready.mesh
        assert mesh.uv is not None
        faces = self.face[self.hit]
        corners = mesh.faces[faces[:: max(1, len(faces) // 4096)]]
        flat = self.places[:, :2] / np.maximum(self.places[:, 2:], 1e-9)
        there, here = _area(mesh.uv[corners] * np.array(size)), _area(flat[corners])
        good = (there > 0) & (here > 0)
        if not good.any():
            return 1
        return int(2 ** max(0, np.floor(np.log2(np.sqrt(np.median(there[good] / here[good]))) + 0.5)))

    def base(self) -> Array:
        """(P, 4) linear RGBA before light: texture times vertex colour times factor, as in glTF 2.0."""
        material = self.ready.mesh.material
        plain = GREY if material is None and self.ready.colours is None else (1.0, 1.0, 1.0, 1.0)
        factor = plain if material is None else material.base_factor
        shade = np.broadcast_to(np.asarray(factor, np.float64), (int(self.hit.sum()), 4)).copy()
        if self.ready.texture is not None:
            shade *= self.sample(self.ready.texture)
        if self.ready.colours is not None:
            shade *= self.value(self.ready.colours)
        if material is None or material.alpha_mode == "opaque":
            shade[:, 3] = 1
        return shade


def _averaged(seen: _Seen, light: Light, finer: int) -> tuple[Float32, Float32]:
    """(colour (H, W, 3) sRGB, alpha (H, W)), each pixel the mean of ``finer`` squared samples in linear light."""
    base = seen.base()
    if light == "soft" and len(base):
        base[:, :3] *= _light(seen.normals)[:, None]
    high, wide = (n // finer for n in seen.hit.shape)
    samples = np.zeros((*seen.hit.shape, 4))
    samples[seen.hit] = np.concatenate([base[:, :3] * base[:, 3:], base[:, 3:]], axis=1)
    mean = samples.reshape(high, finer, wide, finer, 4).mean(axis=(1, 3))
    colour = mean[..., :3] / np.maximum(mean[..., 3:], 1e-9)
    return to_srgb(colour.astype(np.float32)), np.clip(mean[..., 3], 0, 1).astype(np.float32)


def _light(normal: Array) -> Array:
    """(P,) how bright (P, 3) camera-space normals are: a soft sky, a key lamp upper left, a fill lamp on the right."""
    sky = 0.28 + 0.10 * normal[:, 1]
    shade: Array = sky + 0.75 * np.maximum(normal @ KEY, 0) + 0.2 * np.maximum(normal @ FILL, 0)
    return shade


def _placed(vertices: Array, camera: Camera) -> Array:
    """(N, 3) float64: pixel position times depth, and depth in metres, ahead of the camera > 0."""
    turn = camera.pose[:3, :3] * (1, -1, -1) @ camera.intrinsics.T
    placed: Array = (vertices.astype(np.float64) - camera.pose[:3, 3]) @ turn
    return np.ascontiguousarray(placed)


def _linear(encoded: Float32) -> Float32:
    return np.ascontiguousarray(np.concatenate([to_linear(encoded[..., :3]), encoded[..., 3:]], axis=-1), np.float32)


def _unit(vectors: Array) -> Array:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-20)[:, None])


def _area(corners: Array) -> Array:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))
