"""Pictures as the block formats of graphics cards: which format, its levels, and the DDS file around them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image
from nodes.image._pixels import Float32, to_linear, to_srgb
from nodes.texture import _bc6h_read
from nodes.texture._scaling import Content, held, scaled

Block = Literal["BC1", "BC3", "BC4", "BC5", "BC7", "BC6H"]
FORMATS: tuple[Block, ...] = ("BC1", "BC3", "BC4", "BC5", "BC7", "BC6H")
BYTES = {"BC1": 8, "BC3": 16, "BC4": 8, "BC5": 16, "BC7": 16, "BC6H": 16}
DXGI = {"BC1": (71, 72), "BC3": (77, 78), "BC4": (80, 80), "BC5": (83, 83), "BC7": (98, 99), "BC6H": (95, 95)}
MOST = 16384
OPAQUE = 0.998
CAPS, HEIGHT, WIDTH, PIXELFORMAT, MIPMAPS, LINEARSIZE = 0x1, 0x2, 0x4, 0x1000, 0x20000, 0x80000
CAPS_COMPLEX, CAPS_TEXTURE, CAPS_MIPMAP = 0x8, 0x1000, 0x400000
FOURCC, TEXTURE2D, ALPHA_STRAIGHT = 0x4, 3, 1


@dataclass(frozen=True)
class Blocks:
    """``levels``: encoded bytes, the largest first. ``size``: (width, height) of the largest, in pixels."""

    form: Block
    srgb: bool
    size: tuple[int, int]
    levels: tuple[bytes, ...]


def format_for(image: Image, content: Content) -> Block:
    """BC5 for normals, BC4 for grey data, else BC7."""
    content = held(image, content)
    if content == "normal":
        return "BC5"
    grey = content == "data" and float(np.ptp(image.rgb, axis=2).max()) < 1 / 512
    return "BC4" if grey and float(image.alpha.min()) > OPAQUE else "BC7"


def compress(image: Image, content: Content, form: Block, mipmaps: bool, tell: Callable[[float], None]) -> Blocks:
    """Encode a picture and, on wish, every half size down to one pixel.

    Sides that are no multiple of 4 are carried on inside the last block, as the formats want it. BC6H holds light and
    has no sRGB flag, so colours are stored as linear light. Raises
    :class:`BadInput` for a picture larger than any graphics card takes.
    """
    if max(image.size) > MOST:
        raise BadInput(f"The picture is {image.size[0]} x {image.size[1]} pixels.", f"Reduce it to {MOST} or less.")
    content = held(image, content)
    pixels, levels, srgb = image.pixels, [], content == "colour"
    count = max(image.size).bit_length() if mipmaps else 1
    for level in range(count):
        tell(1 - 0.25**level)
        if level:
            width, height = pixels.shape[1], pixels.shape[0]
            pixels = scaled(pixels, (max(1, width // 2), max(1, height // 2)), content)
        levels.append(_encoded(to_linear(pixels) if srgb and form == "BC6H" else pixels, form))
    return Blocks(form, srgb, image.size, tuple(levels))


def _encoded(pixels: Float32, form: Block) -> bytes:
    from nodes.texture import _bc1, _bc6h, _bc7

    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="edge")
    if form == "BC6H":
        return _bc6h.encode(padded)
    levels: NDArray[np.uint8] = np.rint(np.clip(padded, 0, 1) * np.float32(255)).astype(np.uint8)
    if form == "BC4":
        return _bc1.encode_bc4(np.ascontiguousarray(levels[..., 0]))
    encoders = {"BC1": _bc1.encode_bc1, "BC3": _bc1.encode_bc3, "BC5": _bc1.encode_bc5, "BC7": _bc7.encode}
    return encoders[form](levels)


def dds(blocks: Blocks) -> bytes:
    """A DDS file with the DX10 header (Microsoft, Programming Guide for DDS)."""
    width, height = blocks.size
    flags, caps = CAPS | HEIGHT | WIDTH | PIXELFORMAT | LINEARSIZE, CAPS_TEXTURE
    if len(blocks.levels) > 1:
        flags, caps = flags | MIPMAPS, caps | CAPS_COMPLEX | CAPS_MIPMAP
    header = struct.pack("<7I44x", 124, flags, height, width, len(blocks.levels[0]), 0, len(blocks.levels))
    pixel_format = struct.pack("<2I4s5I", 32, FOURCC, b"DX10", 0, 0, 0, 0, 0)
    extended = struct.pack("<5I", DXGI[blocks.form][blocks.srgb], TEXTURE2D, 0, 1, ALPHA_STRAIGHT)
    return b"DDS " + header + pixel_format + struct.pack("<5I", caps, 0, 0, 0, 0) + extended + b"".join(blocks.levels)


def _by_pillow(blocks: Blocks) -> NDArray[np.uint8]:
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(dds(blocks))) as file:
        return np.asarray(file.convert("L" if file.mode == "L" else "RGBA"), np.uint8)


def decoded(blocks: Blocks, content: Content, level: int = 0) -> Image:
    """What a graphics card reads from the blocks, decoded by Pillow; the third axis of normals is worked out.

    The light of BC6H comes back as sRGB where ``content`` is colour and the blocks were made from such.
    """
    size = (max(1, blocks.size[0] >> level), max(1, blocks.size[1] >> level))
    alone = Blocks(blocks.form, False, size, blocks.levels[level : level + 1])
    light = _bc6h_read.decode(alone.levels[0], size) if blocks.form == "BC6H" else None
    image = Image.of(_by_pillow(alone) if light is None else light, "srgb" if content == "colour" else "data")
    if blocks.form == "BC6H" and blocks.srgb:
        return Image.of(to_srgb(image.rgb), image.space)
    if blocks.form != "BC5":
        return image
    x, y = image.rgb[..., 0] * 2 - 1, image.rgb[..., 1] * 2 - 1
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    return Image.of(np.dstack([image.rgb[..., 0], image.rgb[..., 1], z * 0.5 + 0.5]), "data")
