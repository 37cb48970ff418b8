"""Which faces lie upon others in a UV layout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._raster import _box, _covers, count_covers, texel_corners

Array = NDArray[Any]


@kernel
def _upon(corners: Array, counts: Array, marked: Array) -> None:
    height, width = counts.shape
    for t in range(len(corners)):
        left, right, top, bottom = _box(corners, t, 0.0, 0, width, height)
        for y in range(top, bottom):
            for x in range(left, right):
                if counts[y, x] > 1 and not marked[t] and _covers(corners, t, x + 0.5, y + 0.5):
                    marked[t] = True


def overlapping(uv: Array, faces: Array, size: int = 1024) -> Array:
    """(M,) bool: faces over the centre of a texel, out of ``size`` x ``size``, that another face covers, too."""
    counts, corners = np.zeros((size, size), np.uint16), texel_corners(uv, faces, size)
    count_covers(corners, counts)
    marked = np.zeros(len(faces), np.bool_)
    _upon(corners, counts, marked)
    return marked
