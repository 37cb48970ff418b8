"""Brightness, and the colours that may be mixed with their neighbours. Arrays: (H, W) or (H, W, C) float32."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from app.engine import Image, Run
from nodes.image._pixels import Float32, check_finite, extend_colours

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
STRIP_PIXELS = 1 << 18
SURE = np.float32(8)


def brightness(rgb: Float32) -> Float32:
    """(H, W, 3) to (H, W): the sum of the values with the weights of Rec. ITU-R BT.709."""
    return np.asarray(rgb @ LUMA, np.float32)


def mixable(image: Image) -> Float32:
    """Colours (H, W, 3) with those under transparency replaced by their visible neighbours.

    Steps that look at the surroundings of a pixel work on these, so that what is hidden never shows. What is opaque
    by an eighth or more keeps its own colour. Raises :class:`BadInput` for values that are not numbers.
    """
    check_finite(image.pixels)
    if float(image.alpha.min()) * SURE >= 1:
        return np.ascontiguousarray(image.rgb)
    return np.ascontiguousarray(extend_colours(image.rgb, np.clip(image.alpha * SURE, 0, 1)))


def layers(image: Image, colours: bool, transparency: bool) -> tuple[Float32, Float32]:
    """(rgb, alpha) to work on: :func:`mixable` colours where they are wanted, else the stored ones."""
    check_finite(image.pixels)
    rgb = mixable(image) if colours else np.ascontiguousarray(image.rgb)
    return rgb, np.ascontiguousarray(image.alpha) if transparency else image.alpha


def in_strips(run: Run, array: Float32, margin: int, work: Callable[[Float32], Float32]) -> Float32:
    """``work`` on horizontal strips of (H, W[, C]) that reach ``margin`` rows further, put together again.

    The same result as in one go for a filter that looks no further than ``margin``; Cancel acts between strips.
    """
    done = []
    for top, bottom in _strips(*array.shape[:2]):
        run.check()
        first = max(top - margin, 0)
        part = work(np.ascontiguousarray(array[first : bottom + margin]))
        done.append(part[top - first : bottom - first])
    return np.concatenate(done)


def _strips(height: int, width: int) -> Iterator[tuple[int, int]]:
    rows = max(1, STRIP_PIXELS // width)
    return itertools.pairwise([*range(0, height, rows), height])
