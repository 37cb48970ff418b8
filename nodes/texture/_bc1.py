"""BC1 colour blocks, BC4 grey blocks, and what is made of them: BC3 (colour and alpha) and BC5 (two greys).

Format: Khronos Data Format Specification 1.3, sections 18 (S3TC) and 19 (RGTC). Colour ends are rounded to 5, 6 and 5
bits; four colours lie on the line between them. Greys have eight steps between two ends of 8 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.texture._block_line import in_bands, main_line, refit

Bytes = NDArray[np.uint8]
THIRDS = np.array([0, 1 / 3, 2 / 3, 1], np.float32)
STORED = np.array([0, 2, 3, 1], np.int64)
DEPTHS = np.array([31, 63, 31], np.int64)
WHOLE = 0xFFFF


def encode_bc1(pixels: Bytes) -> bytes:
    """``pixels``: (H, W, 3 or 4) uint8, sides a multiple of 4; alpha is left out. 8 bytes a block."""
    return in_bands(pixels, 8, _colour_rows)


def encode_bc3(pixels: Bytes) -> bytes:
    """``pixels``: (H, W, 4) uint8, sides a multiple of 4. 16 bytes a block: alpha, then colour."""
    return _side_by_side(encode_bc4(pixels[..., 3]), encode_bc1(pixels))


def encode_bc4(values: Bytes) -> bytes:
    """``values``: (H, W) uint8, sides a multiple of 4. 8 bytes a block."""
    return in_bands(values, 8, _grey_rows)


def encode_bc5(pixels: Bytes) -> bytes:
    """``pixels``: (H, W, 2 or more) uint8; red and green count. 16 bytes a block."""
    return _side_by_side(encode_bc4(pixels[..., 0]), encode_bc4(pixels[..., 1]))


def _side_by_side(first: bytes, second: bytes) -> bytes:
    halves = [np.frombuffer(half, np.uint8).reshape(-1, 8) for half in (first, second)]
    return np.concatenate(halves, axis=1).tobytes()


@kernel
def _colour_rows(image: Any, first: int, last: int, out: Any) -> None:
    columns = image.shape[1] // 4
    px, ends = np.empty((16, 4), np.float32), np.empty((2, 4), np.float32)
    tried, best = np.empty((2, 3), np.int64), np.empty((2, 3), np.int64)
    steps, kept = np.empty(16, np.int64), np.empty(16, np.int64)
    for row in range(first, last):
        for column in range(columns):
            for i in range(16):
                for c in range(3):
                    px[i, c] = image[row * 4 + (i >> 2), column * 4 + (i & 3), c]
            _fit(px, ends, tried, steps, best, kept)
            _write_colour(out[row * columns + column], best, kept)


@kernel
def _fit(px: Any, ends: Any, tried: Any, steps: Any, best: Any, kept: Any) -> None:
    """The best ends and steps: the main axis, least squares while that helps, then single steps of each number."""
    main_line(px, WHOLE, 3, ends)
    least = np.float32(1e30)
    for _ in range(4):
        for c in range(3):
            for e in range(2):
                tried[e, c] = min(DEPTHS[c], max(0, int(ends[e, c] * DEPTHS[c] / np.float32(255) + np.float32(0.5))))
        error = _nearest_steps(px, tried, steps)
        if error >= least:
            break
        least = error
        best[:], kept[:] = tried, steps
        if least <= 0 or not refit(px, WHOLE, 3, THIRDS, kept, ends):
            break
    for number in range(12):
        if least <= 0:
            break
        e, c, by = number & 1, (number >> 1) % 3, 1 if number >= 6 else -1
        tried[:] = best
        tried[e, c] = min(DEPTHS[c], max(0, tried[e, c] + by))
        error = _nearest_steps(px, tried, steps)
        if error < least:
            least = error
            best[:], kept[:] = tried, steps


@kernel
def _nearest_steps(px: Any, tried: Any, steps: Any) -> Any:
    """Squared error when each texel takes the nearest of the four colours."""
    a0, b0 = _five(tried[0, 0]), _five(tried[1, 0])
    a1, b1 = _six(tried[0, 1]), _six(tried[1, 1])
    a2, b2 = _five(tried[0, 2]), _five(tried[1, 2])
    d0, d1, d2 = b0 - a0, b1 - a1, b2 - a2
    length = d0 * d0 + d1 * d1 + d2 * d2
    scale = np.float32(3) / length if length > 0 else np.float32(0)
    error = np.float32(0)
    for i in range(16):
        x, y, z = px[i, 0] - a0, px[i, 1] - a1, px[i, 2] - a2
        at = (x * d0 + y * d1 + z * d2) * scale + np.float32(0.5)
        k = int(min(np.float32(3), max(np.float32(0), at)))
        steps[i] = k
        s = THIRDS[k]
        x, y, z = x - d0 * s, y - d1 * s, z - d2 * s
        error += x * x + y * y + z * z
    return error


@kernel
def _five(number: int) -> Any:
    return np.float32(number << 3 | number >> 2)


@kernel
def _six(number: int) -> Any:
    return np.float32(number << 2 | number >> 4)


@kernel
def _write_colour(block: Any, ends: Any, steps: Any) -> None:
    """The larger end goes first: that is what tells four colours from three and a hole."""
    one = ends[0, 0] << 11 | ends[0, 1] << 5 | ends[0, 2]
    two = ends[1, 0] << 11 | ends[1, 1] << 5 | ends[1, 2]
    turned = two > one
    bits = 0
    if one != two:
        for i in range(16):
            bits |= STORED[3 - steps[i] if turned else steps[i]] << 2 * i
    high, low = (two, one) if turned else (one, two)
    block[0], block[1] = np.uint8(high & 255), np.uint8(high >> 8)
    block[2], block[3] = np.uint8(low & 255), np.uint8(low >> 8)
    for k in range(4):
        block[4 + k] = np.uint8(bits >> 8 * k & 255)


@kernel
def _grey_rows(image: Any, first: int, last: int, out: Any) -> None:
    columns = image.shape[1] // 4
    px = np.empty(16, np.float32)
    for row in range(first, last):
        for column in range(columns):
            low, high = np.float32(255), np.float32(0)
            for i in range(16):
                value = np.float32(image[row * 4 + (i >> 2), column * 4 + (i & 3)])
                px[i] = value
                low, high = min(low, value), max(high, value)
            low, high = _best_ends(px, low, high)
            _write_grey(out[row * columns + column], px, low, high)


@kernel
def _best_ends(px: Any, low: Any, high: Any) -> Any:
    """The ends, moved inward or outward step by step while the error falls; a narrow range is met exactly."""
    if 0 < high - low <= 7:
        low = min(low, np.float32(248))
        return low, low + np.float32(7)
    least = _grey_error(px, low, high)
    better = high > low
    while better and least > 0:
        better = False
        for choice in range(8):
            a = low + np.float32((choice & 3) - 1) if choice < 4 else low
            b = high - np.float32((choice & 3) - 1) if choice >= 4 else high
            if a < 0 or b > 255 or b - a < 7:
                continue
            error = _grey_error(px, a, b)
            if error < least:
                low, high, least, better = a, b, error, True
    return low, high


@kernel
def _grey_error(px: Any, low: Any, high: Any) -> Any:
    span = high - low
    scale = np.float32(7) / span if span > 0 else np.float32(0)
    error = np.float32(0)
    for i in range(16):
        k = np.floor(min(np.float32(7), max(np.float32(0), (px[i] - low) * scale)) + np.float32(0.5))
        off = px[i] - low - k * span / np.float32(7)
        error += off * off
    return error


@kernel
def _write_grey(block: Any, px: Any, low: Any, high: Any) -> None:
    """The larger end goes first: eight steps. Stored order: high, low, then from high to low."""
    block[0], block[1] = np.uint8(high), np.uint8(low)
    span = high - low
    if span <= 0:
        return
    bits = np.uint64(0)
    for i in range(16):
        at = min(np.float32(7), max(np.float32(0), (px[i] - low) * np.float32(7) / span))
        k = 7 - int(np.floor(at + np.float32(0.5)))
        stored = 0 if k == 0 else (1 if k == 7 else k + 1)
        bits |= np.uint64(stored) << np.uint64(3 * i)
    for k in range(6):
        block[2 + k] = np.uint8(bits >> np.uint64(8 * k) & np.uint64(255))
