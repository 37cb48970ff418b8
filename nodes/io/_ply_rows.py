"""The elements of a PLY file as columns, whatever their layout (Turk, The PLY Polygon File Format, 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._numbers import numbers

Array = NDArray[Any]
KINDS = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
MAX_HEADER = 1 << 20


class Lists(NamedTuple):
    """A list property: (K,) how many items each row has, and all items one after another."""

    counts: Array
    items: Array


@dataclass(frozen=True)
class Property:
    """``length``: the dtype of the count of a list property, else empty. ``kind``: dtype of the value or items."""

    name: str
    kind: str
    length: str = ""


@dataclass(frozen=True)
class Element:
    name: str
    count: int
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Header:
    order: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...]
    size: int


def read_header(data: bytes) -> Header:
    """Raises :class:`BadFile` for anything that is not a PLY header."""
    end = data.find(b"end_header", 0, MAX_HEADER)
    if not data.startswith(b"ply") or end < 0:
        raise BadFile("This is not a PLY file, or its header is cut short.", "Choose another file.")
    size = end + len(b"end_header")
    size += 2 if data[size : size + 2] == b"\r\n" else 1
    order, elements, comments = "", list[tuple[str, int, list[Property]]](), []
    try:
        for line in data[:end].decode("latin-1").splitlines()[1:]:
            words = line.split()
            match words[:1]:
                case ["format"]:
                    order = words[1]
                case ["comment"]:
                    comments.append(line.partition(" ")[2].strip())
                case ["element"]:
                    elements.append((words[1], int(words[2]), []))
                case ["property"]:
                    elements[-1][2].append(_property(words))
        found = tuple(Element(name, count, tuple(properties)) for name, count, properties in elements)
        return Header(ORDERS[order], found, tuple(comments), size)
    except (KeyError, IndexError, ValueError):
        raise BadFile("The header of the PLY file is damaged.", "Export the file again.") from None


def _property(words: list[str]) -> Property:
    if words[1] == "list":
        return Property(words[4], KINDS[words[3]], KINDS[words[2]])
    return Property(words[2], KINDS[words[1]])


def read_elements(data: bytes, header: Header) -> dict[str, dict[str, Any]]:
    """Element name -> property name -> (K,) array, or :class:`Lists`. Raises :class:`BadFile` when data is missing."""
    source = _Binary(data, header.size, header.order) if header.order else _Words(data[header.size :])
    found: dict[str, dict[str, Any]] = {}
    for element in header.elements:
        if element.count < 0 or element.count * max(1, len(element.properties)) > len(data):
            raise _short(element)
        found[element.name] = _columns(source, element)
    return found


def _short(element: Element) -> BadFile:
    return BadFile(
        f"The PLY file is cut short: it promises {element.count:,} rows of {element.name!r}.",
        "Copy or export the file again.",
    )


class _Binary:
    def __init__(self, data: bytes, at: int, order: str) -> None:
        self.data, self.at, self.order = data, at, order

    def layout(self, properties: tuple[Property, ...], sizes: tuple[int, ...]) -> np.dtype[Any]:
        """The dtype of a row whose lists have these sizes; list counts come as ``#name``."""
        fields: list[Any] = []
        for p, size in zip(properties, sizes, strict=True):
            if p.length:
                fields += [("#" + p.name, self.order + p.length), (p.name, self.order + p.kind, (size,))]
            else:
                fields.append((p.name, self.order + p.kind))
        return np.dtype(fields)

    def rows(self, layout: np.dtype[Any], count: int) -> Any:
        """``count`` rows at the place reached, not yet consumed; None when there are not as many bytes."""
        enough = self.at + layout.itemsize * count <= len(self.data)
        return np.frombuffer(self.data, layout, count, self.at) if enough else None

    def skip(self, layout: np.dtype[Any], count: int) -> None:
        self.at += layout.itemsize * count

    def take(self, kind: str, count: int) -> Array:
        found = np.frombuffer(self.data, self.order + kind, count, self.at)
        self.at += found.nbytes
        return found


class _Words(_Binary):
    """Text: every value is one float64, and the rest is as in a binary file."""

    def __init__(self, text: bytes) -> None:
        super().__init__(numbers(text, "PLY").tobytes(), 0, "<")

    def layout(self, properties: tuple[Property, ...], sizes: tuple[int, ...]) -> np.dtype[Any]:
        wide = tuple(Property(p.name, "f8", "f8" if p.length else "") for p in properties)
        return super().layout(wide, sizes)

    def take(self, kind: str, count: int) -> Array:
        return super().take("f8", count)


def _columns(source: _Binary, element: Element) -> dict[str, Any]:
    """All rows at once where every list is as long as in the first row, else one by one."""
    try:
        sizes = _sizes_of_first(source, element)
    except ValueError:
        raise _short(element) from None
    layout = source.layout(element.properties, sizes)
    rows = source.rows(layout, element.count)
    lists = [p for p in element.properties if p.length]
    even = rows is not None and all((rows["#" + p.name] == rows[p.name].shape[1]).all() for p in lists)
    if not even:
        if not lists:
            raise _short(element)
        return _row_by_row(source, element)
    source.skip(layout, element.count)
    return {
        p.name: Lists(rows["#" + p.name], rows[p.name].reshape(-1)) if p.length else _as_declared(rows[p.name], p)
        for p in element.properties
    }


def _sizes_of_first(source: _Binary, element: Element) -> tuple[int, ...]:
    start, sizes = source.at, []
    for p in element.properties if element.count else ():
        sizes.append(int(source.take(p.length, 1)[0]) if p.length else 1)
        source.take(p.kind, _sane(sizes[-1]))
    source.at = start
    return tuple(sizes) if element.count else (0,) * len(element.properties)


def _row_by_row(source: _Binary, element: Element) -> dict[str, Any]:
    values: dict[str, list[Array]] = {p.name: [] for p in element.properties}
    try:
        for _ in range(element.count):
            for p in element.properties:
                size = int(source.take(p.length, 1)[0]) if p.length else 1
                values[p.name].append(source.take(p.kind, _sane(size)))
    except ValueError:
        raise _short(element) from None
    return {
        p.name: Lists(np.array([len(v) for v in values[p.name]]), np.concatenate(values[p.name]))
        if p.length
        else _as_declared(np.concatenate(values[p.name]), p)
        for p in element.properties
    }


def _as_declared(values: Array, p: Property) -> Array:
    with np.errstate(invalid="ignore"):
        return values.astype(p.kind)


def _sane(size: int) -> int:
    if not 0 <= size < 1 << 31:
        raise ValueError(f"a list cannot have {size} items")
    return size
