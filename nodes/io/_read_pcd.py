"""PCD of the Point Cloud Library, version 0.7: text, binary, and binary compressed with LZF."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._cloud_parts import Rows, as_colours, packed_colours, stacked
from nodes.io._numbers import numbers

Array = NDArray[Any]
KINDS = {"F": "f", "I": "i", "U": "u"}
LARGEST = 1 << 33


def read_pcd(data: bytes) -> Rows:
    """Fields x, y, z, rgb or rgba, normal_x, normal_y, normal_z; others are passed over. Raises :class:`BadFile`."""
    head, start = _header(data)
    try:
        names = head["FIELDS"]
        counts = [int(c) for c in head.get("COUNT", ["1"] * len(names))]
        kinds = [f"<{KINDS[t]}{int(s)}" for t, s in zip(head["TYPE"], head["SIZE"], strict=True)]
        total = int(head["POINTS"][0]) if "POINTS" in head else int(head["WIDTH"][0]) * int(head["HEIGHT"][0])
        fields = [
            (f"{k} {name}", kind, (count,))
            for k, (name, kind, count) in enumerate(zip(names, kinds, counts, strict=True))
        ]
        layout, how = np.dtype(fields), head["DATA"][0].lower()
    except (KeyError, IndexError, ValueError, TypeError):
        raise BadFile("The header of the PCD file is damaged.", "Export the file again.") from None
    if not 0 <= total * layout.itemsize < LARGEST:
        raise BadFile("The PCD file promises more points than fit into memory.", "Export the file again.")
    columns = _columns(data[start:], layout, total, how)
    return _rows({name: columns[k] for k, name in enumerate(names)})


def _header(data: bytes) -> tuple[dict[str, list[str]], int]:
    at, head = 0, dict[str, list[str]]()
    for _ in range(64):
        end = data.find(b"\n", at, at + 65536)
        if end < 0:
            break
        words = data[at:end].decode("latin-1").split()
        at = end + 1
        if words and not words[0].startswith("#"):
            head[words[0].upper()] = words[1:]
            if words[0].upper() == "DATA":
                return head, at
    raise BadFile("This is not a PCD file, or its header is cut short.", "Choose another file.")


def _columns(body: bytes, layout: np.dtype[Any], total: int, how: str) -> list[Array]:
    """One (total,) array for each field, its first number where it has several."""
    names = layout.names or ()
    if how == "ascii":
        table = numbers(body, "PCD")
        wide = sum(layout[n].shape[0] for n in names)
        if len(table) < total * wide:
            raise _short(total)
        starts = np.cumsum([0, *(layout[n].shape[0] for n in names)])
        columns = table[: total * wide].reshape(total, wide)
        return [_as_written(columns[:, s], layout[n].base) for s, n in zip(starts, names, strict=False)]
    if how == "binary":
        if len(body) < total * layout.itemsize:
            raise _short(total)
        rows = np.frombuffer(body, layout, total)
        return [rows[n][:, 0] for n in names]
    if how == "binary_compressed":
        flat = _unpacked(body, total * layout.itemsize, total)
        found, at = [], 0
        for n in names:
            size = layout[n].itemsize * total
            found.append(flat[at : at + size].view(layout[n].base).reshape(total, -1)[:, 0])
            at += size
        return found
    raise BadFile(f"PCD files of the kind {how!r} cannot be read.", "Save it as binary.")


def _as_written(column: Array, kind: np.dtype[Any]) -> Array:
    """Text holds a packed colour as the float or whole number that its bits are."""
    return column.astype(kind) if kind.kind == "f" else column.astype(np.int64).astype(kind)


def _unpacked(body: bytes, size: int, total: int) -> Array:
    packed, whole = (int(n) for n in np.frombuffer(body[:8], "<u4")) if len(body) >= 8 else (0, 0)
    if whole != size or len(body) < 8 + packed:
        raise _short(total)
    from nodes.io._lzf import unpack

    out = np.zeros(size, np.uint8)
    if unpack(np.frombuffer(body, np.uint8, packed, 8), out) != size:
        raise _short(total)
    return out


def _short(total: int) -> BadFile:
    return BadFile(f"The PCD file is cut short: it promises {total:,} points.", "Copy or export the file again.")


def _rows(columns: dict[str, Array]) -> Rows:
    points = stacked(columns, ("x", "y", "z"))
    if points is None:
        raise BadFile("The PCD file has no positions.", "Export the file again.")
    colours = None
    for name in ("rgb", "rgba"):
        if name in columns:
            packed = np.ascontiguousarray(columns[name])
            bits = packed.view(np.uint32) if packed.dtype.itemsize == 4 else packed.astype(np.uint32)
            colours = packed_colours(bits)
    if colours is None and "intensity" in columns:
        colours = as_colours(columns["intensity"][:, None])
    return Rows(points, colours, stacked(columns, ("normal_x", "normal_y", "normal_z"), np.float32))
