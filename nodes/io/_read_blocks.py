"""DDS and KTX2 files, the textures of graphics cards, to pixels: the largest level of the first picture."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Image
from nodes.image._pixels import to_srgb
from nodes.texture import _bc6h_read
from nodes.texture._blocks import Blocks, decoded
from nodes.texture._ktx2 import IDENTIFIER, ZSTANDARD, read
from nodes.texture._zstd import expanded

SUFFIXES = (".dds", ".ktx2")
DX10 = 84
LEAST_BYTES = 8  # of a block of 4 x 4 pixels
DXGI = 128
LIGHT = DXGI + 20
PLAIN_TWINS = {72: 71, 75: 74, 78: 77}  # the sRGB codes that Pillow does not know, and the same without the flag
ANOTHER = "Save it as PNG in the program that made it, or as BC1 to BC7 without Basis Universal."


def is_block_texture(data: bytes) -> bool:
    """Whether a file says that it is one of these."""
    return data[:4] == b"DDS " or data[: len(IDENTIFIER)] == IDENTIFIER


def block_values(path: Path, data: bytes, most: int, colour: bool = False) -> NDArray[Any]:
    """(H, W) or (H, W, C), uint8 or float32. The blue of two-channel normal maps is worked out, the light of BC6H
    becomes sRGB for ``colour``. Raises :class:`BadFile`.

    ``most``: pixels that are read at most.
    """
    try:
        return _dds(path, data, most, colour) if data[:4] == b"DDS " else _ktx2(path, data, most, colour)
    except (NotImplementedError, KeyError) as error:
        raise BadFile(f"{path.name} is a kind of texture that is not read here: {error}.", ANOTHER) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error) as error:
        raise BadFile(f"{path.name} cannot be read: {error}.", ANOTHER) from error


def _dds(path: Path, data: bytes, most: int, colour: bool) -> NDArray[Any]:
    from PIL import Image as Pictures

    if len(data) < DXGI:
        raise ValueError("it is cut short")
    height, width = struct.unpack_from("<2I", data, 12)
    _check(path, width, height, most)
    if -(-width // 4) * -(-height // 4) * LEAST_BYTES > len(data):
        raise ValueError("it is cut short")
    if data[DX10 : DX10 + 4] == b"DX10" and len(data) >= DXGI + 20:
        code = PLAIN_TWINS.get(struct.unpack_from("<I", data, DXGI)[0])
        if code:
            data = data[:DXGI] + struct.pack("<I", code) + data[DXGI + 4 :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
        file = Pictures.open(io.BytesIO(data), formats=["DDS"])
    with file:
        form = getattr(file, "pixel_format", "")
        values = np.asarray(file if file.mode in ("L", "RGB", "RGBA") else file.convert("RGBA"))
    if form == "BC6H":
        found = _bc6h_read.decode(data[LIGHT : LIGHT + -(-width // 4) * -(-height // 4) * 16], (width, height))
        return _shown(Image.of(values if found is None else found), colour)
    return _with_blue(values) if form in ("BC5", "BC5S") else values


def _shown(light: Image, colour: bool) -> NDArray[Any]:
    """What BC6H holds, within 0 to 1."""
    return to_srgb(light.rgb) if colour else light.rgb


def _with_blue(values: NDArray[Any]) -> NDArray[Any]:
    x, y = (values[..., k].astype(np.float32) / np.float32(127.5) - 1 for k in (0, 1))
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    return np.dstack([values[..., :2], np.rint(127.5 * z + 127.5).astype(np.uint8)])


def _ktx2(path: Path, data: bytes, most: int, colour: bool) -> NDArray[Any]:
    found = read(data)
    _check(path, *found.size, most)
    level = expanded(found.data, found.length) if found.scheme == ZSTANDARD else found.data
    if len(level) != found.length:
        raise ValueError("it is damaged")
    image = decoded(Blocks(found.form, False, found.size, (level,)), "data")
    if found.form == "BC6H":
        return _shown(image, colour)
    values: NDArray[Any] = np.rint(image.pixels * np.float32(255)).astype(np.uint8)
    return values


def _check(path: Path, width: int, height: int, most: int) -> None:
    if not width or not height:
        raise ValueError("it has no pixels")
    if width * height > most:
        raise BadFile(
            f"{path.name} is too large: {width:,} x {height:,} pixels.", "Reduce it in another program first."
        )
