"""Pictures laid on a surface from three sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mesh
from nodes.image._pixels import resample, to_linear
from nodes.io._tangents import with_tangents
from nodes.texture._loops import into_frame, look_up
from nodes.texture._margin import Margin
from nodes.texture._scaling import vectors
from nodes.texture._texels import Texels

Array = NDArray[Any]
MARGIN = 16
# to the right and up in the picture, as world axes, for a surface that faces +X, +Y, +Z; mirrored on the other side
RIGHT = np.array([[0, 0, -1], [1, 0, 0], [1, 0, 0]], np.float64)
UP = np.array([[0, 1, 0], [0, 0, -1], [0, 1, 0]], np.float64)
FLIPPED = np.array([[-1, 1], [1, -1], [-1, 1]], np.float64)


@dataclass
class Cloth:
    """``pictures``: linear (H, W, C) by map. ``out``: the texture in the making, (S, S, C) by map."""

    mesh: Mesh
    tangents: Array
    pictures: dict[str, Array]
    tile: float
    sharpness: float
    turn: float
    lively: bool
    out: dict[str, Array] = field(default_factory=dict)
    filled: Array = field(default_factory=lambda: np.zeros((0, 0), np.bool_))

    @classmethod
    def of(
        cls, mesh: Mesh, linked: dict[str, Image], tile: float, sharpness: float, turn: float, lively: bool, size: int
    ) -> Cloth:
        mesh, tangents = with_tangents(mesh)
        coarse = _texels_a_tile(mesh, tile, size)
        pictures = {name: _reduced(_values(name, image), coarse) for name, image in linked.items()}
        out = {name: np.zeros((size, size, p.shape[2]), np.float32) for name, p in pictures.items()}
        return cls(mesh, tangents, pictures, tile, sharpness, np.radians(turn), lively, out,
                   np.zeros((size, size), np.bool_))  # fmt: skip

    def lay(self, texels: Texels) -> None:
        """Fill the texels of a band."""
        weight = np.abs(texels.normals) ** self.sharpness
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-20)
        frames = [self._frame(axis, texels) for axis in range(3)]
        for name, picture in self.pictures.items():
            seen = [look_up(picture, uv) for uv, _, _ in frames]
            values = (
                self._normal(texels, seen, frames, weight) if name == "normal" else self._mixed(seen, weight, picture)
            )
            self.out[name].reshape(-1, picture.shape[2])[texels.place] = values
        self.filled.reshape(-1)[texels.place] = True

    def _frame(self, axis: int, texels: Texels) -> tuple[Array, Array, Array]:
        """(K, 2) UVs of the picture that looks along an axis, and (K, 3) its right and up in space."""
        ahead = texels.normals[:, axis] >= 0
        flip = np.where(ahead[:, None], 1.0, FLIPPED[axis])
        right, up = RIGHT[axis] * flip[:, :1], UP[axis] * flip[:, 1:]
        c, s = np.cos(self.turn), np.sin(self.turn)
        right, up = c * right + s * up, c * up - s * right
        uv = np.stack([np.einsum("nk,nk->n", texels.points, way) for way in (right, up)], axis=1) / self.tile
        return uv, right, up

    def _mixed(self, seen: list[Array], weight: Array, picture: Array) -> Array:
        """Weighted mean; contrast around the picture's mean is kept (Heitz and Neyret 2018)."""
        total = sum(weight[:, k, None] * seen[k] for k in range(3))
        if not self.lively:
            return np.asarray(total, np.float32)
        mean = picture.mean(axis=(0, 1), dtype=np.float64)
        lift = 1 / np.sqrt(np.square(weight).sum(axis=1, keepdims=True))
        return np.asarray(np.clip(mean + (total - mean) * lift, 0, 1), np.float32)

    def _normal(self, texels: Texels, seen: list[Array], frames: list[Any], weight: Array) -> Array:
        """Each picture's relief tilts the surface normal along its own right and up; then into tangent space."""
        normal, total = texels.normals, np.zeros_like(texels.normals)
        for k, (_, right, up) in enumerate(frames):
            upright = np.maximum(seen[k][:, 2:], 0.05)
            tilt = seen[k][:, :1] / upright * right + seen[k][:, 1:2] / upright * up
            total += weight[:, k, None] * tilt
        total -= normal * np.einsum("nk,nk->n", normal, total)[:, None]
        found = normal + total
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        along = texels.value(self.tangents[:, :3])
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-20)
        hand = self.tangents[self.mesh.faces[texels.face, 0], 3].astype(np.float64)
        out = np.empty_like(found)
        into_frame(along, np.ascontiguousarray(normal), hand, found, out)
        return out.astype(np.float32)

    def maps(self) -> dict[str, Array]:
        edge = Margin(self.filled, MARGIN)
        return {name: edge.fill(values) for name, values in self.out.items()}


def _values(name: str, image: Image) -> Array:
    if name == "normal":
        return vectors(image)
    if name == "base_colour":
        rgb = to_linear(image.rgb) if image.space == "srgb" else image.rgb
        return np.ascontiguousarray(np.dstack([rgb, image.alpha]))
    return np.ascontiguousarray(image.pixels[..., :1])


def _texels_a_tile(mesh: Mesh, tile: float, size: int) -> float:
    """Texels of the texture along one repeat, for the median face."""
    assert mesh.uv is not None
    corner, flat = mesh.vertices[mesh.faces].astype(np.float64), mesh.uv[mesh.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    there = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) * size**2
    good = (area > 0) & (there > 0)
    return float(tile * np.sqrt(np.median(there[good] / area[good]))) if good.any() else float(size)


def _reduced(values: Array, texels: float) -> Array:
    """Averaged to about one pixel a texel, so that fine pictures do not flicker."""
    step = values.shape[1] / max(texels, 1)
    if step < 1.5:
        return np.ascontiguousarray(values, np.float32)
    size = (max(1, round(values.shape[1] / step)), max(1, round(values.shape[0] / step)))
    return np.ascontiguousarray(resample(np.asarray(values, np.float32), size).reshape(size[1], size[0], -1))
