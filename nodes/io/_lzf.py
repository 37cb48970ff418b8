"""Unpack LZF (Lehmann 2000): runs of plain bytes, and copies of earlier ones. Import inside functions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Bytes = NDArray[np.uint8]


@kernel
def unpack(packed: Any, out: Bytes) -> int:
    """Fill ``out``; returns how many bytes it became, or -1 for damaged data."""
    at, done, size = 0, 0, len(packed)
    while at < size:
        control = int(packed[at])
        at += 1
        if control < 32:
            length, source = control + 1, -1
            if at + length > size:
                return -1
        else:
            length = control >> 5
            if length == 7 and at < size:
                length += int(packed[at])
                at += 1
            if at >= size:
                return -1
            source = done - ((control & 31) << 8) - int(packed[at]) - 1
            at += 1
            length += 2
            if source < 0:
                return -1
        if done + length > len(out):
            return -1
        for k in range(length):
            out[done + k] = packed[at + k] if source < 0 else out[source + k]
        if source < 0:
            at += length
        done += length
    return done
