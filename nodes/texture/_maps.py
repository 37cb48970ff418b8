"""Arithmetic behind the PBR maps: (H, W) float32 fields; ``wrap`` joins opposite borders for tiling pictures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import blur

Grid = NDArray[np.float32]
LONGEST_SHADED = 1024  # occlusion of larger pictures is found on a reduced copy


def padded(work: Callable[[Grid], Any], values: Grid, reach: int, wrap: bool) -> Any:
    """``work`` done on ``values`` with a border of ``reach`` pixels around it, cut off again."""
    height, width = values.shape[:2]
    if wrap:
        rows, columns = (np.arange(-reach, n + reach) % n for n in (height, width))
        wide = values[rows][:, columns]
    else:
        wide = np.pad(values, [(reach, reach)] * 2 + [(0, 0)] * (values.ndim - 2), mode="edge")
    return work(np.ascontiguousarray(wide))[reach : reach + height, reach : reach + width]


def soften(values: Grid, sigma: float, wrap: bool) -> Grid:
    """A Gaussian of ``sigma`` pixels, across the borders if ``wrap``."""
    if not wrap:
        return blur(values, sigma)
    reach = int(np.ceil(3 * sigma / 32)) * 32
    return np.asarray(padded(lambda wide: blur(wide, sigma), values, reach, True), np.float32)


def soften_known(values: Grid, weight: Grid, sigma: float, wrap: bool) -> Grid:
    """A Gaussian in which only pixels with ``weight`` (0..1) count; the others do where there is nothing else near."""
    weight = np.maximum(weight, np.float32(1e-3))
    return np.asarray(soften(values * weight, sigma, wrap) / soften(weight, sigma, wrap), np.float32)


def de_lit(linear: NDArray[np.float32], weight: Grid, strength: float, wrap: bool) -> NDArray[np.float32]:
    """(H, W, 3) linear colours with broad light and shade taken out: the blur over a sixteenth of the picture."""
    light = np.log(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32) + 0.02)
    broad = soften_known(light, weight, max(linear.shape[:2]) / 16, wrap)
    even = float((broad * weight).sum() / max(float(weight.sum()), 1e-6))
    gain = np.exp(np.clip(strength * (even - broad), -1.2, 1.2))
    return np.asarray(np.clip(linear * gain[..., None], 0, 1), np.float32)


def height_from_grey(grey: Grid, detail: float, contrast: float, wrap: bool) -> Grid:
    """0..1, 0.5 where the picture is even: differences of Gaussians over four octave pairs, softly limited.

    ``detail``: -1 favours broad shapes, 1 fine ones.
    """
    unit = max(grey.shape) / 1024
    levels = [grey] + [soften(grey, sigma * unit, wrap) for sigma in (2, 8, 32, 96)]
    bands = [fine - broad for fine, broad in pairwise(levels)]
    shares = 2.0 ** (np.array([1.5, 0.5, -0.5, -1.5]) * detail)
    total = sum(float(share) * band for share, band in zip(shares / shares.mean(), bands, strict=True))
    return np.asarray(0.5 + 0.5 * np.tanh(3 * contrast * total), np.float32)


def normals_from_height(height: Grid, wrap: bool = False) -> NDArray[np.float32]:
    """(H, W, 3) unit normals of a height field in pixels: +X right, +Y up the picture, +Z out of it (OpenGL)."""
    import cv2

    def slopes(wide: Grid) -> NDArray[np.float32]:
        across, down = cv2.Scharr(wide, cv2.CV_32F, 1, 0), cv2.Scharr(wide, cv2.CV_32F, 0, 1)
        return np.asarray(np.stack([across, down], axis=-1) / 32, np.float32)

    slope = padded(slopes, height, 2, wrap)
    normal = np.stack([-slope[..., 0], slope[..., 1], np.ones_like(height)], axis=-1)
    return np.asarray(normal / np.sqrt(1 + slope[..., :1] ** 2 + slope[..., 1:] ** 2), np.float32)


def occlusion_from_height(height: Grid, wrap: bool = False) -> Grid:
    """(H, W) 0..1, 1 in the open: one minus the mean sine of the horizon over eight directions.

    ``height`` in pixels. Looks 64 pixels far, or 64 thousandths of the longer side in larger pictures.
    """
    import cv2

    shrink = LONGEST_SHADED / max(height.shape)
    if shrink >= 1:
        return np.asarray(padded(_horizons, height, 64, wrap), np.float32)
    size = (max(1, round(height.shape[1] * shrink)), max(1, round(height.shape[0] * shrink)))
    small = cv2.resize(height, size, interpolation=cv2.INTER_AREA) * np.float32(shrink)
    full = (height.shape[1], height.shape[0])
    return np.asarray(cv2.resize(padded(_horizons, small, 64, wrap), full, interpolation=cv2.INTER_LINEAR), np.float32)


def _horizons(height: Grid) -> Grid:
    covered = np.zeros_like(height)
    for angle in np.arange(8) * (np.pi / 4):
        steepest = np.zeros_like(height)
        for reach in (1, 2, 4, 8, 16, 32, 64):
            down, right = round(reach * np.sin(angle)), round(reach * np.cos(angle))
            there = np.roll(height, (-down, -right), (0, 1))
            np.maximum(steepest, (there - height) / np.float32(np.hypot(down, right)), out=steepest)
        covered += steepest / np.sqrt(1 + steepest * steepest)
    return np.asarray(1 - covered / 8, np.float32)


def _colourfulness(srgb: NDArray[np.float32]) -> Grid:
    red, green, blue = (srgb[..., k] for k in range(3))
    return np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)


def roughness_from_colour(srgb: NDArray[np.float32], base: float, variation: float, wrap: bool) -> Grid:
    """0..1: ``base``, more where the picture is busy, less in pale highlights; exactly ``base`` where it is even."""
    grey = srgb @ np.full(3, 1 / 3, np.float32)
    unit = max(1.0, 3 * max(grey.shape) / 1024)
    mean = soften(grey, unit, wrap)
    busy = np.sqrt(np.maximum(soften((grey - mean) ** 2, unit, wrap), 0))
    shine = np.maximum(grey - soften(grey, 24 * unit, wrap), 0) * (1 - _colourfulness(srgb))
    return np.asarray(np.clip(base + variation * (0.6 * np.tanh(8 * busy) - 1.2 * shine), 0.04, 1), np.float32)
