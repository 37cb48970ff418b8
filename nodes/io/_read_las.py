"""LAS 1.0 to 1.4 of the American Society for Photogrammetry and Remote Sensing: positions and colours, not packed."""

from __future__ import annotations

import struct

import numpy as np

from app.engine import BadFile
from nodes.io._cloud_parts import Rows, as_colours

COLOURS = {2: 20, 3: 28, 5: 28, 7: 30, 8: 30, 10: 30}
LEAST = {0: 20, 1: 28, 2: 26, 3: 34, 4: 57, 5: 63, 6: 30, 7: 36, 8: 38, 9: 59, 10: 67}


def read_las(data: bytes) -> Rows:
    """(N, 3) float64 positions in the units of the file, with colours, else with intensity as grey."""
    if data[:4] != b"LASF" or len(data) < 227:
        raise BadFile("This is not a LAS file, or it is cut short.", "Choose another file.")
    start, kind, length, total = struct.unpack_from("<I4xBHI", data, 96)
    if kind & 0xC0:
        raise BadFile("Packed LAS files (LAZ) cannot be read.", "Unpack it to LAS, for instance with laszip.")
    if not total and data[25] >= 4 and len(data) >= 255:
        (total,) = struct.unpack_from("<Q", data, 247)
    if kind not in LEAST or length < LEAST[kind]:
        raise BadFile(f"LAS points of the kind {kind} cannot be read.", "Save it in another kind, such as 2.")
    if len(data) < start + total * length:
        raise BadFile(f"The LAS file is cut short: it promises {total:,} points.", "Copy it again.")
    scale, origin = np.frombuffer(data, "<f8", 3, 131), np.frombuffer(data, "<f8", 3, 155)
    bytes_ = np.frombuffer(data, np.uint8, total * length, start).reshape(total, length)
    whole = np.ascontiguousarray(bytes_[:, :12]).view("<i4")
    at = COLOURS.get(kind)
    channels = np.ascontiguousarray(bytes_[:, at : at + 6] if at else bytes_[:, 12:14]).view("<u2")
    highest = int(channels.max(initial=0))
    colours = as_colours(channels, 255.0 if highest <= 255 else 65535.0) if highest else None
    return Rows(whole * scale + origin, colours)
