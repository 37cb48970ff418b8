"""A line through the colours of a 4 x 4 block, and blocks shared out among the processor's cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from os import cpu_count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel


def in_bands(pixels: NDArray[Any], size: int, rows: Callable[[Any, int, int, Any], None]) -> bytes:
    """``rows(pixels, first, last, out)`` fills the rows of blocks first..last of ``out``: (blocks, ``size``) uint8."""
    down, across = pixels.shape[0] // 4, pixels.shape[1] // 4
    out = np.zeros((down * across, size), np.uint8)
    image = np.ascontiguousarray(pixels)
    parts = max(1, min(down, 4 * (cpu_count() or 1)))
    with ThreadPoolExecutor() as threads:
        jobs = [threads.submit(rows, image, *cut, out) for cut in pairwise(down * i // parts for i in range(parts + 1))]
        for job in jobs:
            job.result()
    return out.tobytes()


@kernel
def main_line(px: Any, mask: int, channels: int, ends: Any) -> None:  # noqa: C901  one loop kept whole for speed
    """Where the main axis of the colours, through their mean, begins and ends."""
    count, m0, m1, m2, m3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for i in range(16):
        if mask >> i & 1:
            count += np.float32(1)
            m0 += px[i, 0]
            m1 += px[i, 1]
            m2 += px[i, 2]
            m3 += px[i, 3]
    m0, m1, m2, m3 = m0 / count, m1 / count, m2 / count, m3 / count
    zero = np.float32(0)
    c00, c01, c02, c11, c12, c22 = zero, zero, zero, zero, zero, zero
    c03, c13, c23, c33 = zero, zero, zero, zero
    for i in range(16):
        if mask >> i & 1:
            x, y, z = px[i, 0] - m0, px[i, 1] - m1, px[i, 2] - m2
            c00, c01, c02 = c00 + x * x, c01 + x * y, c02 + x * z
            c11, c12, c22 = c11 + y * y, c12 + y * z, c22 + z * z
            if channels == 4:
                w = px[i, 3] - m3
                c03, c13, c23, c33 = c03 + x * w, c13 + y * w, c23 + z * w, c33 + w * w
    a0, a1, a2, a3 = c00 + c01 + c02 + c03, c01 + c11 + c12 + c13, c02 + c12 + c22 + c23, c03 + c13 + c23 + c33
    for _ in range(4):
        n0 = c00 * a0 + c01 * a1 + c02 * a2 + c03 * a3
        n1 = c01 * a0 + c11 * a1 + c12 * a2 + c13 * a3
        n2 = c02 * a0 + c12 * a1 + c22 * a2 + c23 * a3
        n3 = c03 * a0 + c13 * a1 + c23 * a2 + c33 * a3
        most = max(max(abs(n0), abs(n1)), max(abs(n2), abs(n3)))
        if most < 1e-6:
            break
        a0, a1, a2, a3 = n0 / most, n1 / most, n2 / most, n3 / most
    length = a0 * a0 + a1 * a1 + a2 * a2 + a3 * a3
    low, high = np.float32(0), np.float32(0)
    if length > 1e-12:
        low, high = np.float32(1e9), np.float32(-1e9)
        for i in range(16):
            if mask >> i & 1:
                at = ((px[i, 0] - m0) * a0 + (px[i, 1] - m1) * a1 + (px[i, 2] - m2) * a2) / length
                if channels == 4:
                    at += (px[i, 3] - m3) * a3 / length
                low, high = min(low, at), max(high, at)
    ends[0, 0], ends[1, 0] = m0 + a0 * low, m0 + a0 * high
    ends[0, 1], ends[1, 1] = m1 + a1 * low, m1 + a1 * high
    ends[0, 2], ends[1, 2] = m2 + a2 * low, m2 + a2 * high
    ends[0, 3], ends[1, 3] = m3 + a3 * low, m3 + a3 * high


@kernel
def refit(px: Any, mask: int, channels: int, levels: Any, kept: Any, ends: Any) -> bool:
    """Ends by least squares for the steps that were chosen; False where one step alone says nothing."""
    aa, ab, bb = np.float32(0), np.float32(0), np.float32(0)
    for i in range(16):
        if mask >> i & 1:
            s = levels[kept[i]]
            u = np.float32(1) - s
            aa, ab, bb = aa + u * u, ab + u * s, bb + s * s
    det = aa * bb - ab * ab
    if abs(det) < 1e-6:
        return False
    for c in range(channels):
        xa, xb = np.float32(0), np.float32(0)
        for i in range(16):
            if mask >> i & 1:
                s = levels[kept[i]]
                xa, xb = xa + (np.float32(1) - s) * px[i, c], xb + s * px[i, c]
        ends[0, c] = (bb * xa - ab * xb) / det
        ends[1, c] = (aa * xb - ab * xa) / det
    return True
