"""Rows of numbers as text, with fixed words between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_text(values: NDArray[Any], *pieces: bytes) -> bytes:
    """One piece of text before each number of each row of (N, K) finite numbers, and a last one after the row.

    Whole numbers from 0 up are written as such, others with at most 9 digits, which name every float32 exactly.
    """
    from nodes.io._xml_loops import element_rows

    bounds = np.cumsum([0, *map(len, pieces)])
    letters = np.frombuffer(b"".join(pieces), np.uint8)
    return bytes(
        element_rows(letters, bounds, np.ascontiguousarray(values, np.float64), values.dtype.kind in "ui").data
    )
