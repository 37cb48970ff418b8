"""Payloads as bytes for the store: a JSON header, then the raw arrays, each 64-byte aligned. Never pickle.

The digest of a payload is the SHA-256 (first 32 hex digits) of exactly these bytes, so equal content has an equal name.
An array that comes again, a texture of several materials for instance, is kept once.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from app.engine.errors import BadPayload, StoreDamaged
from app.engine.payloads import Payload

MAGIC = b"PLOOM\x00\x00\x01"
ALIGN = 64
WORTH_SHARING = 4096
Buffer = bytes | memoryview


def encode(payload: Payload) -> list[Buffer]:
    """The pieces of a payload's bytes, in order; arrays are not copied. Raises :class:`BadPayload`."""
    arrays = _Arrays()
    tree = _to_tree(payload, arrays)
    header = json.dumps({"tree": tree, "arrays": list(_layout(arrays))}, separators=(",", ":")).encode()
    pieces: list[Buffer] = [MAGIC + struct.pack("<Q", len(header)) + header]
    pieces[0] = _padded(pieces[0])
    for array in arrays:
        raw = array.reshape(-1).view(np.uint8).data if array.size else b""
        pieces += [raw, bytes(-array.nbytes % ALIGN)]
    return pieces


def digest(pieces: list[Buffer]) -> str:
    """32 hex digits that name this content."""
    state = hashlib.sha256()
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()[:32]


def decode(data: Buffer) -> Payload:
    """A payload whose arrays look straight into ``data``. Raises :class:`StoreDamaged` when it is not one."""
    try:
        view = memoryview(data)
        if bytes(view[:8]) != MAGIC:
            raise ValueError("wrong magic number")
        (length,) = struct.unpack("<Q", view[8:16])
        header = json.loads(bytes(view[16 : 16 + length]))
        start = 16 + length + -(16 + length) % ALIGN
        arrays = [
            np.frombuffer(view, np.dtype(kind), int(np.prod(shape, dtype=np.int64)), start + offset).reshape(shape)
            for kind, shape, offset in header["arrays"]
        ]
        payload = _from_tree(header["tree"], arrays)
    except (ValueError, KeyError, TypeError, struct.error, BadPayload) as error:
        raise StoreDamaged(f"A stored result is damaged: {error}.", "It will be computed again.") from None
    if not isinstance(payload, Payload):
        raise StoreDamaged("A stored result is not a payload.", "It will be computed again.")
    return payload


def _layout(arrays: list[np.ndarray[Any, Any]]) -> Iterator[tuple[str, list[int], int]]:
    offset = 0
    for array in arrays:
        yield array.dtype.str, list(array.shape), offset
        offset += array.nbytes + -array.nbytes % ALIGN


class _Arrays(list[np.ndarray[Any, Any]]):
    """The arrays of a payload in order, larger ones with equal content only once."""

    def __init__(self) -> None:
        super().__init__()
        self._alike: dict[tuple[Any, ...], list[int]] = {}

    def slot(self, value: np.ndarray[Any, Any]) -> int:
        """The number of ``value``: that of an equal array where there is one."""
        array = np.ascontiguousarray(value)
        if array.nbytes < WORTH_SHARING:
            self.append(array)
            return len(self) - 1
        raw = array.reshape(-1).view(np.uint8)
        candidates = self._alike.setdefault((array.dtype.str, array.shape, raw[:: raw.size // 64].tobytes()), [])
        for number in candidates:
            if self[number] is array or np.array_equal(self[number].reshape(-1).view(np.uint8), raw):
                return number
        self.append(array)
        candidates.append(len(self) - 1)
        return len(self) - 1


def _padded(piece: Buffer) -> bytes:
    return bytes(piece) + bytes(-len(piece) % ALIGN)


def _to_tree(value: object, arrays: _Arrays) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return {"@": arrays.slot(value)}
    if isinstance(value, Payload):
        names = [f.name for f in fields(value)]  # type: ignore[arg-type]
        return {"!": type(value).__name__, "f": {n: _to_tree(getattr(value, n), arrays) for n in names}}
    if isinstance(value, tuple):
        return [_to_tree(item, arrays) for item in value]
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or isinstance(plain, str | bool | int | float):
        return plain
    raise BadPayload(f"A payload cannot hold a {type(value).__name__}.", "Use arrays, numbers, text and tuples.")


def _from_tree(tree: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if isinstance(tree, list):
        return tuple(_from_tree(item, arrays) for item in tree)
    if not isinstance(tree, dict):
        return tree
    if "@" in tree:
        return arrays[tree["@"]]
    return Payload.kinds[tree["!"]](**{name: _from_tree(item, arrays) for name, item in tree["f"].items()})
