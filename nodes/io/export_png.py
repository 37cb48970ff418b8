"""Write a picture as PNG, with the graph that made it inside."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Files, Image, Mask, Run, SaveFile, Setting, node
from nodes.image._pixels import check_finite, fitted_mask
from nodes.io._credits import CreditsFile, texts, with_credits
from nodes.io._write_pictures import UInt, levels

AFTER_HEADER = 8 + 4 + 4 + 13 + 4


@node("io.export_png", title="Export PNG", group="Export", credits=True)
def export_png(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    path: Annotated[Path, SaveFile(suffixes=(".png",), help="Name in the output folder.")] = Path("picture.png"),
    depth: Annotated[Literal["8 bit", "16 bit"], Setting(help="16 bit suits height and normal maps.")] = "8 bit",
    transparency: Annotated[
        Literal["auto", "always", "never"], Setting(help="Auto: only where something is transparent.")
    ] = "auto",
    credits_file: CreditsFile = False,
) -> Files:
    """Save a picture as a PNG file.

    A mask, where linked, becomes the transparency. The file carries the credits and the graph that made it: drop it on
    the canvas to get the graph back.
    """
    run.check()
    check_finite(image.pixels)
    alpha = fitted_mask(mask, image.size) if mask else image.alpha
    with_alpha = transparency == "always" or (transparency == "auto" and float(alpha.min()) < 1)
    values = np.dstack([image.rgb, alpha]) if with_alpha else image.rgb
    png = png_bytes(levels(values, 65535 if depth == "16 bit" else 255), image.space == "srgb", texts(run))
    return with_credits(run, Files.of({path.as_posix(): png}, shows=Image.of(values, image.space)), credits_file)


def png_bytes(values: UInt, colour: bool, said: Mapping[str, str]) -> bytes:
    """(H, W, 1, 3 or 4) uint8 or uint16 as PNG. With ``colour`` it says that it is sRGB, else nothing about colours.

    ``said``: texts by keyword, of at most 79 Latin-1 letters.
    """
    import cv2

    order = [2, 1, 0, 3][: values.shape[2]] if values.shape[2] > 1 else [0]
    done, data = cv2.imencode(".png", np.ascontiguousarray(values[..., order]), [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise BadInput("The picture could not be written as PNG.", "Choose a smaller size.")
    png = bytes(data)
    chunks = [_chunk(b"sRGB", b"\0")] if colour else []
    chunks += [_text(keyword, text) for keyword, text in said.items()]
    return png[:AFTER_HEADER] + b"".join(chunks) + png[AFTER_HEADER:]


def _text(keyword: str, text: str) -> bytes:
    """International text chunk, compressed (PNG specification, third edition, 11.3.3.4)."""
    return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\1\0\0\0" + zlib.compress(text.encode(), 9))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
