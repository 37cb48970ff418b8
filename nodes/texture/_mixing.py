"""Two textures to one, by what they hold."""

from __future__ import annotations

import numpy as np

from app.engine import Image
from nodes.image._pixels import Float32, to_linear, to_srgb
from nodes.texture._scaling import Content, fitted, unit


def laid_out(image: Image, size: tuple[int, int], repeat: int, content: Content) -> Float32:
    """(H, W, 4) at ``size`` (width, height), ``repeat`` times across and down."""
    if repeat == 1:
        return fitted(image, size, content)
    tile = fitted(image, (max(1, -(-size[0] // repeat)), max(1, -(-size[1] // repeat))), content)
    return np.ascontiguousarray(np.tile(tile, (repeat, repeat, 1))[: size[1], : size[0]])


def mixed(below: Float32, above: Float32, share: Float32, content: Content) -> Float32:
    """(H, W, 4) of two textures of one size; ``share``: (H, W) of the upper one, 0 and 1 give either back exactly.

    Colours meet as light and count by their opacity, normals are brought back to unit length.
    """
    weight = share[..., None]
    if content == "normal":
        vector = unit((below[..., :3] * 2 - 1) * (1 - weight) + (above[..., :3] * 2 - 1) * weight)
        rgb = vector * np.float32(0.5) + np.float32(0.5)
    elif content == "colour":
        over, under = weight * above[..., 3:], (1 - weight) * below[..., 3:]
        total = over + under
        part = np.where(total > 0, over / np.maximum(total, 1e-9), weight)
        rgb = to_srgb(to_linear(below[..., :3]) * (1 - part) + to_linear(above[..., :3]) * part)
    else:
        rgb = below[..., :3] * (1 - weight) + above[..., :3] * weight
    alpha = below[..., 3:] * (1 - weight) + above[..., 3:] * weight
    whole = np.concatenate([rgb, alpha], axis=2)
    return np.asarray(np.where(weight <= 0, below, np.where(weight >= 1, above, whole)), np.float32)


def by_height(share: Float32, below: Float32, above: Float32, softness: float) -> Float32:
    """(H, W) share of the upper texture where the higher one comes out on top, as sand fills the joints of stones.

    ``below``, ``above``: (H, W) heights 0..1. ``softness``: difference in height over which both show. A share of 0
    or 1 stays so.
    """
    one, two = (1 - share) * (1 + below), share * (1 + above)
    ground = np.maximum(one, two) - np.float32(max(softness, 1e-3))
    left, right = np.maximum(one - ground, 0), np.maximum(two - ground, 0)
    found = right / np.maximum(left + right, 1e-9)
    return np.asarray(np.where(share <= 0, 0, np.where(share >= 1, 1, found)), np.float32)
