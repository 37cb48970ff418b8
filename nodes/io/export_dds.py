"""Write a picture as DDS, compressed the way graphics cards read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import Files, Image, Run, SaveFile, Setting, node
from nodes.image._pixels import check_finite
from nodes.texture._blocks import Block, compress, dds, decoded, format_for
from nodes.texture._scaling import Content


@node("io.export_dds", title="Export DDS")
def export_dds(
    run: Run,
    image: Image,
    path: Annotated[Path, SaveFile(suffixes=(".dds",), help="Name in the output folder.")] = Path("texture.dds"),
    content: Annotated[
        Content, Setting(help="Colour is stored as sRGB; normals and data are not, and shrink without it.")
    ] = "colour",
    form: Annotated[
        Literal["auto", "BC1", "BC3", "BC4", "BC5", "BC7", "BC6H"],
        Setting(label="Format", help="Auto: BC7 for colour, BC5 for normals, BC4 for grey. BC1: half the size of BC7."),
    ] = "auto",
    mipmaps: Annotated[bool, Setting(help="All smaller sizes, so that the texture does not flicker far away.")] = True,
    green: Annotated[
        Literal["OpenGL", "DirectX"],
        Setting(help="Normals: which way green points. DirectX for Unreal, OpenGL for Unity, Godot and glTF."),
    ] = "OpenGL",
) -> Files:
    """Save a texture as DDS with block compression, mipmaps and the right colour flag, ready for a game engine.

    BC1, BC3, BC4, BC5, BC6H and BC7 are made by encoders of Polyloom's own. What the viewer shows afterwards is the
    file as a graphics card would decode it.
    """
    run.progress(0.0, "encoding")
    check_finite(image.pixels)
    chosen: Block = format_for(image, content) if form == "auto" else form
    if content == "normal" and green == "DirectX":
        image = _turned(image)
    _remark(run, image, content, chosen)
    blocks = compress(image, content, chosen, mipmaps, lambda done: run.progress(0.9 * done, "encoding"))
    return Files.of({path.as_posix(): dds(blocks)}, shows=decoded(blocks, content))


def _turned(image: Image) -> Image:
    pixels = image.pixels.copy()
    pixels[..., 1] = 1 - pixels[..., 1]
    return Image(pixels, image.space)


def _remark(run: Run, image: Image, content: Content, form: Block) -> None:
    """Say what the format leaves out."""
    width, height = image.size
    if width & (width - 1) or height & (height - 1):
        run.warn(f"{width} x {height} are no powers of two; some engines stretch or refuse such mipmaps.")
    if form in ("BC1", "BC4", "BC5", "BC6H") and float(image.alpha.min()) < 1:
        run.warn(f"{form} stores no transparency; choose BC7 or BC3 to keep it.")
    if form == "BC4" and float(np.ptp(image.rgb, axis=2).max()) > 1 / 64:
        run.warn("BC4 stores one channel: red was taken.")
    if form == "BC5" and content != "normal":
        run.warn("BC5 stores two channels: red and green were taken.")
