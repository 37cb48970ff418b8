"""Points as lines of numbers: XYZ, PTS, ASC, TXT and CSV, with or without a header that names the columns."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._cloud_parts import Rows, as_colours, stacked
from nodes.io._numbers import numbers

Array = NDArray[Any]
PARTED = bytes.maketrans(b",;\t", b"   ")
HEADER_LINES = 64
LONGEST_HEADER = 1 << 16
NAMES = {
    "x": "x", "y": "y", "z": "z", "px": "x", "py": "y", "pz": "z", "easting": "x", "northing": "y", "height": "z",
    "r": "red", "g": "green", "b": "blue", "red": "red", "green": "green", "blue": "blue", "a": "alpha",
    "alpha": "alpha", "nx": "nx", "ny": "ny", "nz": "nz", "normal_x": "nx", "normal_y": "ny", "normal_z": "nz",
    "i": "intensity", "intensity": "intensity",
}  # fmt: skip
USUAL = {
    3: "x y z",
    4: "x y z intensity",
    6: "x y z ? ? ?",
    7: "x y z intensity red green blue",
    9: "x y z ? ? ? ? ? ?",
}
COLOUR, NORMAL = ("red", "green", "blue"), ("nx", "ny", "nz")


def read_text_points(data: bytes) -> Rows:
    """Columns are known by the words of a header, else by their number and values. Raises :class:`BadFile`."""
    start, names = _header(data)
    end = data.find(b"\n", start)
    first = data[start : end if end >= 0 else len(data)].translate(PARTED).split()
    wide = len(first)
    body = data[start:] if start else data
    if any(mark in body for mark in (b",", b";")):
        body = body.translate(PARTED)
    values = numbers(body, "text")
    if wide < 3 or not len(values) or len(values) % wide:
        raise BadFile(
            "The lines of the file do not hold the same count of three or more numbers.",
            "Choose a file with one point a line: x, y, z and what follows.",
        )
    return from_columns(values.reshape(-1, wide), names)


def from_columns(table: Array, names: list[str]) -> Rows:
    """Rows of a (N, 3 or more) table whose columns are named, or are told by their values."""
    if len(names) != table.shape[1]:
        names = _guessed(table)
    columns = {name: table[:, k] for k, name in enumerate(names)}
    points = stacked(columns, ("x", "y", "z"))
    if points is None:
        raise BadFile("The header of the file names no x, y and z.", "Name the columns x, y and z.")
    channels = stacked(columns, (*COLOUR, "alpha"))
    channels = stacked(columns, COLOUR) if channels is None else channels
    colours = None if channels is None else as_colours(channels)
    if colours is None and "intensity" in columns:
        colours = _grey(columns["intensity"])
    return Rows(points, colours, stacked(columns, NORMAL, np.float32))


def _header(data: bytes) -> tuple[int, list[str]]:
    """(where the numbers begin, names of columns): comments, a line of names and a count are passed over."""
    at, names = 0, list[str]()
    for _ in range(HEADER_LINES):
        end = data.find(b"\n", at, at + LONGEST_HEADER)
        line = data[at : end if end >= 0 else len(data)]
        words = line.decode("latin-1").strip().lstrip("#/").translate({44: " ", 59: " "}).split()
        named = [NAMES.get(word.strip('"').lower(), "?") for word in words]
        if {"x", "y", "z"} <= set(named):
            names = named
        elif not re.match(rb"\s*($|#|//)", line) and len(words) > 1 and _is_number(words[0]):
            return at, names
        if end < 0:
            break
        at = end + 1
    raise BadFile("The file has no lines of numbers.", "Choose a file with one point a line: x, y, z.")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _guessed(table: Array) -> list[str]:
    """Names by count; three columns of length one are normals, three others are colours."""
    wide = table.shape[1]
    known: list[str] = USUAL.get(wide, "x y z " + "? " * (wide - 3)).split()
    rows = table[:: max(1, len(table) // 10_000)]
    for start in range(3, wide - 2):
        if known[start : start + 3] == ["?"] * 3 and wide in USUAL:
            known[start : start + 3] = NORMAL if _unit(rows[:, start : start + 3]) else COLOUR
    return known


def _unit(rows: Array) -> bool:
    length = np.einsum("ij,ij->i", rows, rows)
    return bool(np.abs(length - 1).max(initial=0.0) < 0.02)


def _grey(values: Array) -> Array:
    """Intensities from the lowest to the highest as black to white."""
    low, high = float(values.min()), float(values.max())
    return as_colours(((values - low) / max(high - low, 1e-30))[:, None], 1.0)
