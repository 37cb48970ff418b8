"""BC7 blocks: modes 6 (one line of colours with transparency) and 1 (two lines of opaque colours).

Format: Khronos Data Format Specification 1.3, section 20 (BPTC). For every 4 x 4 block a line is laid through its
colours by their main axis, its ends are rounded to what the mode can store, texels take the nearest step between them,
and the ends are fitted once more to the chosen steps by least squares. An opaque block that one line does not meet is
parted in two at the middle of its main axis; of the 64 partitions of the format the one nearest to that is tried.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.texture._block_line import in_bands, main_line, refit

Bytes = NDArray[np.uint8]
STEPS4 = np.array([0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64], np.float32) / np.float32(64)
STEPS3 = np.array([0, 9, 18, 27, 37, 46, 55, 64], np.float32) / np.float32(64)
PARTITIONS = np.array([
    0xCCCC, 0x8888, 0xEEEE, 0xECC8, 0xC880, 0xFEEC, 0xFEC8, 0xEC80, 0xC800, 0xFFEC, 0xFE80, 0xE800, 0xFFE8, 0xFF00,
    0xFFF0, 0xF000, 0xF710, 0x008E, 0x7100, 0x08CE, 0x008C, 0x7310, 0x3100, 0x8CCE, 0x088C, 0x3110, 0x6666, 0x366C,
    0x17E8, 0x0FF0, 0x718E, 0x399C, 0xAAAA, 0xF0F0, 0x5A5A, 0x33CC, 0x3C3C, 0x55AA, 0x9696, 0xA55A, 0x73CE, 0x13C8,
    0x324C, 0x3BDC, 0x6996, 0xC33C, 0x9966, 0x0660, 0x0272, 0x04E4, 0x4E40, 0x2720, 0xC936, 0x936C, 0x39C6, 0x639C,
    0x9336, 0x9CC6, 0x817E, 0xE718, 0xCCF0, 0x0FCC, 0x7744, 0xEE22,
], np.int64)  # fmt: skip
ANCHORS = np.array([
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 2, 8, 2, 2, 8, 8, 15, 2, 8, 2, 2, 8, 8, 2, 2,
    15, 15, 6, 8, 2, 8, 15, 15, 2, 8, 2, 2, 2, 15, 15, 6, 6, 2, 6, 8, 15, 15, 2, 2, 15, 15, 15, 15, 15, 2, 2, 15,
], np.int64)  # fmt: skip
GOOD_ENOUGH = 8.0


def encode(pixels: Bytes) -> bytes:
    """``pixels``: (H, W, 4) uint8, sides a multiple of 4. Gives 16 bytes a block, rows of blocks from the top."""
    nearest = _nearest_partitions()
    return in_bands(pixels, 16, lambda image, first, last, out: _encode_rows(image, first, last, nearest, out))


@cache
def _nearest_partitions() -> NDArray[np.uint8]:
    """For each way to part 16 texels in two, the partition that differs in the fewest; either side may come first."""
    ways = np.arange(1 << 16, dtype=np.uint32)[:, None]
    differ = np.bitwise_count(ways ^ PARTITIONS.astype(np.uint32)[None])
    return np.asarray(np.minimum(differ, 16 - differ).argmin(axis=1), np.uint8)


@kernel
def _encode_rows(image: Any, first: int, last: int, nearest: Any, out: Any) -> None:
    columns = image.shape[1] // 4
    px = np.empty((16, 4), np.float32)
    ends, tried, best = np.empty((2, 4), np.float32), np.empty((2, 4), np.int64), np.empty((2, 4), np.int64)
    steps, kept = np.empty(16, np.int64), np.empty(16, np.int64)
    ends1, steps1 = np.empty((4, 4), np.int64), np.empty(16, np.int64)
    for row in range(first, last):
        for column in range(columns):
            opaque = True
            for i in range(16):
                for c in range(4):
                    px[i, c] = image[row * 4 + (i >> 2), column * 4 + (i & 3), c]
                opaque = opaque and px[i, 3] == 255
            block = out[row * columns + column]
            channels = 3 if opaque else 4
            error, bits = _fit(px, 0xFFFF, channels, 7, STEPS4, ends, tried, steps, best, kept)
            if opaque and error > GOOD_ENOUGH:
                way = _two_sides(px, ends, nearest)
                parted, bits1 = np.float32(0), 0
                for side in range(2):
                    mask = PARTITIONS[way] if side else 0xFFFF ^ PARTITIONS[way]
                    more, bit = _fit(px, mask, 3, 6, STEPS3, ends, tried, steps, ends1[2 * side : 2 * side + 2], steps1)
                    parted += more
                    bits1 |= bit << side
                    if parted >= error:
                        break
                if parted < error:
                    _write_mode1(block, way, ends1, bits1, steps1)
                    continue
            if opaque:
                best[0, 3] = best[1, 3] = 127
            _write_mode6(block, best, bits, kept)


@kernel
def _two_sides(px: Any, ends: Any, nearest: Any) -> int:
    """The partition nearest to a cut through the middle of the line that was laid through all colours."""
    a0, a1, a2 = ends[1, 0] - ends[0, 0], ends[1, 1] - ends[0, 1], ends[1, 2] - ends[0, 2]
    middle = np.float32(0)
    for i in range(16):
        middle += (a0 * px[i, 0] + a1 * px[i, 1] + a2 * px[i, 2]) * np.float32(0.0625)
    way = 0
    for i in range(16):
        if a0 * px[i, 0] + a1 * px[i, 1] + a2 * px[i, 2] > middle:
            way |= 1 << i
    return int(nearest[way])


@kernel
def _fit(
    px: Any, mask: int, channels: int, depth: int, levels: Any, ends: Any, tried: Any, steps: Any, best: Any, kept: Any
) -> Any:
    """The best stored line for the texels of a mask: (squared error, low bits of both ends).

    ``depth``: bits of an end without its low bit. Fills ``best`` (both ends) and ``kept`` (step of each texel); leaves
    the line that was laid last in ``ends``. With ``depth`` 6 both ends share their low bit.
    """
    main_line(px, mask, channels, ends)
    least, low_bits = np.float32(1e30), 0
    only = channels == 3 and depth == 7
    for turn in range(2):
        for choice in range(3 if only else 0, 4):
            if depth == 6 and (choice == 1 or choice == 2):
                continue
            error = _try(px, mask, channels, depth, choice & 1, choice >> 1, levels, ends, tried, steps)
            if error < least:
                least, low_bits = error, choice if depth == 7 else choice & 1
                for c in range(channels):
                    best[0, c], best[1, c] = tried[0, c], tried[1, c]
                for i in range(16):
                    if mask >> i & 1:
                        kept[i] = steps[i]
        if turn == 1 or least <= 0 or not refit(px, mask, channels, levels, kept, ends):
            break
    return least, low_bits


@kernel
def _try(
    px: Any, mask: int, channels: int, depth: int, bit0: int, bit1: int, levels: Any, ends: Any, tried: Any, steps: Any
) -> Any:
    """Squared error with the ends rounded to what can be stored; fills ``tried`` and ``steps``."""
    most, count = (1 << depth) - 1, len(levels)
    a0, a1, a2, a3 = np.float32(0), np.float32(0), np.float32(0), np.float32(255)
    b0, b1, b2, b3 = np.float32(0), np.float32(0), np.float32(0), np.float32(255)
    for c in range(channels):
        e = _rounded(ends[0, c], bit0, depth, most)
        f = _rounded(ends[1, c], bit1, depth, most)
        tried[0, c], tried[1, c] = e, f
        va, vb = _stored(e, bit0, depth), _stored(f, bit1, depth)
        if c == 0:
            a0, b0 = va, vb
        elif c == 1:
            a1, b1 = va, vb
        elif c == 2:
            a2, b2 = va, vb
        else:
            a3, b3 = va, vb
    d0, d1, d2, d3 = b0 - a0, b1 - a1, b2 - a2, b3 - a3
    length = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3
    scale = np.float32(count - 1) / length if length > 0 else np.float32(0)
    half = np.float32(0.5)
    error = np.float32(0)
    for i in range(16):
        if mask >> i & 1:
            x, y, z, w = px[i, 0] - a0, px[i, 1] - a1, px[i, 2] - a2, px[i, 3] - a3
            at = (x * d0 + y * d1 + z * d2 + w * d3) * scale + half
            k = int(min(np.float32(count - 1), max(np.float32(0), at)))
            steps[i] = k
            s = levels[k]
            x, y, z, w = (
                x - np.floor(d0 * s + half),
                y - np.floor(d1 * s + half),
                z - np.floor(d2 * s + half),
                w - d3 * s,
            )
            error += x * x + y * y + z * z + w * w
    return error


@kernel
def _rounded(value: Any, bit: int, depth: int, most: int) -> int:
    """The stored number whose colour is nearest to a value 0..255, with a given low bit."""
    scaled = value if depth == 7 else value * np.float32(127 / 255)
    return min(most, max(0, int(np.floor((scaled - bit) * np.float32(0.5) + np.float32(0.5)))))


@kernel
def _stored(number: int, bit: int, depth: int) -> Any:
    """The colour 0..255 that a stored number and its low bit stand for."""
    full = number << 1 | bit
    return np.float32(full if depth == 7 else full << 1 | full >> 6)


@kernel
def _put(block: Any, at: int, count: int, value: int) -> int:
    """Write the low bits of a number at a bit position; gives the next position."""
    for k in range(count):
        if value >> k & 1:
            block[(at + k) >> 3] |= np.uint8(1 << ((at + k) & 7))
    return at + count


@kernel
def _write_mode6(block: Any, ends: Any, bits: int, steps: Any) -> None:
    """Both ends and 16 steps; the first step is stored without its top bit, so the ends may have to change places."""
    turned = steps[0] >= 8
    first, second = (1, 0) if turned else (0, 1)
    low, high = np.uint64(1 << 6), np.uint64(0)
    at = 7
    for c in range(4):
        low |= np.uint64(ends[first, c]) << np.uint64(at)
        low |= np.uint64(ends[second, c]) << np.uint64(at + 7)
        at += 14
    low |= np.uint64(bits >> first & 1) << np.uint64(63)
    high |= np.uint64(bits >> second & 1)
    at = 1
    for i in range(16):
        step = 15 - steps[i] if turned else steps[i]
        high |= np.uint64(step) << np.uint64(at)
        at += 3 if i == 0 else 4
    for k in range(8):
        block[k] = np.uint8(low >> np.uint64(8 * k) & np.uint64(255))
        block[8 + k] = np.uint8(high >> np.uint64(8 * k) & np.uint64(255))


@kernel
def _write_mode1(block: Any, way: int, ends: Any, bits: int, steps: Any) -> None:
    """Four ends, two low bits and 16 steps; the anchor of each side is stored without its top bit."""
    anchor = ANCHORS[way]
    turned0, turned1 = steps[0] >= 4, steps[anchor] >= 4
    for k in range(16):
        block[k] = np.uint8(0)
    at = _put(block, 0, 8, 2 | way << 2)
    for c in range(3):
        for e in range(4):
            side = e >> 1
            turned = turned1 if side else turned0
            which = 2 * side + (1 - (e & 1) if turned else e & 1)
            at = _put(block, at, 6, ends[which, c])
    at = _put(block, at, 2, bits)
    for i in range(16):
        side = PARTITIONS[way] >> i & 1
        step = 7 - steps[i] if (turned1 if side else turned0) else steps[i]
        at = _put(block, at, 2 if i == 0 or i == anchor else 3, step)
