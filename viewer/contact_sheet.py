"""Several pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.engine.payloads import Float32, Image

CELL = 256
GAP = 8


def contact_sheet(images: Sequence[Image], most: int = 100) -> Float32:
    """(H, W, 4) float32: the first ``most`` pictures in reading order, each fitted into a square cell."""
    images = images[:most]
    columns = math.ceil(math.sqrt(len(images) * 1.3))
    rows = math.ceil(len(images) / columns)
    sheet = np.zeros((rows * (CELL + GAP) + GAP, columns * (CELL + GAP) + GAP, 4), np.float32)
    for i, image in enumerate(images):
        small = fitted(image.pixels, CELL)
        row, column = divmod(i, columns)
        top = GAP + row * (CELL + GAP) + (CELL - small.shape[0]) // 2
        left = GAP + column * (CELL + GAP) + (CELL - small.shape[1]) // 2
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return sheet


def fitted(pixels: Float32, side: int) -> Float32:
    """``pixels`` (H, W, 4) straight alpha, scaled to fit a square of ``side`` pixels by averaging areas.

    Colours are weighted by alpha, so that what lies under transparent pixels does not bleed into edges.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    step = max(1, int(min(height / size[1], width / size[0]) // 4))
    pixels = pixels[::step, ::step]
    alpha = pixels[..., 3:]
    weighted = np.concatenate([pixels[..., :3] * alpha, alpha], axis=-1)
    small = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
    out: Float32 = np.clip(small, 0, 1)
    return out
