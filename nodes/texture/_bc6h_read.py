"""The light in BC6H blocks of the mode that Polyloom writes, with all its bits (Pillow gives eight)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = np.array([0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64], np.float32) / np.float32(64)
WHOLE = 0xFFFF


def decode(data: bytes, size: tuple[int, int]) -> NDArray[np.float32] | None:
    """(H, W, 3) linear light of blocks that Polyloom wrote; None for blocks of another mode.

    ``size``: (width, height) in pixels.
    """
    across, down = -(-size[0] // 4), -(-size[1] // 4)
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(-1, 16), axis=1, bitorder="little").astype(np.int32)
    if (bits[:, :5] != (1, 1, 0, 0, 0)).any():
        return None
    ends = (bits[:, 5:65].reshape(-1, 2, 3, 10) << np.arange(10)).sum(axis=3)
    ends = np.where(ends == 0, 0, np.where(ends == 1023, WHOLE, ends * 64 + 32))
    whole = np.insert(bits[:, 65:], 3, 0, axis=1).reshape(-1, 16, 4)
    steps = np.rint(LEVELS * 64).astype(np.int32)[(whole << np.arange(4)).sum(axis=2)][..., None]
    halves = (ends[:, None, 0] * (64 - steps) + ends[:, None, 1] * steps + 32 >> 6) * 31 >> 6
    light = halves.astype(np.uint16).view(np.float16).astype(np.float32)
    whole_picture = light.reshape(down, across, 4, 4, 3).transpose(0, 2, 1, 3, 4).reshape(down * 4, across * 4, 3)
    return np.ascontiguousarray(whole_picture[: size[1], : size[0]])
