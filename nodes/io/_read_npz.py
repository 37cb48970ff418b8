"""Clouds saved by numpy: NPY tables, and NPZ as Point-E and others write it. Nothing in a file is run."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._beside import MAX_BYTES
from nodes.io._cloud_parts import Rows, as_colours, stacked
from nodes.io._read_text_points import from_columns

Array = NDArray[Any]
PLACES = ("coords", "points", "xyz", "positions", "pos", "vertices", "means")
PAINTS = ("colors", "colours", "rgb", "color", "points_rgb", "colors_rgb")
WAYS = ("normals", "normal")


def read_npy(data: bytes) -> Rows:
    """(N, 3 or more) numbers: columns as in a text file."""
    table = _table(data, "the file")
    if table.ndim != 2 or table.shape[1] < 3:
        raise BadFile(f"The file holds an array of shape {table.shape}.", "Save one with a row for each point.")
    return from_columns(table, [])


def read_npz(data: bytes) -> Rows:
    """Positions under one of the usual names; colours as one array, or as R, G and B (Point-E)."""
    arrays = _arrays(data)
    points = next((arrays[name] for name in PLACES if name in arrays), None)
    if points is None or points.ndim != 2 or points.shape[1] < 3:
        raise BadFile(
            f"The file has no array of positions; it has {', '.join(sorted(arrays)[:8]) or 'nothing'}.",
            f"Save the positions as {PLACES[0]!r} or {PLACES[1]!r}, one row a point.",
        )
    count = len(points)
    channels = next((arrays[n] for n in PAINTS if n in arrays and arrays[n].shape[:1] == (count,)), None)
    if channels is None and {"R", "G", "B"} <= set(arrays):
        channels = stacked(arrays, ("R", "G", "B"), arrays["R"].dtype)
    normals = next((arrays[n] for n in WAYS if n in arrays and arrays[n].shape == (count, 3)), None)
    usable = channels is not None and channels.ndim == 2 and channels.shape[1] in (1, 3, 4)
    return Rows(points[:, :3], as_colours(channels) if channels is not None and usable else None, normals)


def _arrays(data: bytes) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            members = [info for info in pack.infolist() if info.filename.endswith(".npy")]
            if sum(info.file_size for info in members) > MAX_BYTES:
                raise BadFile("The arrays of the file are larger than 2 GB.", "Save fewer points.")
            wanted = {*PLACES, *PAINTS, *WAYS, "R", "G", "B"}
            names = {info.filename[:-4]: info for info in members}
            return {n: _table(pack.read(info), n) for n, info in names.items() if n in wanted or len(names) == 1}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise BadFile("The NPZ file is damaged.", "Copy or save it again.") from error


def _table(data: bytes, what: str) -> Array:
    try:
        table = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadFile(f"The array {what!r} cannot be read.", "Save plain numbers, without objects.") from error
    if table.dtype.kind not in "fiu":
        raise BadFile(f"The array {what!r} holds no numbers.", "Save plain numbers.")
    return np.asarray(table)
