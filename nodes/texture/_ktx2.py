"""The KTX2 file around block-compressed levels (Khronos KTX File Format Specification 2.0)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from nodes.texture._blocks import BYTES, Block, Blocks

IDENTIFIER = b"\xabKTX 20\xbb\r\n\x1a\n"
HEADER, LEVEL, MOST_LEVELS = 80, 24, 32
PLAIN, ZSTANDARD = 0, 2
FORMATS: dict[tuple[Block, bool], int] = {
    ("BC1", False): 131, ("BC1", True): 132, ("BC3", False): 137, ("BC3", True): 138, ("BC4", False): 139,
    ("BC5", False): 141, ("BC6H", False): 143, ("BC7", False): 145, ("BC7", True): 146,
}  # fmt: skip
READ: dict[int, Block] = {code: form for (form, _), code in FORMATS.items()} | {133: "BC1", 134: "BC1"}
MODELS = {"BC1": 128, "BC3": 130, "BC4": 131, "BC5": 132, "BC6H": 133, "BC7": 134}
BT709, LINEAR, SRGB = 1, 1, 2
ALPHA, ALWAYS_LINEAR, FLOATS = 15, 0x10, 0x80
# of each format: (first bit, bits less one, channel and its qualifiers, highest value)
SAMPLES = {
    "BC1": ((0, 63, 0, 0xFFFFFFFF),),
    "BC3": ((0, 63, ALPHA, 0xFFFFFFFF), (64, 63, 0, 0xFFFFFFFF)),
    "BC4": ((0, 63, 0, 0xFFFFFFFF),),
    "BC5": ((0, 63, 0, 0xFFFFFFFF), (64, 63, 1, 0xFFFFFFFF)),
    "BC6H": ((0, 127, FLOATS, 0x3F800000),),
    "BC7": ((0, 127, 0, 0xFFFFFFFF),),
}


@dataclass(frozen=True)
class Stored:
    """The largest level of a file as it lies there. ``scheme``: 0 as it is, 2 Zstandard. ``length``: when expanded."""

    form: Block
    size: tuple[int, int]
    scheme: int
    data: bytes
    length: int


def ktx2(
    blocks: Blocks,
    frames: list[bytes] | None = None,
    writer: str = "Polyloom",
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """A file with all levels. ``frames``: the levels as Zstandard frames, or None to store them as they are.

    ``texts``: more keys and values; a key does not begin with KTX.
    """
    form, count = blocks.form, len(blocks.levels)
    data = list(blocks.levels) if frames is None else frames
    srgb = blocks.srgb and (form, True) in FORMATS
    descriptor, words = _descriptor(form, srgb), _words({**(texts or {}), "KTXorientation": "rd", "KTXwriter": writer})
    start = HEADER + LEVEL * count
    table, body = [b""] * count, bytearray()
    first = start + len(descriptor) + len(words)
    step = math.lcm(BYTES[form], 4) if frames is None else 1
    for level in reversed(range(count)):
        body += b"\0" * (-(first + len(body)) % step)
        table[level] = struct.pack("<3Q", first + len(body), len(data[level]), len(blocks.levels[level]))
        body += data[level]
    scheme = PLAIN if frames is None else ZSTANDARD
    head = struct.pack("<9I", FORMATS[form, srgb], 1, *blocks.size, 0, 0, 1, count, scheme)
    index = struct.pack("<4I2Q", start, len(descriptor), start + len(descriptor), len(words), 0, 0)
    return IDENTIFIER + head + index + b"".join(table) + descriptor + words + bytes(body)


def _descriptor(form: Block, srgb: bool) -> bytes:
    """The data format descriptor: one basic block (Khronos Data Format Specification 1.3, section 5)."""
    samples = b"".join(
        struct.pack("<HBB4x2I", at, bits, channel | (ALWAYS_LINEAR if srgb and channel == ALPHA else 0), 0, high)
        for at, bits, channel, high in SAMPLES[form]
    )
    size = 24 + len(samples)
    block = struct.pack("<IHH8B8B", 0, 2, size, MODELS[form], BT709, SRGB if srgb else LINEAR, 0, 3, 3, 0, 0,
                        BYTES[form], *[0] * 7)  # fmt: skip
    return struct.pack("<I", 4 + size) + block + samples


def _words(texts: Mapping[str, str]) -> bytes:
    """Keys and values, in the order of the keys' code points (section 3.11)."""
    out = b""
    for key, value in sorted(texts.items()):
        pair = key.encode() + b"\0" + value.encode() + b"\0"
        out += struct.pack("<I", len(pair)) + pair + b"\0" * (-len(pair) % 4)
    return out


def properties(data: bytes) -> dict[str, str]:
    """The keys of a file whose values are texts. ``data``: at least its beginning; what is cut short is left out."""
    found: dict[str, str] = {}
    if data[: len(IDENTIFIER)] != IDENTIFIER or len(data) < HEADER:
        return found
    at, length = struct.unpack_from("<2I", data, len(IDENTIFIER) + 36 + 8)
    end = min(at + length, len(data))
    while at + 4 <= end:
        size = struct.unpack_from("<I", data, at)[0]
        key, _, value = data[at + 4 : min(at + 4 + size, end)].partition(b"\0")
        if value.endswith(b"\0"):
            found[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "replace")
        at += 4 + size + -size % 4
    return found


def read(data: bytes) -> Stored:
    """The largest level of a file. Raises ValueError in words for what is damaged or of another kind."""
    if len(data) < HEADER + LEVEL:
        raise ValueError("it is cut short")
    code, _, width, height, depth, layers, faces, levels, scheme = struct.unpack_from("<9I", data, len(IDENTIFIER))
    if code not in READ:
        raise ValueError("its pixels are stored as Basis Universal" if code == 0 else f"its format (Vulkan {code}) is "
                         "none of BC1 to BC7")  # fmt: skip
    if depth > 1 or layers > 1 or faces != 1 or not width or not height:
        raise ValueError("it is a volume, an array or a cube, not a picture")
    if scheme not in (PLAIN, ZSTANDARD) or levels > MOST_LEVELS:
        raise ValueError(f"its compression (scheme {scheme}) is not known here")
    start, length, whole = struct.unpack_from("<3Q", data, HEADER)
    form = READ[code]
    wanted = -(-width // 4) * -(-height // 4) * BYTES[form]
    if start + length > len(data) or (length if scheme == PLAIN else whole) != wanted:
        raise ValueError("it is cut short")
    return Stored(form, (width, height), scheme, data[start : start + length], wanted)
