"""Brightness, contrast and colourfulness."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import BadInput, Image, Slider, node
from nodes.image._pixels import Float32, image_of, to_linear, to_srgb
from nodes.image._tones import brightness


@node("image.levels", title="Levels", group="Adjust")
def levels(
    image: Image,
    exposure: Annotated[float, Slider(-8, 8, unit="stops", help="One stop doubles the light.")] = 0.0,
    black: Annotated[float, Slider(0, 1, help="This value becomes black.")] = 0.0,
    white: Annotated[float, Slider(0, 1, help="This value becomes white.")] = 1.0,
    gamma: Annotated[float, Slider(0.1, 10, log=True, help="Above 1 lifts the middle tones.")] = 1.0,
    saturation: Annotated[float, Slider(0, 4, help="0 is grey, 1 unchanged.")] = 1.0,
) -> Image:
    """Change brightness, contrast and colourfulness. Transparency stays.

    In this order: exposure (in linear light), black and white point, gamma, saturation.
    """
    if white <= black:
        raise BadInput(
            f"The white point ({white:g}) is not above the black point ({black:g}).", "Raise white or lower black."
        )
    rgb = image.rgb
    if exposure:
        rgb = _exposed(rgb, 2.0**exposure, image.space == "srgb")
    if (black, white, gamma) != (0.0, 1.0, 1.0):
        rgb = np.clip((rgb - np.float32(black)) / np.float32(white - black), 0, 1) ** np.float32(1 / gamma)
    if saturation != 1.0:
        grey = brightness(rgb)[..., None]
        rgb = np.asarray(grey + (rgb - grey) * np.float32(saturation), np.float32)
    return image_of(rgb, image.alpha, image)


def _exposed(rgb: Float32, gain: float, encoded: bool) -> Float32:
    return to_srgb(to_linear(rgb) * np.float32(gain)) if encoded else rgb * np.float32(gain)
