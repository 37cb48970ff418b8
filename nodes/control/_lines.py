"""Lines and soft edges of pictures, without weights. Pictures: (H, W, 3) float32 sRGB; lines: (H, W) 0..1, 1 = line.

Lengths are given in pixels of a picture whose shorter side has 512, and grow with the picture: the networks that use
the maps look at them at about that size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image
from nodes.image._pixels import blur, check_finite, check_size

Float32 = NDArray[np.float32]
LEAST = 8
NORMAL_SIDE = 512
SCALES = (1.0, 2.0, 4.0)


def on_white(image: Image) -> Float32:
    """(H, W, 3): the colours of a picture, white where it is transparent. Refuses hopeless pictures in words."""
    check_finite(image.pixels)
    check_size(*image.size)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    alpha = np.clip(image.alpha, 0, 1)[..., None]
    shown: Float32 = np.clip(image.rgb, 0, 1) * alpha + (1 - alpha)
    return shown


def unit(rgb: Float32) -> float:
    """How many pixels of this picture make one of a picture with 512 on its shorter side."""
    return float(min(rgb.shape[:2])) / NORMAL_SIDE


def darker(rgb: Float32, fine: float, wide: float) -> Float32:
    """(H, W) 0..1: how much darker a place is than its surroundings: a difference of Gaussians, mean of channels."""
    scale, grey = unit(rgb), rgb.mean(axis=2)
    return np.asarray(np.clip(blur(grey, wide * scale) - blur(grey, fine * scale), 0, 1), np.float32)


def inked(strength: Float32, threshold: float, slope: float) -> Float32:
    """(H, W) 0..1: nothing up to the threshold, then a soft step, steeper with ``slope``.

    The tone curve of XDoG (Winnemöller, Kyprianidis and Olsen, XDoG: An eXtended difference-of-Gaussians compendium,
    2012), turned to white lines on black.
    """
    return np.asarray(np.tanh(slope * np.maximum(strength - threshold, 0)), np.float32)


def soft_edges(rgb: Float32, texture: float) -> Float32:
    """(H, W) from 0: strength of colour edges over three scales, weaker where the texture has no direction.

    Gradients are added up over channels (Di Zenzo 1986) and summed around a pixel to a structure tensor; its larger
    eigenvalue is the contrast across an edge, and how far it exceeds the smaller one tells an edge from texture.
    ``texture``: 0 keeps all texture, 1 drops what has no direction.
    """
    total = np.zeros(rgb.shape[:2], np.float32)
    for scale in SCALES:
        xx, xy, yy = _tensor(blur(rgb, scale * unit(rgb)), scale * unit(rgb))
        mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        aligned = spread / np.maximum(mean, 1e-6)
        total += np.sqrt(mean + spread) * ((1 - texture) + texture * aligned**2) / len(SCALES)
    return total


def _tensor(rgb: Float32, sigma: float) -> tuple[Float32, Float32, Float32]:
    """Of slopes per ``sigma`` pixels, averaged over about 1.5 ``sigma``."""
    import cv2

    across, down = (
        cv2.Scharr(rgb, cv2.CV_32F, *d, borderType=cv2.BORDER_REFLECT) * np.float32(2 * sigma / 32)
        for d in ((1, 0), (0, 1))
    )
    parts = [(a * b).sum(axis=2) for a, b in ((across, across), (across, down), (down, down))]
    xx, xy, yy = (blur(np.asarray(p, np.float32), 1.5 * sigma) for p in parts)
    return xx, xy, yy


def ridges(strength: Float32, sigma: float) -> Float32:
    """(H, W): the strength on crests, less on slopes, none in hollows. ``sigma``: pixels, how fine crests may be."""
    import cv2

    soft = blur(strength, sigma)
    xx, yy, xy = (cv2.Sobel(soft, cv2.CV_32F, *d, ksize=5) for d in ((2, 0), (0, 2), (1, 1)))
    mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    curve = np.maximum(-(mean - spread), 0)
    crest = curve / (curve + np.abs(mean + spread) + 1e-6)
    return np.asarray(strength * crest, np.float32)


def without_dots(lines: Float32, area: float) -> Float32:
    """Lines whose connected part covers fewer than ``area`` pixels (above one half) are taken away."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats((lines > 0.25).astype(np.uint8), connectivity=8)
    keep = np.r_[True, stats[1:count, cv2.CC_STAT_AREA] >= area]
    return np.asarray(lines * keep[labels], np.float32)


def thick(lines: Float32, width: float) -> Float32:
    """Lines drawn with a round pen ``width`` pixels wide."""
    import cv2

    size = max(1, 2 * round((width - 1) / 2) + 1)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(lines, pen), np.float32)
