"""TIFF pictures of floats or 32-bit numbers, which the usual decoder does not know."""

from __future__ import annotations

import io
import logging
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.io._tone import Light

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, ArithmeticError, OSError, EOFError,
    RuntimeError, NotImplementedError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
ASSOCIATED = 1
SEPARATE = 2


def tiff_light(data: bytes, most: int) -> Light | None:
    """The first page of a TIFF of floats, of signed or of 32-bit numbers; None for the other kinds.

    Integers are divided by the largest number of their kind. Floats are linear light unless an sRGB profile is in the
    file. Raises ValueError in words that go on after the file's name. ``most``: pixels that are read at most.
    """
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page: Any = file.pages[0]
            kind = page.dtype
            if kind is None or (kind.kind == "u" and kind.itemsize < 4) or kind.kind not in "fui":
                return None
            _check(page, len(data), most)
            values = _upright(_values(page, data), page)
            alpha = [int(extra) for extra in page.extrasamples or ()]
            profile, pages = (page.iccprofile or b"").replace(b"\0", b""), len(file.pages)
    except tifffile.TiffFileError:
        return None
    except DAMAGE as error:
        raise ValueError(f"is damaged or of a kind that is not read here: {str(error)[:100]}") from error
    if kind.kind in "ui":
        values = values.astype(np.float64) / np.iinfo(kind).max
    notes = (f"The file has {pages} pages; the first was read.",) if pages > 1 else ()
    with np.errstate(over="ignore"):
        chosen = np.ascontiguousarray(_channels(values, bool(alpha)), np.float32)
    encoded = kind.kind != "f" or (b"sRGB" in profile and b"inear" not in profile)
    return Light(chosen, notes, premultiplied=alpha[:1] == [ASSOCIATED] and chosen.shape[2] == 4, encoded=encoded)


def _check(page: Any, size: int, most: int) -> None:
    width, height, depth = int(page.imagewidth), int(page.imagelength), int(page.imagedepth or 1)
    if width < 1 or height < 1 or depth != 1:
        raise ValueError("it has no picture")
    if width * height > most or page.samplesperpixel > 64:
        raise ValueError(f"it has {width:,} x {height:,} pixels")
    plain = page.compression == 1
    if plain and width * height * page.samplesperpixel * page.dtype.itemsize > size:
        raise ValueError("its end is missing")
    if len(page.dataoffsets) > 4 * (width + height) * page.samplesperpixel:
        raise ValueError("it has too many pieces")


def _values(page: Any, data: bytes) -> NDArray[Any]:
    """(H, W, C). Compressions that need a further library go to OpenCV, which knows them for usual layouts."""
    import cv2

    if math.prod(page.shape) == 0:
        raise ValueError("it has no pixels")
    try:
        values = np.asarray(page.asarray(maxworkers=1))
        if page.planarconfig == SEPARATE and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
    except (ValueError, ImportError, KeyError) as error:
        if "requires" not in str(error) and not isinstance(error, ImportError):
            raise
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if found is None or found.dtype != page.dtype:
            raise ValueError(f"its compression is unknown ({str(error)[:60]})") from error
        values = found if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]
    values = values[..., None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError("its pixels do not fit its size")
    return values


def _upright(values: NDArray[Any], page: Any) -> NDArray[Any]:
    """The eight orientations of TIFF 6.0, tag 274."""
    tag = page.tags.get(274)
    turn = int(tag.value) if tag is not None else 1
    if turn in (5, 6, 7, 8):
        values = values.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        values = values[:, ::-1]
    if turn in (3, 4, 7, 8):
        values = values[::-1]
    return values


def _channels(values: NDArray[Any], alpha: bool) -> NDArray[Any]:
    """1, 3 or 4 channels: grey with alpha becomes four, what goes beyond is left out."""
    count = values.shape[2]
    if count == 2:
        return values[..., [0, 0, 0, 1]] if alpha else values[..., :1]
    return values[..., : 4 if count >= 4 and alpha else 3 if count >= 3 else 1]
