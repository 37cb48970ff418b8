"""Another size in pixels."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Setting, Slider, node
from nodes.image._pixels import Filter, check_size, fit_within, resample_pixels

To = Literal["longest side", "exact size", "factor"]
Choice = Literal["auto", "area", "lanczos", "bilinear", "nearest"]


@node("image.resize", title="Resize", group="Size and place", version=2)
def resize(
    image: Image,
    to: Annotated[To, Setting(help="What decides the new size.")] = "longest side",
    longest_side: Annotated[int, Slider(1, 16384, log=True, unit="px", help="For longest side.")] = 1024,
    width: Annotated[int, Slider(1, 16384, log=True, unit="px", help="For exact size.")] = 1024,
    height: Annotated[int, Slider(1, 16384, log=True, unit="px", help="For exact size.")] = 1024,
    factor: Annotated[float, Slider(0.01, 16, log=True, help="For factor.")] = 0.5,
    method: Annotated[Choice, Setting(help="Auto: area when smaller, Lanczos when larger.", advanced=True)] = "auto",
    linear_light: Annotated[
        bool, Setting(help="Mix light instead of encoded values: keeps bright points bright.", advanced=True)
    ] = True,
) -> Image:
    """Make a picture smaller or larger.

    Colours are weighted by their opacity, so a cut-out gets no dark or coloured rim; of data, each channel stands by
    itself. For maps of a material, use Resize texture.
    """
    size = _size(image, to, (longest_side, width, height), factor)
    check_size(*size)
    how: Filter = ("area" if max(size) <= max(image.size) else "lanczos") if method == "auto" else method
    colours = image.space == "srgb"
    pixels = resample_pixels(image.pixels, size, how, linear_light and colours, weigh=colours)
    return Image(np.ascontiguousarray(np.clip(pixels, 0, 1), np.float32), image.space)


def _size(image: Image, to: To, sides: tuple[int, int, int], factor: float) -> tuple[int, int]:
    longest, width, height = sides
    if to == "exact size":
        return width, height
    if to == "longest side":
        return fit_within(image.size, longest)
    return max(1, round(image.size[0] * factor)), max(1, round(image.size[1] * factor))
