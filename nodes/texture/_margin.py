"""Fill the empty part of a texture, so that smaller versions of it show no seams."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Margin:
    """Where to take the colour of each empty texel from: the nearest filled one up to ``width`` away."""

    def __init__(self, filled: Array, width: int) -> None:
        """``filled``: (H, W) bool, at least one true."""
        import cv2

        gap, label = cv2.distanceTransformWithLabels(
            (~filled).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        place = np.zeros(int(label.max()) + 1, np.int64)
        place[label[filled]] = np.flatnonzero(filled)
        self.filled = filled
        self.near = ~filled & (gap <= width + 1)
        self.source = place[label[self.near]]

    def fill(self, picture: Array) -> Array:
        """(H, W, C) with the margin filled; what lies farther out takes the mean of the filled texels."""
        out = picture.copy()
        out[~self.filled] = picture[self.filled].mean(axis=0, dtype=np.float64)
        out[self.near] = picture.reshape(-1, picture.shape[2])[self.source]
        return out
