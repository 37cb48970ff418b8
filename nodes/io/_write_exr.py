"""OpenEXR files: one part of scan lines, ZIP-compressed, half or float (OpenEXR file layout, version 2)."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF, FLOAT = 1, 2
ZIP, LINES = 3, 16
NAMES = {1: ("Y",), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}


def exr_bytes(values: NDArray[np.float32], half: bool, texts: dict[str, str] | None = None) -> bytes:
    """``values``: (H, W, 1, 3 or 4) float32, linear light, colours multiplied by alpha, or plain numbers.

    ``texts``: further attributes, name to text. Values beyond 65504 become infinite in ``half``.
    """
    with np.errstate(over="ignore"):
        planes = values.astype("<f2" if half else "<f4")
    height, width = values.shape[:2]
    named = sorted(zip(NAMES[values.shape[2]], np.moveaxis(planes, -1, 0), strict=True))
    head = _header(width, height, [name for name, _ in named], HALF if half else FLOAT, texts or {})
    stacked = np.stack([plane for _, plane in named], axis=1)  # (H, C, W): each line holds channel after channel
    with ThreadPoolExecutor() as pool:
        blocks = list(pool.map(lambda top: _block(stacked[top : top + LINES]), range(0, height, LINES)))
    at = len(head) + 8 * len(blocks)
    table, body = b"", []
    for number, block in enumerate(blocks):
        table += struct.pack("<Q", at)
        body.append(struct.pack("<ii", number * LINES, len(block)) + block)
        at += len(body[-1])
    return b"".join([head, table, *body])


def _header(width: int, height: int, names: list[str], kind: int, texts: dict[str, str]) -> bytes:
    channels = b"".join(name.encode() + struct.pack("<xiB3xii", kind, 0, 1, 1) for name in names) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes: list[tuple[str, str, bytes]] = [
        ("channels", "chlist", channels),
        ("compression", "compression", bytes([ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *((name, "string", text.encode()) for name, text in texts.items()),
    ]
    rows = (f"{name}\0{kind}\0".encode() + struct.pack("<i", len(data)) + data for name, kind, data in attributes)
    return b"\x76\x2f\x31\x01" + struct.pack("<I", 2) + b"".join(rows) + b"\0"


def _block(lines: NDArray[Any]) -> bytes:
    """Even bytes before odd ones, differences, zlib; as it is where that is not smaller."""
    raw = np.frombuffer(lines.tobytes(), np.uint8)
    parted = np.concatenate([raw[::2], raw[1::2]])
    steps = parted.copy()
    steps[1:] = parted[1:] - parted[:-1] + np.uint8(128)
    packed = zlib.compress(steps.tobytes(), 4)
    return packed if len(packed) < len(raw) else raw.tobytes()
