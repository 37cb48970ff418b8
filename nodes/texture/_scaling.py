"""Another size for a texture, by what it holds: colours as light, normals as directions, numbers as numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.engine import Image
from nodes.image._pixels import Filter, Float32, resample, resample_pixels

Content = Literal["colour", "normal", "data"]
UP = np.array((0, 0, 1), np.float32)


def scaled(pixels: Float32, size: tuple[int, int], content: Content, how: Filter = "area") -> Float32:
    """(H, W, 4) to ``size`` (width, height), 0..1, straight alpha.

    Colours are mixed as light and weighted by alpha; normals are averaged and brought back to unit length; of data,
    each channel stands by itself.
    """
    small = np.clip(resample_pixels(pixels, size, how, content == "colour", weigh=content != "data"), 0, 1)
    return renormalised(small) if content == "normal" else small


def held(image: Image, content: Content) -> Content:
    """What a picture holds when ``content`` is said of it: colours are sRGB, a picture of data holds numbers."""
    return "data" if content == "colour" and image.space == "data" else content


def fitted(image: Image, size: tuple[int, int], content: Content) -> Float32:
    """The pixels of a picture at ``size``: averaged where it shrinks, smooth where it grows."""
    if image.size == size:
        return image.pixels
    return scaled(image.pixels, size, held(image, content), "area" if max(size) <= max(image.size) else "bilinear")


def vectors(image: Image, size: tuple[int, int] | None = None) -> Float32:
    """(H, W, 3) unit normals of a normal map, at ``size`` where one is given; a pixel without direction points up."""
    pixels = image.pixels if size is None else fitted(image, size, "normal")
    return unit(pixels[..., :3] * 2 - 1)


def unit(vector: Float32) -> Float32:
    """(..., 3) of length 1; what has no length becomes (0, 0, 1)."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 1e-6, vector / np.maximum(length, 1e-6), UP), np.float32)


def renormalised(pixels: Float32) -> Float32:
    """(H, W, 4) of a normal map with directions of unit length."""
    return np.concatenate([unit(pixels[..., :3] * 2 - 1) * np.float32(0.5) + np.float32(0.5), pixels[..., 3:]], axis=2)


def widened(roughness: Float32, normals: Float32, size: tuple[int, int]) -> Float32:
    """(h, w) roughness of the smaller texture, with what the averaged normals no longer show counted as roughness.

    ``normals``: (H, W, 3) unit, of any size. Their mean over a texel is shorter the more they spread: a length r
    stands for a von Mises-Fisher spread of kappa = r (3 - r^2) / (1 - r^2) (Banerjee et al. 2005), whose slope
    variance 1 / kappa along each axis is added to that of the microfacets, alpha^2 / 2, with alpha = roughness^2 as in
    glTF 2.0 (after Toksvig 2005; Neubelt and Pettineo 2013).
    """
    mean = resample(normals, size)
    squared = np.clip(np.einsum("hwc,hwc->hw", mean, mean), 1e-8, 1)
    spread = (1 - squared) / (np.sqrt(squared) * (3 - squared))
    return np.asarray(np.clip(np.clip(roughness, 0, 1) ** 4 + 2 * spread, 0, 1) ** np.float32(0.25), np.float32)
