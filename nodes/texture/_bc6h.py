"""BC6H blocks for light beyond white: unsigned half floats, one line of 16 steps between ends of 10 bits.

Format: Khronos Data Format Specification 1.3, section 20 (BPTC), the mode with 10 bits an end and no differences. The
line is laid through the bits of the half floats, which grow like a logarithm, so errors are relative to brightness.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.texture._bc6h_read import LEVELS, WHOLE
from nodes.texture._block_line import in_bands, main_line, refit

BRIGHTEST = 65504.0


def encode(pixels: NDArray[np.float32]) -> bytes:
    """``pixels``: (H, W, 3 or 4) float32, linear light >= 0, sides a multiple of 4. 16 bytes a block."""
    light = np.nan_to_num(pixels[..., :3], nan=0.0, posinf=BRIGHTEST, neginf=0.0).clip(0, BRIGHTEST)
    bits = np.ascontiguousarray(light, np.float16).view(np.uint16)
    return in_bands(bits, 16, _rows)


@kernel
def _rows(image: Any, first: int, last: int, out: Any) -> None:
    columns = image.shape[1] // 4
    px, ends = np.empty((16, 4), np.float32), np.empty((2, 4), np.float32)
    tried, best = np.empty((2, 3), np.int64), np.empty((2, 3), np.int64)
    steps, kept = np.empty(16, np.int64), np.empty(16, np.int64)
    for row in range(first, last):
        for column in range(columns):
            for i in range(16):
                for c in range(3):
                    px[i, c] = image[row * 4 + (i >> 2), column * 4 + (i & 3), c] * np.float32(64 / 31)
            main_line(px, WHOLE, 3, ends)
            least = np.float32(1e30)
            for _ in range(3):
                error = _try(px, ends, tried, steps)
                if error >= least:
                    break
                least = error
                best[:], kept[:] = tried, steps
                if least <= 0 or not refit(px, WHOLE, 3, LEVELS, kept, ends):
                    break
            _write(out[row * columns + column], best, kept)


@kernel
def _try(px: Any, ends: Any, tried: Any, steps: Any) -> Any:
    """Squared error with ends of 10 bits; fills ``tried`` and ``steps``."""
    for c in range(3):
        for e in range(2):
            tried[e, c] = min(1023, max(0, int(np.floor(ends[e, c] / np.float32(64)))))
    a0, a1, a2 = _spread(tried[0, 0]), _spread(tried[0, 1]), _spread(tried[0, 2])
    d0, d1, d2 = _spread(tried[1, 0]) - a0, _spread(tried[1, 1]) - a1, _spread(tried[1, 2]) - a2
    length = d0 * d0 + d1 * d1 + d2 * d2
    scale = np.float32(15) / length if length > 0 else np.float32(0)
    error = np.float32(0)
    for i in range(16):
        x, y, z = px[i, 0] - a0, px[i, 1] - a1, px[i, 2] - a2
        at = (x * d0 + y * d1 + z * d2) * scale + np.float32(0.5)
        k = int(min(np.float32(15), max(np.float32(0), at)))
        steps[i] = k
        s = LEVELS[k]
        x, y, z = x - d0 * s, y - d1 * s, z - d2 * s
        error += x * x + y * y + z * z
    return error


@kernel
def _spread(number: int) -> Any:
    """The value 0..65535 that a stored end stands for."""
    if number == 0:
        return np.float32(0)
    return np.float32(65535) if number == 1023 else np.float32(number * 64 + 32)


@kernel
def _write(block: Any, ends: Any, steps: Any) -> None:
    """The first step is stored without its top bit, so the ends may have to change places."""
    turned = steps[0] >= 8
    first, second = (1, 0) if turned else (0, 1)
    low, high = np.uint64(3), np.uint64(0)
    at = 5
    for e in (first, second):
        for c in range(3):
            value = np.uint64(ends[e, c])
            if at < 64:
                low |= value << np.uint64(at)
            if at + 10 > 64:
                high |= value >> np.uint64(64 - at) if at < 64 else value << np.uint64(at - 64)
            at += 10
    at = 1
    for i in range(16):
        step = 15 - steps[i] if turned else steps[i]
        high |= np.uint64(step) << np.uint64(at)
        at += 3 if i == 0 else 4
    for k in range(8):
        block[k] = np.uint8(low >> np.uint64(8 * k) & np.uint64(255))
        block[8 + k] = np.uint8(high >> np.uint64(8 * k) & np.uint64(255))
