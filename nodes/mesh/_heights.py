"""Heights of a surface at its places: from a picture over its UVs or from three sides, or from noise in space."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image
from nodes.image._pixels import resample
from nodes.image._tones import brightness
from nodes.mesh._refine import Sheet

Array = NDArray[Any]
SHARPNESS = 8.0
GAIN = 0.5
PIXELS_A_CELL = 8


@dataclass(frozen=True)
class Heights:
    """A source of heights, 0..1. ``picture``: (H, W, 1) float32, or None for noise. ``tile``: metres of one repeat, or
    of the largest bumps of the noise; 0: the picture lies on the UVs. ``octaves``, ``seed``: of the noise."""

    picture: Array | None
    tile: float
    octaves: int = 1
    seed: int = 0

    def pixels(self, sheet: Sheet) -> Array:
        """(M, 3) length of each side in pixels; noise has eight to its smallest bumps."""
        if self.picture is None:
            return np.asarray(sheet.sides * (PIXELS_A_CELL * 2 ** (self.octaves - 1) / self.tile))
        height, width = self.picture.shape[:2]
        if self.tile:
            return np.asarray(sheet.sides * (width / self.tile))
        return np.asarray(np.linalg.norm(sheet.uv_sides * (width, height), axis=2))

    def no_finer_than(self, pixels: float) -> Heights:
        """With a picture averaged to about one pixel for every ``pixels``, so that what lies between does not count."""
        if self.picture is None or pixels < 2:
            return self
        height, width = self.picture.shape[:2]
        smaller = max(1, round(width / pixels)), max(1, round(height / pixels))
        return replace(self, picture=np.ascontiguousarray(resample(self.picture[..., 0], smaller))[..., None])

    def at(self, points: Array, normals: Array, uv: Array | None) -> Array:
        """(N,) float64 at (N, 3) points with (N, 3) unit normals and (N, 2) UVs."""
        if self.picture is None:
            return self._noise(points)
        if not self.tile:
            assert uv is not None
            return picked(self.picture, uv)
        return self._from_three_sides(self.picture, points, normals)

    def _noise(self, points: Array) -> Array:
        from nodes.texture._noise import solid

        out = np.empty(len(points))
        solid(points / self.tile, self.octaves, GAIN, self.seed, out)
        return np.asarray(out / 2 + 0.5)

    def _from_three_sides(self, picture: Array, points: Array, normals: Array) -> Array:
        """As Triplanar lays it."""
        from nodes.texture._loops import look_up
        from nodes.texture._three import FLIPPED, RIGHT, UP

        weight = np.abs(normals) ** SHARPNESS
        weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-20)
        total = np.zeros(len(points))
        for axis in range(3):
            flip = np.where(normals[:, axis, None] >= 0, 1.0, FLIPPED[axis])
            uv = np.stack([points @ RIGHT[axis] * flip[:, 0], points @ UP[axis] * flip[:, 1]], axis=1) / self.tile
            total += weight[:, axis] * look_up(picture, uv)[:, 0]
        return total


def picture_of(image: Image) -> Array:
    """(H, W, 1) float32 heights 0..1 of a grey picture, or the brightness of one with colours."""
    coloured = float(np.ptp(image.rgb, axis=2).max()) > 1e-6
    level = brightness(image.rgb) if coloured else image.rgb[..., 0]
    return np.ascontiguousarray(level, np.float32)[..., None]


def picked(picture: Array, uv: Array) -> Array:
    """Between pixel centres; beyond the outermost ones the picture goes on evenly, or repeats where UVs leave 0..1."""
    from nodes.texture._loops import look_up

    if uv.min(initial=0) > -1e-4 and uv.max(initial=0) < 1 + 1e-4:
        edge = 0.5 / np.array(picture.shape[1::-1])
        uv = np.clip(uv, edge, 1 - edge)
    return np.asarray(look_up(picture, uv)[:, 0], np.float64)
