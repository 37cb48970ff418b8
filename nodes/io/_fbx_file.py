"""What the importer does not tell of an FBX file: its unit, and the pictures inside it (FBX 7.0 to 7.7)."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAGIC = b"Kaydara FBX Binary  \0"
WIDE = 7500
MOST_NODES = 200_000
PLAIN = {b"Y": ("<h", 2), b"C": ("<B", 1), b"I": ("<i", 4), b"F": ("<f", 4), b"D": ("<d", 8), b"L": ("<q", 8)}
CONTAINERS = (b"Objects", b"Video", b"GlobalSettings", b"Properties70")
_UNIT = re.compile(rb'"UnitScaleFactor"(?:\s*,\s*"[^"]*"){3}\s*,\s*([\d.eE+-]+)')
_VIDEO = re.compile(rb"\bVideo:[^\n]*\{(.*?)\n\t\}", re.S)
_NAME = re.compile(rb'\b(?:RelativeFilename|Filename|FileName):\s*"([^"]*)"')
_CONTENT = re.compile(rb'\bContent:\s*,?\s*((?:"[A-Za-z0-9+/=\s]*"\s*,?\s*)+)')


@dataclass(frozen=True)
class Inside:
    """``metres``: of one unit. ``pictures``: encoded, by their file names in small letters without folders."""

    metres: float
    pictures: dict[str, bytes]


def fbx_inside(data: bytes) -> Inside:
    """From binary and text files alike. What is damaged counts as not there."""
    centimetres, pictures = 1.0, {}
    try:
        found = _binary(data) if data.startswith(MAGIC) else _text(data)
        for name, value in found:
            if name == "UnitScaleFactor":
                centimetres = value
            else:
                pictures[_base(name)] = value
    except (struct.error, ValueError, IndexError):
        pass
    sound = 1e-6 < centimetres < 1e6
    return Inside(centimetres / 100 if sound else 0.01, pictures)


def _base(name: str) -> str:
    return re.split(r"[\\/]", name)[-1].lower()


def _text(data: bytes) -> Iterator[tuple[str, Any]]:
    if unit := _UNIT.search(data):
        yield "UnitScaleFactor", float(unit[1])
    for video in _VIDEO.findall(data):
        name, content = _NAME.search(video), _CONTENT.search(video)
        if name and content:
            try:
                yield name[1].decode("utf-8", "replace"), base64.b64decode(re.sub(rb"[^A-Za-z0-9+/=]", b"", content[1]))
            except binascii.Error:
                continue


def _binary(data: bytes) -> Iterator[tuple[str, Any]]:
    version = struct.unpack_from("<I", data, 23)[0]
    names: dict[int, str] = {}
    for node in _nodes(data, 27, len(data), version >= WIDE, [0]):
        if node.name == b"P" and node.values[:1] == [b"UnitScaleFactor"] and isinstance(node.values[-1], float | int):
            yield "UnitScaleFactor", float(node.values[-1])
        elif node.name in (b"RelativeFilename", b"Filename", b"FileName") and node.values and node.values[0]:
            names[node.parent] = node.values[0].decode("utf-8", "replace")
        elif node.name == b"Content" and node.values and len(node.values[0]):
            yield names.get(node.parent, ""), node.values[0]


@dataclass(frozen=True)
class _Node:
    name: bytes
    values: list[Any]
    parent: int


def _nodes(data: bytes, at: int, end: int, wide: bool, count: list[int], parent: int = 0) -> Iterator[_Node]:
    """The records between two places, those inside the few containers that matter included."""
    head, size = ("<3QB", 25) if wide else ("<3IB", 13)
    while at + size <= end:
        stop, _, length, letters = struct.unpack_from(head, data, at)
        if stop == 0:
            return
        start = at + size + letters
        name = data[at + size : start]
        count[0] += 1
        if stop <= at or stop > end or count[0] > MOST_NODES:
            raise ValueError("damaged")
        if name in CONTAINERS:
            yield from _nodes(data, start + length, stop, wide, count, at)
        else:
            yield _Node(name, _values(data, start, start + length) if length < stop - at else [], parent)
        at = stop


def _values(data: bytes, at: int, end: int) -> list[Any]:
    """Numbers, and texts as bytes; arrays end the list, since none of them matters here."""
    found: list[Any] = []
    while at < end:
        kind, at = data[at : at + 1], at + 1
        if kind in PLAIN:
            form, size = PLAIN[kind]
            found.append(struct.unpack_from(form, data, at)[0])
            at += size
        elif kind in (b"S", b"R"):
            size = struct.unpack_from("<I", data, at)[0]
            found.append(data[at + 4 : min(at + 4 + size, end)])
            at += 4 + size
        else:
            break
    return found
