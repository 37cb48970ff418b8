"""Cut to the subject or to a rectangle, then leave room around it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Colour, Image, Mask, Rect, Rectangle, Run, Setting, Slider, node, rgba
from nodes.image._pixels import Float32, check_size, fitted_mask

Crop = Literal["subject", "rectangle", "nothing"]
Shape = Literal["as it is", "square"]
Fill = Literal["transparent", "colour", "edge"]
Box = tuple[int, int, int, int]


@node("image.crop_and_pad", title="Crop and pad", group="Size and place")
def crop_and_pad(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    crop: Annotated[Crop, Setting(help="Subject: what the mask, or else the alpha, shows.")] = "subject",
    rectangle: Annotated[Rect | None, Rectangle()] = None,
    margin: Annotated[float, Slider(0, 100, unit="%", help="Room on each side, of the longer side kept.")] = 5.0,
    shape: Annotated[Shape, Setting(help="Square: room is added to the shorter side.")] = "square",
    fill: Annotated[Fill, Setting(help="What the added room shows; edge repeats the border.")] = "transparent",
    colour: Annotated[str, Colour(help="For fill with a colour.")] = "#ffffff",
    threshold: Annotated[float, Slider(0, 1, help="Opacity from which a pixel is subject.", advanced=True)] = 0.05,
) -> Image:
    """Cut a picture to its subject or to a rectangle, and leave room around it.

    Room first uses what the picture itself shows around the cut; only beyond its border is it filled.
    """
    run.check()
    left, top, right, bottom = _box(run, image, mask, crop, rectangle, threshold)
    room = round(margin / 100 * max(right - left, bottom - top))
    left, top, right, bottom = left - room, top - room, right + room, bottom + room
    if shape == "square":
        left, top, right, bottom = _squared(left, top, right, bottom)
    check_size(right - left, bottom - top)
    return Image(_window(image.pixels, (left, top, right, bottom), fill, colour), image.space)


def _box(run: Run, image: Image, mask: Mask | None, crop: Crop, rectangle: Rect | None, threshold: float) -> Box:
    width, height = image.size
    if crop == "rectangle":
        if rectangle is None:
            raise BadInput("No rectangle is drawn.", "Draw one on the picture, or crop to the subject.")
        left, top, right, bottom = (round(v * n) for v, n in zip(rectangle, (width, height) * 2, strict=True))
        return left, top, max(right, left + 1), max(bottom, top + 1)
    if crop == "nothing":
        return 0, 0, width, height
    shown = fitted_mask(mask, image.size) if mask else image.alpha
    inside = shown > threshold
    if not inside.any():
        raise BadInput("The picture shows no subject: it is transparent everywhere.", "Lower the threshold.")
    if inside.all():
        run.warn("Nothing was cropped: the picture is opaque everywhere. Cut the object out first.")
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _squared(left: int, top: int, right: int, bottom: int) -> Box:
    side = max(right - left, bottom - top)
    left -= (side - (right - left)) // 2
    top -= (side - (bottom - top)) // 2
    return left, top, left + side, top + side


def _window(pixels: Float32, box: Box, fill: Fill, colour: str) -> Float32:
    """The box of the picture; where the box leaves the picture, the fill. Transparent room repeats border colours."""
    left, top, right, bottom = box
    height, width = pixels.shape[:2]
    rows, columns = np.arange(top, bottom), np.arange(left, right)
    result = pixels[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    outside = ((rows < 0) | (rows >= height))[:, None] | ((columns < 0) | (columns >= width))[None, :]
    if fill == "transparent":
        result[outside, 3] = 0
    elif fill == "colour":
        result[outside] = rgba(colour)
    return result
