"""What the exporters of block-compressed textures share."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting
from nodes.image._pixels import check_finite
from nodes.texture._blocks import Block, Blocks, compress, format_for
from nodes.texture._scaling import Content

ContentSetting = Annotated[
    Content, Setting(help="Colour is stored as sRGB; normals and data are not, and shrink without it.")
]
Format = Annotated[
    Literal["auto", "BC1", "BC3", "BC4", "BC5", "BC7", "BC6H"],
    Setting(label="Format", help="Auto: BC7 for colour, BC5 for normals, BC4 for grey. BC1: half the size of BC7."),
]
Mipmaps = Annotated[bool, Setting(help="All smaller sizes, so that the texture does not flicker far away.")]
Green = Annotated[
    Literal["OpenGL", "DirectX"],
    Setting(help="Normals: which way green points. DirectX for Unreal, OpenGL for Unity, Godot and glTF."),
]


def encoded(run: Run, image: Image, content: Content, form: Format, mipmaps: bool, green: Green) -> Blocks:
    """The picture as blocks, with remarks on what the format leaves out."""
    run.progress(0.0, "encoding")
    check_finite(image.pixels)
    chosen: Block = format_for(image, content) if form == "auto" else form
    if content == "normal" and green == "DirectX":
        image = _turned(image)
    _remark(run, image, content, chosen)
    return compress(image, content, chosen, mipmaps, lambda done: run.progress(0.9 * done, "encoding"))


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
