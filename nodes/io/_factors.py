"""Material factors multiplied into their maps, for files and sheets that keep maps alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine import Material
from nodes.image._pixels import to_linear, to_srgb

Float32 = NDArray[np.float32]


def times_factor(pixels: Float32, name: str, material: Material) -> Float32:
    """(H, W, 4) of the map ``name``, times the material's factor for it: in linear light for colours."""
    if name == "base_colour":
        return _tinted(pixels, material.base_factor)
    if name == "emissive":
        return _tinted(pixels, (*material.emissive_factor, 1.0))
    factor = {"metallic": material.metallic_factor, "roughness": material.roughness_factor}.get(name, 1.0)
    return pixels if factor == 1 else pixels * np.array([factor, factor, factor, 1.0], np.float32)


def _tinted(pixels: Float32, factor: tuple[float, float, float, float]) -> Float32:
    if all(value == 1 for value in factor):
        return pixels
    light = to_srgb(to_linear(pixels[..., :3]) * np.array(factor[:3], np.float32))
    return np.concatenate([light, pixels[..., 3:] * np.float32(factor[3])], axis=-1, dtype=np.float32)
