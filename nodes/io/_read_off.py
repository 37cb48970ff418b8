"""OFF, the Object File Format of Geomview: text, with optional normals and colours per vertex."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._beside import Beside
from nodes.io._numbers import numbers
from nodes.io._parts import Part, checked_faces
from nodes.io._polygons import triangulated

HEADER = re.compile(rb"\s*(ST)?(C)?(N)?OFF\b(\s*BINARY)?")


def read_off(data: bytes, beside: Beside) -> list[Part]:
    """Vertices (OFF, COFF, NOFF, CNOFF, with ST too) and polygons; colours of faces are passed over."""
    text = re.sub(rb"#[^\n]*", b"", data)
    header = HEADER.match(text)
    if not header or header[4]:
        raise BadFile("This is not a text OFF file.", "Export it as OFF text, OBJ, PLY or GLB.")
    lines = [line for line in text[header.end() :].splitlines() if line.strip()]
    counts = numbers(lines[0], "OFF", whole=True) if lines else np.zeros(0, np.int64)
    if len(counts) < 2 or counts.min() < 0:
        raise BadFile("The OFF file does not say how many vertices and faces it has.", "Export the file again.")
    vertex_count, face_count = int(counts[0]), int(counts[1])
    if len(lines) < 1 + vertex_count + face_count:
        raise _short()
    rows = _table(lines[1 : 1 + vertex_count])
    faces = _faces(lines[1 + vertex_count : 1 + vertex_count + face_count], rows, beside)
    return [_part(rows, checked_faces(faces, vertex_count), header)]


def _short() -> BadFile:
    return BadFile("The OFF file is cut short.", "Copy or export the file again.")


def _table(lines: list[bytes]) -> NDArray[Any]:
    values = numbers(b"\n".join(lines), "OFF")
    if lines and (len(values) % len(lines) or len(values) // len(lines) < 3):
        raise BadFile("The vertices of the OFF file do not all have as many numbers.", "Export the file again.")
    return values.reshape(len(lines), -1) if lines else np.zeros((0, 3))


def _faces(lines: list[bytes], rows: NDArray[Any], beside: Beside) -> NDArray[Any]:
    """(M, 3) int64; what follows the corners on a line (a colour) is passed over."""
    split = [line.split() for line in lines]
    try:
        sizes = np.array([int(words[0]) for words in split], np.int64)
        flat = [int(word) for words, size in zip(split, sizes.tolist(), strict=True) for word in words[1 : 1 + size]]
    except ValueError:
        raise BadFile("A face of the OFF file is not made of whole numbers.", "Export the file again.") from None
    if (sizes < 0).any() or len(flat) != int(sizes.sum()):
        raise _short()
    indices = np.array(flat, np.int64)
    checked_faces(indices[:, None], len(rows))
    beside.polygons(sizes)
    corners, _ = triangulated(sizes, rows[:, :3], indices)
    return indices[corners]


def _part(rows: NDArray[Any], faces: NDArray[Any], header: re.Match[bytes]) -> Part:
    at = 3
    normals = colours = None
    if header[3] and rows.shape[1] >= at + 3:
        normals, at = rows[:, at : at + 3], at + 3
    if header[2] and rows.shape[1] >= at + 3:
        colours = rows[:, at : at + 4] if rows.shape[1] >= at + 4 else rows[:, at : at + 3]
        colours = colours / 255 if colours.max(initial=0) > 1 else colours
        colours = np.column_stack([colours, np.ones(len(rows))])[:, :4]
    return Part(rows[:, :3], faces, normals, None, colours)
