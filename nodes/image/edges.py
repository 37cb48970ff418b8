"""Where brightness changes."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Mask, Setting, Slider, node
from nodes.image._pixels import Float32, blur
from nodes.image._tones import brightness, mixable

Method = Literal["Canny", "Sobel", "Laplacian"]
SOBEL_STEP = 4
INT16 = 8000


class Edges(NamedTuple):
    """``image``: white lines on black, data values. ``mask``: the same, 0..1."""

    image: Image
    mask: Mask


@node("image.edges", title="Edges", group="Adjust")
def edges(
    image: Image,
    method: Annotated[
        Method, Setting(help="Canny: thin lines. Sobel: the slope. Laplacian: both sides of a line.")
    ] = "Canny",
    smooth: Annotated[float, Slider(0, 32, step=0.1, unit="px", help="Blur beforehand, against noise.")] = 1.0,
    low: Annotated[
        float, Slider(0, 1, help="Canny: a line goes on down to this slope; 1 is a step from black to white.")
    ] = 0.05,
    high: Annotated[float, Slider(0, 1, help="Canny: a line begins at this slope.")] = 0.15,
    gain: Annotated[float, Slider(0.1, 20, log=True, help="Sobel and Laplacian: times brighter.")] = 1.0,
    outline: Annotated[bool, Setting(help="The border of what is visible counts as an edge.")] = True,
) -> Edges:
    """Find the edges of a picture.

    Works on the brightness that is seen; hidden colours make no edge. The slope is worked out in floating point, so
    that a 16-bit picture has finer thresholds than an 8-bit one.
    """
    shades = brightness(mixable(image))
    strength = _edges(shades, method, smooth, low, high, gain) * np.clip(image.alpha, 0, 1)
    if outline and float(image.alpha.min()) < 1:
        strength = np.maximum(strength, _edges(image.alpha, method, smooth, low, high, gain))
    values = np.clip(strength, 0, 1).astype(np.float32)
    return Edges(Image.of(values, "data"), Mask(values))


def _edges(shades: Float32, method: Method, smooth: float, low: float, high: float, gain: float) -> Float32:
    """(H, W) 0..1 to edge strength (H, W) from 0; a step from 0 to 1 between two pixels without blur gives 1."""
    import cv2

    soft = np.ascontiguousarray(blur(shades, smooth))
    if method == "Laplacian":
        curve = cv2.Laplacian(soft, cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT)
        return np.asarray(np.abs(curve) * np.float32(gain), np.float32)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *d, ksize=3, borderType=cv2.BORDER_REFLECT) for d in ((1, 0), (0, 1)))
    if method == "Sobel":
        return np.asarray(np.hypot(across, down) / np.float32(SOBEL_STEP / gain), np.float32)
    right, below = (np.rint(slope * INT16).astype(np.int16) for slope in (across, down))
    least, most = sorted((low * SOBEL_STEP * INT16, high * SOBEL_STEP * INT16))
    return np.asarray(cv2.Canny(right, below, least, most, L2gradient=True) > 0, np.float32)
