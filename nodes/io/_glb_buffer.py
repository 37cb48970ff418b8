"""The binary chunk and the container of a GLB file (Khronos glTF specification 2.0.1)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARRAY, ELEMENT = 34962, 34963
FLOAT, UINT16, UINT32 = 5126, 5123, 5125


@dataclass
class Buffer:
    """Collects the binary chunk; every part starts at a multiple of four bytes."""

    parts: list[bytes | memoryview] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0

    def view(self, data: bytes | memoryview, **extra: int) -> int:
        self.views.append({"buffer": 0, "byteOffset": self.size, "byteLength": len(data), **extra})
        padding = bytes(-len(data) % 4)
        self.parts += [data, padding]
        self.size += len(data) + len(padding)
        return len(self.views) - 1

    def accessor(self, array: NDArray[Any], kind: str, component: int, target: int, **extra: Any) -> int:
        """An accessor over a view of its own."""
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""
        view = self.view(data, target=target)
        return self.described(len(array), kind, component, bufferView=view, **extra)

    def described(self, count: int, kind: str, component: int, **extra: Any) -> int:
        """An accessor whose data lies elsewhere, or in the view that ``extra`` names."""
        self.accessors.append({"componentType": component, "count": count, "type": kind, **extra})
        return len(self.accessors) - 1


def container(document: dict[str, Any], buffer: Buffer) -> bytes:
    """The whole file: a head, the document as JSON, and the binary chunk."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.size
    head = struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON")
    return b"".join([head, text, struct.pack("<I4s", buffer.size, b"BIN\0"), *buffer.parts])
