"""Which parts and holes of a found region belong to the object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import Float32, resample
from nodes.image._regions import filled, holes, regions
from nodes.segment._mixture import Mixture, drift

Bools = NDArray[np.bool_]


def main_parts(region: Bools, share: float = 0.15) -> Bools:
    """The largest part, and others of at least ``share`` of its area."""
    labels, areas = regions(region)
    if len(areas) < 2:
        return region
    kept = areas >= share * areas[1:].max()
    kept[0] = False
    return np.asarray(kept[labels])


def parts_with(region: Bools, marked: Bools) -> Bools:
    """The parts that hold a marked pixel."""
    labels, areas = regions(region)
    kept = np.zeros(len(areas), bool)
    kept[np.unique(labels[marked & region])] = True
    return np.asarray(kept[labels])


def without_specks(region: Bools, least: int) -> Bools:
    """Without parts smaller than ``least`` pixels, unless nothing else is there."""
    labels, areas = regions(region)
    kept = areas >= min(least, int(areas[1:].max(initial=0)))
    kept[0] = False
    return np.asarray(kept[labels])


def is_line_drawing(ink: Bools) -> bool:
    """Whether thin lines enclose much more than they cover."""
    import cv2

    whole = filled(ink)
    if ink.sum() > 0.5 * whole.sum():
        return False
    depth = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(depth.max()) < 0.06 * float(np.sqrt(whole.sum()))


def true_holes(region: Bools, lab: Float32) -> Bools:
    """Holes through which the background shows: of the colours found outside, and no mere specks.

    Before a background of many colours nearly anything fits, so there only large holes count. The white between the
    lines of a drawing is no hole.
    """
    gaps, areas = regions(holes(region))
    outside = ~filled(region)
    real = np.zeros_like(region)
    if len(areas) < 2 or outside.sum() < 100:
        return real
    places = drift(region.shape[0], region.shape[1], 2)
    colours = lab.reshape(-1, 3)
    mixture = Mixture.fit(colours[outside.ravel()], places[outside.ravel()], 5, 0.6)
    distance = mixture.distance(colours, places).reshape(region.shape)
    if is_line_drawing(filled(region) & (distance > 4)):
        return real
    least = (0.001 if mixture.breadth() < 6 else 0.03) * region.sum()
    for i in range(1, len(areas)):
        if areas[i] >= least and float(np.median(distance[gaps == i])) < 3.5:
            real |= gaps == i
    return real


def enlarged(region: Float32, rgb: Float32, size: tuple[int, int]) -> Float32:
    """Opacity (h, w) brought to ``size``, its edges led by the larger (H, W, 3) picture.

    Fast guided filter (He and Sun, 2015) with the brightness as guide.
    """
    import cv2

    if region.shape[1::-1] == size:
        return region
    guide = rgb @ np.array([0.3, 0.6, 0.1], np.float32)
    small = resample(guide, region.shape[1::-1])

    def mean(values: Float32) -> Float32:
        return np.asarray(cv2.blur(values, (5, 5)), np.float32)

    slope = (mean(small * region) - mean(small) * mean(region)) / (mean(small**2) - mean(small) ** 2 + 1e-4)
    level = mean(region) - slope * mean(small)
    slope, level = (resample(np.asarray(mean(v), np.float32), size, "bilinear") for v in (slope, level))
    return np.asarray(np.clip(slope * guide + level, 0, 1), np.float32)
