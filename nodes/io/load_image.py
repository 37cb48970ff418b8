"""Read a picture file into straight-alpha sRGB, or say in words why it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Image, Isolated, OpenFile, Run, Setting, Slider, node
from nodes.image._pixels import check_finite, fit_within, resample_pixels
from nodes.io._pictures import SUFFIXES, read_picture
from nodes.io._stated import Author, Licence, Source, beside, credit_file
from nodes.io._tone import Bright, Tone

Content = Literal["colour", "data"]


@node("io.load_image", title="Load image", group="Load", version=4, isolated=Isolated(limit_s=60))
def load_image(
    run: Run,
    path: Annotated[Path, OpenFile(suffixes=SUFFIXES, companions=beside, help="The picture to read.")] = Path(),
    longest_side: Annotated[int, Slider(0, 16384, unit="px", help="Larger pictures are reduced; 0 keeps all.")] = 2048,
    content: Annotated[Content, Setting(help="Data: the picture holds numbers, such as normals or height.")] = "colour",
    exposure: Annotated[
        float, Slider(-10, 10, step=0.1, unit="stops", help="Colours of EXR and HDR: brighter by this.", advanced=True)
    ] = 0.0,
    bright: Annotated[
        Bright,
        Setting(
            label="Bright values",
            help="EXR, HDR, TIFF of floats: cut what is above 1, compress it, or fit everything into 0 to 1.",
            advanced=True,
        ),
    ] = "cut",
    licence: Licence = "",
    author: Author = "",
    source: Source = "",
) -> Image:
    """Read a picture: PNG, JPEG, WebP, BMP, TIFF, TGA, EXR, HDR, or a game texture: DDS, KTX2 (BC1 to BC7).

    The picture is turned as its camera says, its colours are brought to sRGB where it carries a colour profile, and
    its own transparency is kept. Pictures larger than the longest side are reduced, colours as light. Choose "data"
    for maps that hold numbers instead of colours (normals, roughness, height): their values stay as they are. Author
    and licence travel to every export.

    Pictures here run from 0 to 1. EXR, HDR and TIFF files of floats hold light without an upper end: the node says
    what was cut, and Exposure and Bright values decide how it comes into the range.
    """
    run.progress(0.1, "reading")
    found = read_picture(path, longest_side, content == "colour", Tone(exposure, bright))
    credit_file(run, path, licence, author, source)
    for note in found.notes:
        run.warn(note)
    run.progress(0.7, "converting")
    pixels = found.pixels
    check_finite(pixels)
    if 0 < longest_side < max(found.size):
        size = fit_within(found.size, longest_side)
        run.warn(f"Reduced from {found.size[0]} x {found.size[1]} to {size[0]} x {size[1]} pixels.")
        colour = content == "colour"
        pixels = resample_pixels(pixels, size, linear=colour, weigh=colour)
    return Image(pixels, "srgb" if content == "colour" else "data")
