"""EXT_meshopt_compression (Khronos registry): buffer views unpacked, with its filters (appendix B)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile

Array = NDArray[Any]
AGAIN = "Export it again, or without compression."
MOST_BYTES = 2_000_000_000


def unpacked(data: bytes, count: int, stride: int, mode: str, sieve: str) -> bytes:
    """``count`` elements of ``stride`` bytes. ``mode``: ATTRIBUTES, TRIANGLES or INDICES; ``sieve``: the filter's name.

    Raises :class:`BadFile` when the stream is damaged or of a kind that is not known.
    """
    from nodes.io import _meshopt_loops as loops

    stream = np.frombuffer(data, np.uint8)
    if count * stride > MOST_BYTES or sieve not in FILTERS:
        raise BadFile("The meshopt data of the file cannot be read.", AGAIN)
    if mode == "ATTRIBUTES" and 0 < stride <= 256 and stride % 4 == 0:
        rows = np.zeros((count, stride), np.uint8)
        whole = loops.attributes(stream, count, stride, rows)
        found = FILTERS[sieve](rows) if whole else rows
    elif mode in ("TRIANGLES", "INDICES") and stride in (2, 4):
        order = np.zeros(count, np.uint32)
        whole = (loops.triangles if mode == "TRIANGLES" else loops.indices)(stream, count, order)
        found = order.astype("<u2" if stride == 2 else "<u4")
    else:
        raise BadFile(f"The meshopt data of the file is of a kind that is not known: {mode[:20]}.", AGAIN)
    if not whole:
        raise BadFile("The meshopt data of the file is damaged.", AGAIN)
    return found.tobytes()


def _octahedral(rows: Array) -> Array:
    """Unit vectors from an octahedron's net; the third value says how fine it is, the fourth stays."""
    kind = _need(rows, {4: "<i1", 8: "<i2"})
    whole = rows.view(kind)
    most = np.float32(np.iinfo(whole.dtype).max)
    one = np.maximum(whole[:, 2], 1).astype(np.float32)
    x, y = whole[:, 0] / one, whole[:, 1] / one
    z = 1 - np.abs(x) - np.abs(y)
    below = np.minimum(z, 0)
    x, y = x - np.copysign(below, x), y - np.copysign(below, y)
    length = np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-12))
    unit = np.column_stack([x, y, z]) / length[:, None]
    return np.column_stack([_rounded(unit * most, kind), whole[:, 3]])


def _quaternion(rows: Array) -> Array:
    """Unit quaternions from their three smaller components; the last value says how fine, and which one is missing."""
    whole = rows.view(_need(rows, {8: "<i2"}))
    one = (whole[:, 3] | 3).astype(np.float32)
    three = whole[:, :3] / one[:, None] * np.float32(np.sqrt(0.5))
    fourth = np.sqrt(np.maximum(0, 1 - (three * three).sum(axis=1)))
    out = np.zeros((len(whole), 4), "<i2")
    every, largest = np.arange(len(whole)), whole[:, 3] & 3
    for k in range(3):
        out[every, (largest + k + 1) % 4] = _rounded(three[:, k] * np.float32(32767), "<i2")
    out[every, largest] = _rounded(fourth * np.float32(32767), "<i2")
    return out


def _exponential(rows: Array) -> Array:
    """Floats from a signed exponent in the top byte and a signed mantissa below."""
    whole = rows.view("<i4")
    floats: Array = np.ldexp(((whole << 8) >> 8).astype(np.float32), whole >> 24).astype("<f4")
    return floats


def _need(rows: Array, kinds: dict[int, str]) -> str:
    if rows.shape[1] not in kinds:
        raise BadFile("The meshopt data of the file cannot be read.", AGAIN)
    return kinds[rows.shape[1]]


def _rounded(values: Array, kind: str) -> Array:
    """To the nearest whole number, halves away from zero."""
    return np.asarray(np.trunc(values + np.copysign(np.float32(0.5), values))).astype(kind)


FILTERS: dict[str, Callable[[Array], Array]] = {
    "NONE": lambda rows: rows,
    "OCTAHEDRAL": _octahedral,
    "QUATERNION": _quaternion,
    "EXPONENTIAL": _exponential,
}
