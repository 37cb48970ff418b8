"""STL, binary and text."""

from __future__ import annotations

import re

import numpy as np

from app.engine import BadFile
from nodes.io._beside import Beside
from nodes.io._numbers import numbers
from nodes.io._parts import Part

HEAD, ROW = 84, 50
VERTEX = re.compile(rb"\bvertex\b([^\n\r]*)", re.IGNORECASE)


def read_stl(data: bytes, beside: Beside) -> list[Part]:
    """Three own vertices for each triangle. The text form is known by its words: binary headers may begin with "solid"
    too, so a file whose size fits the binary form is binary."""
    declared = int.from_bytes(data[80:HEAD], "little") if len(data) >= HEAD else -1
    fits = declared >= 0 and len(data) == HEAD + ROW * declared
    if not fits and data[:512].lstrip()[:5].lower() == b"solid" and b"facet" in data[:4096].lower():
        corners = _text(data)
    else:
        corners = _binary(data, declared)
    vertices = corners.reshape(-1, 3)
    return [Part(vertices, np.arange(len(vertices), dtype=np.int32).reshape(-1, 3))]


def _binary(data: bytes, declared: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    have = max(0, len(data) - HEAD) // ROW
    if declared < 0 or have < declared:
        raise BadFile(
            f"The STL file is cut short or is no STL: it promises {max(0, declared):,} triangles and has {have:,}.",
            "Copy or export the file again.",
        )
    layout = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    rows = np.frombuffer(data, layout, declared, HEAD)
    return np.ascontiguousarray(rows["corners"], np.float32)


def _text(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    lines = VERTEX.findall(data)
    values = numbers(b"\n".join(lines), "STL")
    if len(values) != 3 * len(lines) or len(lines) % 3:
        raise BadFile("The STL file is damaged or cut short: a triangle is not whole.", "Export the file again.")
    return values.astype(np.float32).reshape(-1, 3)
