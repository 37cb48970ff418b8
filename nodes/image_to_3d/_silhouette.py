"""From an alpha channel to smooth closed outlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mask, Run
from nodes.image._pixels import check_finite, fitted_mask

Floats = NDArray[np.float64]
WORK_PIXELS = 1600  # outlines of larger objects are read from a reduced copy
CUT_OUT = "Cut the object out first, for example with the Cut out node."


@dataclass(frozen=True)
class Silhouette:
    """``outlines``: closed (K, 2) polylines (x right, y down, pixels of the picture; the last point joins the first).

    The solid lies on the same side all along: outer outlines have a positive shoelace area, holes a negative one.
    ``pixel``: size in picture pixels of the sample step that the outlines were read at.
    """

    outlines: tuple[Floats, ...]
    pixel: float

    @property
    def points(self) -> Floats:
        return np.concatenate(self.outlines)

    @property
    def lower(self) -> Floats:
        return np.asarray(self.points.min(axis=0))

    @property
    def upper(self) -> Floats:
        return np.asarray(self.points.max(axis=0))


def coverage(image: Image, mask: Mask | None, level: float) -> NDArray[np.float32]:
    """(H, W) float32: how much of each pixel belongs to the object; refuses pictures without a usable silhouette."""
    check_finite(image.pixels)
    alpha = image.alpha
    if mask is not None:
        check_finite(mask.values, "The mask")
        alpha = alpha * fitted_mask(mask, image.size)
    inside = int((alpha >= level).sum())
    if inside == 0:
        raise BadInput("Nothing in the picture is opaque.", "Use a picture whose object is visible, or another mask.")
    if inside == alpha.size:
        raise BadInput("The picture has no silhouette: every pixel is opaque.", CUT_OUT)
    if inside < 24:
        raise BadInput(f"The object is only {inside} pixels large.", "Use a larger picture or a better cut-out.")
    return np.ascontiguousarray(alpha, np.float32)


def trace(run: Run, alpha: NDArray[np.float32], level: float, speck: float) -> Silhouette:
    """Outlines of ``alpha`` at ``level``, without a pixel staircase; parts below ``speck`` of the area are dropped."""
    import cv2
    from skimage.measure import find_contours

    alpha, corner, pixel = _work_copy(alpha, level)
    soft = float(((alpha > 0.02) & (alpha < 0.98)).sum()) > 0.2 * float(_border_length(alpha >= level))
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.7 if soft else 1.2)
    alpha = _without_specks(run, alpha, level, speck)
    found = find_contours(alpha, level, fully_connected="low")
    reach, limit = (1.5, 0.3) if soft else (4.0, 0.5)
    outlines = []
    for line in found:
        smooth = _smooth(line[:-1, ::-1], reach, limit)
        if smooth is not None:
            outlines.append((smooth + 0.5) * pixel + corner)
    if not outlines:
        raise BadInput("The object is too thin or too small to become solid.", "Use a larger picture.")
    return Silhouette(tuple(outlines), pixel)


def _work_copy(alpha: NDArray[np.float32], level: float) -> tuple[NDArray[np.float32], Floats, float]:
    import cv2

    rows, columns = np.nonzero(alpha.max(axis=1) >= level)[0], np.nonzero(alpha.max(axis=0) >= level)[0]
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    crop = alpha[top : rows[-1] + 3, left : columns[-1] + 3]
    shrink = max(1.0, max(crop.shape) / WORK_PIXELS)
    if shrink > 1:
        size = (round(crop.shape[1] / shrink), round(crop.shape[0] / shrink))
        shrink = crop.shape[0] / size[1]
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    pad = 6
    return np.pad(crop, pad), np.array([left, top], float) - pad * shrink, float(shrink)


def _border_length(inside: NDArray[np.bool_]) -> int:
    return int((inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum())


def _without_specks(run: Run, alpha: NDArray[np.float32], level: float, speck: float) -> NDArray[np.float32]:
    import cv2

    inside = (alpha >= level).astype(np.uint8)
    least = max(12.0, speck * float(inside.sum()))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    small = [k for k in range(1, len(stats)) if stats[k, 4] < min(least, stats[1:, 4].max())]
    if small:
        run.warn(f"Left out {len(small)} small separate part{'s' * (len(small) > 1)} of the cut-out.")
        alpha = np.where(np.isin(labels, small), 0, alpha)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - inside, connectivity=8)
    pinholes = [k for k in range(1, len(stats)) if stats[k, 4] < 0.25 * least]
    return np.where(np.isin(labels, pinholes), 1, alpha).astype(np.float32)


def _smooth(line: Floats, reach: float, limit: float) -> Floats | None:
    """The closed polyline blurred along its length by ``reach`` pixels, no point moved by more than ``limit``."""
    from scipy.ndimage import gaussian_filter1d

    step = 0.5
    line = resample(line, step)
    if len(line) < 16:
        return None
    moved = gaussian_filter1d(line, reach / step, axis=0, mode="wrap") - line
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    line = line + moved * np.minimum(1, limit / np.maximum(length, 1e-9))
    return np.asarray(gaussian_filter1d(line, 0.8 / step, axis=0, mode="wrap"))


def resample(line: Floats, step: float | Floats) -> Floats:
    """A closed polyline walked in equal steps; ``step`` may be one length per point."""
    closed = np.vstack([line, line[:1]])
    length = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    pace = np.broadcast_to(np.asarray(step, float), len(line))
    pace = 0.5 * (pace + np.roll(pace, -1))
    walked = np.concatenate([[0.0], np.cumsum(length / pace)])
    count = max(8, round(float(walked[-1])))
    at = np.arange(count) * (walked[-1] / count)
    return np.stack([np.interp(at, walked, closed[:, k]) for k in (0, 1)], axis=1)
