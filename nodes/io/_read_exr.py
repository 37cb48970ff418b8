"""OpenEXR pictures: the first part and layer that holds colour, cut to the display window."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.io._primaries import to_srgb_primaries
from nodes.io._tone import Light

MAGIC = b"\x76\x2f\x31\x01"
MOST_VALUES = 800_000_000
DEEP = 0x800
COLOUR = (("R", "G", "B"), ("r", "g", "b"), ("red", "green", "blue"), ("X", "Y", "Z"), ("U", "V"))
ALPHA = {"R": "A", "r": "a", "red": "alpha"}


def exr_light(data: bytes, most: int) -> Light:
    """The picture in an OpenEXR 2 or 3 file. Raises ValueError in words that go on after the file's name.

    ``most``: pixels that are read at most. Only ``R``, ``G``, ``B`` count as premultiplied colours; where the file has
    none, a layer of three numbers, a luminance or its first channel is taken, and the remark says which.
    """
    import OpenEXR

    if len(data) > 8 and int.from_bytes(data[4:8], "little") & DEEP:
        raise ValueError("holds deep pixels, which are not read here")
    try:
        heads = OpenEXR.File(io.BytesIO(data), separate_channels=True, header_only=True).parts
        for part in heads:
            _check_size(part.header, most)
        number, names = _chosen([[channel.name for channel in part.header["channels"]] for part in heads])
        parts = OpenEXR.File(io.BytesIO(data), separate_channels=True).parts
        if len(parts) != len(heads):
            raise ValueError("is damaged or cut short")
        found = parts[number]
        planes = [np.asarray(found.channels[name].pixels) for name in names]
    except (RuntimeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"is damaged or cut short: {str(error)[:100]}") from error
    values, notes = _stacked(planes), _remarks(names, number, heads)
    values = _in_display(values, found.header)
    if len(names) > 2 and names[0].rpartition(".")[2].lower() in ("r", "red") and "chromaticities" in found.header:
        values = _in_srgb(values, found.header["chromaticities"])
    return Light(values, tuple(notes), premultiplied=len(names) == 4)


def _check_size(header: dict[str, Any], most: int) -> None:
    for window in ("dataWindow", "displayWindow"):
        width, height = _size(header[window])
        if width < 1 or height < 1:
            raise ValueError("has no pixels")
        if width * height > most or width * height * len(header["channels"]) > MOST_VALUES:
            raise ValueError(f"is too large: {width:,} x {height:,} pixels")


def _size(window: Any) -> tuple[int, int]:
    (left, top), (right, bottom) = ([int(v) for v in corner] for corner in window)
    return right - left + 1, bottom - top + 1


def _chosen(parts: list[list[str]]) -> tuple[int, list[str]]:
    """(number of the part, names of its channels in order): plain colour first, then a layer's, then grey."""
    for number, names in enumerate(parts):
        prefixes = dict.fromkeys(["", *(name[: name.rfind(".") + 1] for name in sorted(names))])
        for prefix in prefixes:
            for triple in COLOUR:
                if all(prefix + name in names for name in triple):
                    wanted = [prefix + name for name in triple]
                    alpha = prefix + ALPHA.get(triple[0], "?")
                    return number, [*wanted, alpha] if alpha in names else wanted
    for number, names in enumerate(parts):
        if "Y" in names and {"RY", "BY"} <= set(names):
            raise ValueError("keeps its colours as luminance and chroma, which are not read here")
        if names:
            return number, ["Y" if "Y" in names else sorted(names)[0]]
    raise ValueError("has no channels")


def _stacked(planes: list[NDArray[Any]]) -> NDArray[np.float32]:
    if any(plane.shape != planes[0].shape or plane.ndim != 2 for plane in planes):
        raise ValueError("keeps its channels at different sizes, which is not read here")
    if len(planes) == 2:
        planes = [*planes, np.zeros_like(planes[0])]
    with np.errstate(over="ignore"):
        return np.stack(planes, axis=-1).astype(np.float32)


def _remarks(names: list[str], number: int, parts: list[Any]) -> list[str]:
    every = [channel.name for part in parts for channel in part.header["channels"]]
    if len(every) <= len(names) and names[0] in ("R", "Y"):
        return []
    others = sorted(set(every) - set(names))
    part = f" of part {number + 1} of {len(parts)}" if len(parts) > 1 else ""
    rest = f" It also holds {', '.join(others[:8])}{' and more' if len(others) > 8 else ''}." if others else ""
    return [f"Read {', '.join(names)}{part}.{rest}"]


def _in_display(values: NDArray[np.float32], header: dict[str, Any]) -> NDArray[np.float32]:
    """The display window is the picture; where the data does not reach, it is clear and black."""
    (left, top), _ = header["dataWindow"]
    (shown_left, shown_top), _ = header["displayWindow"]
    width, height = _size(header["displayWindow"])
    x, y = int(left) - int(shown_left), int(top) - int(shown_top)
    if (x, y) == (0, 0) and values.shape[:2] == (height, width):
        return values
    whole = np.zeros((height, width, values.shape[2]), np.float32)
    inside = values[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
    whole[max(0, y) : max(0, y) + inside.shape[0], max(0, x) : max(0, x) + inside.shape[1]] = inside
    return whole


def _in_srgb(values: NDArray[np.float32], chromaticities: Any) -> NDArray[np.float32]:
    matrix = to_srgb_primaries([float(v) for v in np.ravel(chromaticities)])
    if matrix is None:
        return values
    return np.concatenate([values[..., :3] @ matrix, values[..., 3:]], axis=-1)
