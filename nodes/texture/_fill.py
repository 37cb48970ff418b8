"""Fill the empty part of a picture in place: a margin of the nearest colour, then what each mip level would show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.texture._bake_words import Empty

Array = NDArray[Any]
TEXELS_AT_ONCE = 1 << 22


class Edge:
    """Where the texels of the margin take their value from, found in bands so that memory stays small."""

    def __init__(self, filled: Array, width: int, told: Callable[[], None] = lambda: None) -> None:
        """``filled``: (H, W) bool. ``width``: texels. ``told`` is called before each band."""
        self.shape, found = filled.shape, []
        step = max(64, TEXELS_AT_ONCE // filled.shape[1])
        for first in range(0, len(filled), step) if width > 0 else ():
            told()
            found.append(_nearest(filled, width, first, min(first + step, len(filled))))
        both = np.concatenate(found, axis=1) if found else np.zeros((2, 0), np.int64)
        self.place, self.source = both
        self.known = filled.copy()
        self.known.reshape(-1)[self.place] = True

    def fill(self, picture: Array, channels: int, how: Empty, mix: bool = True) -> None:
        """Change the first ``channels`` of (H, W, 4) in place; without ``mix`` only values that occur are used."""
        rows = picture.reshape(-1, picture.shape[2])
        rows[self.place] = rows[self.source]
        if self.known.all() or not self.known.any():
            return
        if how == "push-pull" or not mix:
            push_pull(picture, self.known, channels, mix)
            return
        for c in range(channels):
            channel = picture[..., c]
            channel[~self.known] = channel[self.known].mean(dtype=np.float64)


def _nearest(filled: Array, width: int, first: int, last: int) -> Array:
    """(2, K) flat numbers of the empty texels of some rows up to ``width`` from a filled one, and of the nearest."""
    import cv2

    low, high = max(0, first - width - 2), min(len(filled), last + width + 2)
    part = filled[low:high]
    if not part.any() or part.all():
        return np.zeros((2, 0), np.int64)
    gap, label = cv2.distanceTransformWithLabels(
        (~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(label.max()) + 1, np.int64)
    place[label[part]] = np.flatnonzero(part)
    near = ~part & (gap <= width + 1)
    near[: first - low], near[last - low :] = False, False
    return np.asarray(np.stack([np.flatnonzero(near), place[label[near]]]) + low * filled.shape[1])


@kernel
def _pull(fine: Array, known: Array, channels: int, mix: bool, coarse: Array, kept: Array) -> None:
    """Each texel of ``coarse`` becomes the mean of the known ones of four, or without ``mix`` the first of them."""
    height, width = known.shape
    for y in range(kept.shape[0]):
        for x in range(kept.shape[1]):
            count = 0
            for dy in range(2):
                for dx in range(2):
                    v, u = 2 * y + dy, 2 * x + dx
                    if v < height and u < width and known[v, u] and (mix or count == 0):
                        count += 1
                        for c in range(channels):
                            coarse[y, x, c] += fine[v, u, c]
            if count > 0:
                kept[y, x] = True
                for c in range(channels):
                    coarse[y, x, c] /= count


@kernel
def _push(fine: Array, known: Array, channels: int, coarse: Array) -> None:
    for y in range(known.shape[0]):
        for x in range(known.shape[1]):
            if not known[y, x]:
                for c in range(channels):
                    fine[y, x, c] = coarse[y // 2, x // 2, c]


def push_pull(picture: Array, known: Array, channels: int, mix: bool = True) -> None:
    """Fill the texels of (H, W, 4) that are not ``known`` from ever coarser versions of the known ones.

    A texel takes its value from the first level that has one. So each texel of each mip level, made by halving, equals
    the mean of what is known below it, level by level, as if nothing were empty (pyramids after Gortler et al. 1996).
    """
    levels = [(picture, known)]
    while levels[-1][1].shape != (1, 1):
        fine, kept = levels[-1]
        high, wide = (kept.shape[0] + 1) // 2, (kept.shape[1] + 1) // 2
        coarse, there = np.zeros((high, wide, channels), np.float32), np.zeros((high, wide), bool)
        _pull(fine, kept, channels, mix, coarse, there)
        levels.append((coarse, there))
    for (fine, kept), (coarse, _) in zip(levels[-2::-1], levels[:0:-1], strict=True):
        _push(fine, kept, channels, coarse)
