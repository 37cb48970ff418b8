"""A mask of what is brighter than a level."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mask, Number, Setting, Slider, node
from nodes.image._pixels import Float32, blur
from nodes.image._tones import brightness, mixable

Method = Literal["Otsu", "fixed", "local mean", "local Gaussian"]
Of = Literal["brightness", "red", "green", "blue", "opacity"]
LITTLE = 1e-4


class Threshold(NamedTuple):
    """``mask``: 1 above the level. ``level``: the one that was used; of the local ones, their mean."""

    mask: Mask
    level: Number


@node("image.threshold", title="Threshold", group="Masks")
def threshold(
    image: Image,
    method: Annotated[Method, Setting(help="Otsu finds the level; the local ones follow uneven light.")] = "Otsu",
    of: Annotated[Of, Setting(help="What is compared.")] = "brightness",
    level: Annotated[float, Slider(0, 1, help="For fixed: inside is what is brighter.")] = 0.5,
    radius: Annotated[float, Slider(1, 512, log=True, unit="px", help="Local: how far around a pixel.")] = 16.0,
    offset: Annotated[float, Slider(-1, 1, help="Local: by how much brighter than its surroundings.")] = 0.02,
    invert: Annotated[bool, Setting(help="Inside is what is darker.")] = False,
) -> Threshold:
    """Make a mask of what is brighter than a level. What is transparent is outside, as far as it is transparent.

    Otsu's level parts the values into two groups with the least spread inside them (Otsu 1979), found on the values
    as they are, not on 256 steps. Local levels are the mean of the surroundings.
    """
    rgb = mixable(image)
    seen = np.clip(image.alpha, 0, 1)
    values = _values(image, rgb, of)
    weight = np.ones_like(seen) if of == "opacity" else seen
    levels = _levels(values, weight, method, level, radius, offset)
    inside = (values > levels) != invert
    where = weight > 0
    used = float(np.broadcast_to(levels, values.shape)[where].mean()) if where.any() else level
    return Threshold(Mask(np.ascontiguousarray(inside * weight, np.float32)), Number(used))


def _values(image: Image, rgb: Float32, of: Of) -> Float32:
    if of == "opacity":
        return image.alpha
    return brightness(rgb) if of == "brightness" else rgb[..., ("red", "green", "blue").index(of)]


def _levels(
    values: Float32, weight: Float32, method: Method, level: float, radius: float, offset: float
) -> NDArray[np.float64]:
    """One level, shape (), or one for each pixel, (H, W): the mean of what is visible around it, plus ``offset``."""
    if method in ("Otsu", "fixed"):
        return np.asarray(otsu(values, weight) if method == "Otsu" else np.float32(level), np.float64)
    total = np.stack([values * weight, weight], axis=-1)
    soft = blur(total, radius / 2) if method == "local Gaussian" else _box(total, round(radius))
    mean = np.divide(soft[..., 0], soft[..., 1], out=np.zeros_like(values), where=soft[..., 1] > LITTLE)
    return np.asarray(mean + np.float64(offset))


def _box(array: Float32, radius: int) -> Float32:
    import cv2

    side = 2 * radius + 1
    return np.asarray(cv2.blur(array, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)


def otsu(values: Float32, weight: Float32) -> float:
    """The level half-way between the two neighbouring values where the spread between the groups is largest.

    Values and weights have one shape. Equal values everywhere: that value, so that nothing lies above it.
    """
    seen = weight > 0
    found, place = np.unique(values[seen], return_inverse=True)
    if len(found) < 2:
        return float(found[0]) if len(found) else 0.0
    mass = np.bincount(place, weight[seen].astype(np.float64))
    below = np.cumsum(mass)[:-1]
    above = mass.sum() - below
    sums = np.cumsum(mass * found)
    gap = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    best = int(np.argmax(below * above * gap**2))
    return (float(found[best]) + float(found[best + 1])) / 2
