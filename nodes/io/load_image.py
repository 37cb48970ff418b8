"""Read a picture file into straight-alpha sRGB, or say in words why it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Image, OpenFile, Run, Setting, Slider, node
from nodes.image._pixels import check_finite, fit_within, resample_pixels
from nodes.io._pictures import SUFFIXES, read_picture

Content = Literal["colour", "data"]


@node("io.load_image", title="Load image")
def load_image(
    run: Run,
    path: Annotated[Path, OpenFile(suffixes=SUFFIXES, help="The picture to read.")] = Path(),
    longest_side: Annotated[int, Slider(0, 16384, unit="px", help="Larger pictures are reduced; 0 keeps all.")] = 2048,
    content: Annotated[Content, Setting(help="Data: the picture holds numbers, such as normals or height.")] = "colour",
) -> Image:
    """Read a picture file: PNG, JPEG, WebP, BMP, TIFF, TGA, or a game texture: DDS, KTX2 (BC1 to BC7).

    The picture is turned as its camera says, its colours are brought to sRGB where it carries a colour profile, and
    its own transparency is kept. Pictures larger than the longest side are reduced. Choose "data" for maps that hold
    numbers instead of colours (normals, roughness, height): their values stay as they are.
    """
    found = read_picture(path, at_least=longest_side, colour=content == "colour")
    for note in found.notes:
        run.warn(note)
    run.progress(0.7, "converting")
    pixels = found.pixels
    check_finite(pixels)
    if 0 < longest_side < max(found.size):
        size = fit_within(found.size, longest_side)
        run.warn(f"Reduced from {found.size[0]} x {found.size[1]} to {size[0]} x {size[1]} pixels.")
        pixels = resample_pixels(pixels, size)
    return Image(pixels, "srgb" if content == "colour" else "data")
