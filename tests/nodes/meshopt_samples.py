"""A plain encoder of EXT_meshopt_compression, for tests that need packed files without the library's own program."""

from __future__ import annotations

import json
import struct

import numpy as np


def _zigzag(steps: np.ndarray) -> np.ndarray:
    signed = steps.astype(np.uint8).view(np.int8).astype(np.int16)
    return np.where(signed < 0, -2 * signed - 1, 2 * signed).astype(np.uint8)


def attributes(rows: np.ndarray) -> bytes:
    """(N, stride) uint8: every step as a whole byte."""
    count, stride = rows.shape
    block = min((8192 // stride) & ~15, 256)
    out, before = b"\xa0", rows[0]
    for first in range(0, count, block):
        part = rows[first : first + block]
        groups = -(-len(part) // 16)
        steps = np.zeros((groups * 16, stride), np.uint8)
        steps[: len(part)] = _zigzag(np.diff(np.concatenate([before[None], part]), axis=0))
        head = sum(3 << (2 * group) for group in range(groups)).to_bytes((groups + 3) // 4, "little")
        out += b"".join(head + steps[:, byte].tobytes() for byte in range(stride))
        before = part[-1]
    return out + bytes(max(0, 32 - stride)) + rows[0].tobytes()


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def triangles(order: np.ndarray) -> bytes:
    """Every corner named by its distance from the one before."""
    codes, data, last = b"", b"", 0
    for face in order.reshape(-1, 3).tolist():
        codes, data = codes + b"\xff", data + b"\xff"
        for corner in face:
            step, last = corner - last, corner
            data += _varint(2 * step if step >= 0 else -2 * step - 1)
    return b"\xe1" + codes + data + bytes(16)


def packed(glb: bytes) -> bytes:
    """A GLB with every accessor's view packed; pictures stay."""
    size = int.from_bytes(glb[12:16], "little")
    tree, body = json.loads(glb[20 : 20 + size]), glb[28 + size :]
    index = {p["indices"] for mesh in tree["meshes"] for p in mesh["primitives"]}
    out, used = b"", {a["bufferView"]: k for k, a in enumerate(tree["accessors"])}
    for number, view in enumerate(tree["bufferViews"]):
        raw = body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        view["byteOffset"] = len(out)
        if number in used:
            accessor = tree["accessors"][used[number]]
            order = used[number] in index
            stride = len(raw) // accessor["count"]
            rows = np.frombuffer(raw, np.uint8).reshape(-1, stride)
            data = triangles(np.frombuffer(raw, f"<u{stride}")) if order else attributes(rows)
            said = {"buffer": 0, "byteOffset": len(out), "byteLength": len(data), "byteStride": stride,
                    "count": accessor["count"], "mode": "TRIANGLES" if order else "ATTRIBUTES"}  # fmt: skip
            view |= {"buffer": 1, "byteOffset": 0, "extensions": {"EXT_meshopt_compression": said}}
            raw = data
        out += raw + bytes(-len(raw) % 4)
    tree["buffers"] = [{"byteLength": len(out)}, {"byteLength": len(body)}]
    tree["extensionsUsed"] = tree["extensionsRequired"] = ["EXT_meshopt_compression"]
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIII4s", b"glTF", 2, 28 + len(text) + len(out), len(text), b"JSON")
    return head + text + struct.pack("<I4s", len(out), b"BIN\0") + out
