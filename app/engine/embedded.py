"""The graph that a GLB or a PNG carries, so that dropping the asset on the canvas brings its graph back.

In a ``.glb`` it is the text ``asset.extras.polyloom`` (glTF 2.0, section 3.5); in a ``.png`` it is a text chunk under
the keyword ``polyloom`` (PNG specification, third edition, section 11.3.3).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

KEYWORD = "polyloom"
LIMIT = 32 << 20
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


def read_graph_text(path: Path) -> str | None:
    """The graph text inside a ``.glb`` or ``.png`` file, or None: no graph in it, damaged, too large, not readable.

    Reads the JSON part or the text chunks only, never pictures or vertices; texts above 32 MiB are ignored.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
            if start == PNG_SIGNATURE:
                return _from_png(file)
            return _from_glb(file) if start == b"glTF\x02\0\0\0" else None
    except (OSError, ValueError, RecursionError, struct.error, zlib.error):
        return None


def read_png_texts(path: Path) -> dict[str, str]:
    """Every text of a PNG by its keyword; empty for what is no PNG or damaged. Texts above 32 MiB are ignored."""
    found: dict[str, str] = {}
    try:
        with Path(path).open("rb") as file:
            for kind, body in _text_chunks(file) if file.read(8) == PNG_SIGNATURE else ():
                keyword, _, rest = body.partition(b"\0")
                text = _decode(kind, rest)
                if text is not None:
                    found.setdefault(keyword.decode("latin-1"), text)
    except (OSError, ValueError, struct.error, zlib.error):
        pass
    return found


def write_png_text(png: bytes, keyword: str, text: str) -> bytes:
    """The same PNG with ``text`` in a compressed iTXt chunk after its header; an earlier one of that keyword goes.

    ``keyword``: 1 to 79 Latin-1 characters. Raises ValueError for another keyword and for bytes that are not a PNG.
    """
    name = keyword.encode("latin-1")
    if not 1 <= len(name) <= 79 or b"\0" in name:
        raise ValueError(f"{keyword!r} cannot be a PNG keyword")
    if png[:8] != PNG_SIGNATURE or png[12:16] != b"IHDR":
        raise ValueError("these bytes are not a PNG")
    packed = name + b"\0\1\0\0\0" + zlib.compress(text.encode(), 9)
    parts, at = [png[:33], _chunk(b"iTXt", packed)], 33
    while at + 12 <= len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        chunk = png[at : at + 12 + size]
        if not (chunk[4:8] in TEXT_CHUNKS and chunk[8:-4].startswith(name + b"\0")):
            parts.append(chunk)
        at += 12 + size
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _from_glb(file: BinaryIO) -> str | None:
    _, size, kind = struct.unpack("<II4s", file.read(12))
    if kind != b"JSON" or size > LIMIT:
        return None
    place = json.loads(file.read(size))
    for name in ("asset", "extras", KEYWORD):
        place = place.get(name) if isinstance(place, dict) else None
    return place if isinstance(place, str) and place else None


def _from_png(file: BinaryIO) -> str | None:
    for kind, body in _text_chunks(file):
        keyword, _, rest = body.partition(b"\0")
        if keyword == KEYWORD.encode():
            return _decode(kind, rest)
    return None


def _text_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind in TEXT_CHUNKS and size <= LIMIT:
            body = file.read(size)
            if len(body) == size:
                yield kind, body
            file.seek(4, 1)
        else:
            file.seek(size + 4, 1)


def _decode(kind: bytes, rest: bytes) -> str | None:
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        return _inflate(rest[1:], "latin-1")
    packed, rest = rest[:1] == b"\1", rest[2:]
    text = rest.split(b"\0", 2)[-1]
    return _inflate(text, "utf-8") if packed else text.decode()


def _inflate(data: bytes, encoding: str) -> str | None:
    worker = zlib.decompressobj()
    text = worker.decompress(data, LIMIT)
    return text.decode(encoding) if worker.eof else None
