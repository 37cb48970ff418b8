"""Several grey maps in the channels of one picture, and out again."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import Float32, check_finite, resample
from nodes.image._tones import brightness

Source = Literal["red", "green", "blue", "alpha", "brightness"]
From = Annotated[Source, Setting(help="Which channel of the linked picture is taken.")]
Invert = Annotated[bool, Setting(help="One minus the value: roughness becomes smoothness.")]
Fill = Annotated[float, Slider(0, 1, help="The value where no picture is linked.")]


class Channels(NamedTuple):
    """Each as grey data."""

    red: Image
    green: Image
    blue: Image
    alpha: Image


@node("texture.pack", title="Pack channels", group="Pack and compress")
def pack(
    run: Run,
    red: Image,
    green: Image | None = None,
    blue: Image | None = None,
    alpha: Image | None = None,
    red_from: From = "red",
    green_from: From = "red",
    blue_from: From = "red",
    alpha_from: From = "red",
    invert_red: Invert = False,
    invert_green: Invert = False,
    invert_blue: Invert = False,
    invert_alpha: Invert = False,
    fill_green: Fill = 0.0,
    fill_blue: Fill = 0.0,
    fill_alpha: Fill = 1.0,
) -> Image:
    """One picture whose channels come from up to four pictures. Values are moved as they are stored, never as light.

    Smaller pictures are brought to the size of the largest. For the layouts of engines, use Pack maps.
    """
    run.progress(0.0, "packing")
    linked = [image for image in (red, green, blue, alpha) if image is not None]
    size = largest(linked)
    wanted = (
        (red, red_from, invert_red, 0.0),
        (green, green_from, invert_green, fill_green),
        (blue, blue_from, invert_blue, fill_blue),
        (alpha, alpha_from, invert_alpha, fill_alpha),
    )
    rows = [channel(image, source, invert, fill, size) for image, source, invert, fill in wanted]
    return Image(np.ascontiguousarray(np.stack(rows, axis=-1)), "data")


@node("texture.unpack", title="Unpack channels", group="Pack and compress")
def unpack(image: Image) -> Channels:
    """The four channels of a picture as grey pictures."""
    check_finite(image.pixels)
    return Channels(*(Image.of(np.ascontiguousarray(image.pixels[..., k]), "data") for k in range(4)))


def largest(images: list[Image]) -> tuple[int, int]:
    """(width, height) that no picture exceeds."""
    return max(i.size[0] for i in images), max(i.size[1] for i in images)


def channel(image: Image | None, source: Source, invert: bool, fill: float, size: tuple[int, int]) -> Float32:
    """(H, W) 0..1: one channel of a picture at ``size``, or ``fill`` everywhere; ``invert`` is for pictures alone."""
    if image is None:
        return np.full(size[::-1], fill, np.float32)
    check_finite(image.pixels)
    if source == "brightness":
        values = brightness(image.rgb)
    else:
        values = image.pixels[..., ("red", "green", "blue", "alpha").index(source)]
    fitted = np.clip(resample(np.ascontiguousarray(values), size), 0, 1)
    return np.asarray(1 - fitted if invert else fitted, np.float32)
