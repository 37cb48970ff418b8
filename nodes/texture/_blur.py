"""Gaussian blur whose cost does not grow with its width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DIRECT = 4.0  # pixels; wider blurs are made on a reduced copy


def blur(values: NDArray[Any], sigma: float, wrap: bool = False) -> NDArray[np.float32]:
    """(H, W) or (H, W, C) blurred by ``sigma`` pixels; edges repeat their mirror image, or the far side if ``wrap``."""
    import cv2

    values = np.ascontiguousarray(values, np.float32)
    if sigma <= 0:
        return values
    if wrap:
        return _wrapped(values, sigma)
    if sigma <= DIRECT:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))
    height, width = values.shape[:2]
    factor = 2.0 ** np.floor(np.log2(sigma / (DIRECT / 2)))
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    across, down = sigma * size[0] / width, sigma * size[1] / height
    small = cv2.GaussianBlur(small, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def _wrapped(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    height, width = values.shape[:2]
    step = 1 if sigma <= DIRECT else int(2.0 ** np.floor(np.log2(sigma / (DIRECT / 2))))
    reach = int(np.ceil(4 * sigma / step)) * step
    rows, columns = (np.arange(-reach, n + reach) % n for n in (height, width))
    return blur(values[rows][:, columns], sigma)[reach : reach + height, reach : reach + width]


def blur_known(values: NDArray[Any], weight: NDArray[Any], sigma: float, wrap: bool = False) -> NDArray[np.float32]:
    """As :func:`blur`, but only pixels with ``weight`` (H, W) in 0..1 count; where none is near, the plain blur."""
    weight = np.ascontiguousarray(weight, np.float32)
    spread = weight if values.ndim == 2 else weight[..., None]
    total = blur(weight, sigma, wrap)
    total = total if values.ndim == 2 else total[..., None]
    known = blur(values * spread, sigma, wrap) / np.maximum(total, 1e-3)
    return np.asarray(np.where(total > 1e-3, known, blur(values, sigma, wrap)), np.float32)
