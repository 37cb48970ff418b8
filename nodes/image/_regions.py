"""Connected parts and holes of a binary picture. Arrays: (H, W) bool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def regions(inside: Bools) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(labels (H, W), areas): 8-connected parts; label 0 is the outside, ``areas[i]`` the pixels of label i."""
    import cv2

    count, labels = cv2.connectedComponents(np.ascontiguousarray(inside, np.uint8), connectivity=8)
    return labels, np.bincount(labels.ravel(), minlength=count)


def largest_region(inside: Bools) -> Bools:
    """The largest 8-connected part; nothing where there is none."""
    labels, areas = regions(inside)
    if len(areas) < 2:
        return np.zeros_like(inside)
    return np.asarray(labels == 1 + int(np.argmax(areas[1:])))


def holes(inside: Bools) -> Bools:
    """Outside pixels that no 4-connected path of outside pixels links to the picture's border."""
    import cv2

    free = np.pad(~inside, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    return np.asarray((free > 0) & (labels != labels[0, 0]))[1:-1, 1:-1]


def filled(inside: Bools) -> Bools:
    """With every hole closed."""
    return inside | holes(inside)
