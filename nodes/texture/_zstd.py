"""Zstandard frames, by way of the TIFF codec in Pillow: a strip of a TIFF file compressed so is one whole frame."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np

MAGIC = 0xFD2FB528
STRIP_OFFSETS, STRIP_BYTES, ZSTD = 273, 279, 50000


def compressed(data: bytes) -> bytes | None:
    """One frame (RFC 8878), or None where Pillow was built without Zstandard."""
    from PIL import Image as Pictures

    out = io.BytesIO()
    row = np.frombuffer(data, np.uint8).reshape(1, -1)
    try:
        Pictures.fromarray(row).save(out, "TIFF", compression="zstd")
        with Pictures.open(io.BytesIO(out.getvalue())) as file:
            tags = file.tag_v2  # type: ignore[attr-defined]
            (start,), (length,) = tags[STRIP_OFFSETS], tags[STRIP_BYTES]
    except (OSError, ValueError, KeyError, RuntimeError, Pictures.DecompressionBombError):
        return None
    frame = out.getvalue()[start : start + length]
    return frame if frame[:4] == struct.pack("<I", MAGIC) else None


def expanded(frame: bytes, length: int) -> bytes:
    """The ``length`` bytes of a frame. Raises OSError for a damaged one, or where Pillow cannot read it."""
    from PIL import Image as Pictures

    entries = (
        (256, 4, length),
        (257, 4, 1),
        (258, 3, 8),
        (259, 3, ZSTD),
        (262, 3, 1),
        (STRIP_OFFSETS, 4, 8),
        (277, 3, 1),
        (278, 4, 1),
        (STRIP_BYTES, 4, len(frame)),
    )
    padded = frame + b"\0" * (len(frame) % 2)
    header = struct.pack("<2sHI", b"II", 42, 8 + len(padded))
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, kind, 1, value)
                                                       for tag, kind, value in entries)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
        try:
            with Pictures.open(io.BytesIO(header + padded + table + b"\0" * 4), formats=["TIFF"]) as file:
                return np.asarray(file).tobytes()
        except Pictures.DecompressionBombError as error:
            raise OSError("a level is too large") from error
