"""Heights from slopes: the surface whose slopes differ least from given ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
QUIET = 1e-3


def slopes_of(normals: Array) -> tuple[Array, Array]:
    """(H, W) rise in pixels per pixel to the right and down, of (H, W, 3) unit normals (OpenGL, +Y up the picture)."""
    upright = np.maximum(normals[..., 2], 0.02)
    return -normals[..., 0] / upright, normals[..., 1] / upright


def integrated(right: Array, down: Array, wrap: bool) -> NDArray[np.float32]:
    """(H, W) heights in pixels around a mean of 0.

    Least squares in Fourier space (Frankot and Chellappa, Enforcing Integrability, 1988), against the very difference
    filter that makes normals from heights, so that one step undoes the other. Without ``wrap`` the picture is mirrored
    at its borders. Waves of two pixels, which the filter cannot see, are kept out by a light penalty on bending.
    """
    from scipy.fft import irfft2, rfft2

    height, width = right.shape
    if not wrap:
        right = np.block([[right, -right[:, ::-1]], [right[::-1], -right[::-1, ::-1]]])
        down = np.block([[down, down[:, ::-1]], [-down[::-1], -down[::-1, ::-1]]])
    rows, columns = right.shape
    x = 2 * np.pi * np.arange(columns // 2 + 1)[None] / columns
    y = 2 * np.pi * np.fft.fftfreq(rows)[:, None]
    across = (np.sin(x) * (10 + 6 * np.cos(y)) / 16).astype(np.float32)
    along = (np.sin(y) * (10 + 6 * np.cos(x)) / 16).astype(np.float32)
    fine = ((2 * np.sin(x / 2)) ** 2 + (2 * np.sin(y / 2)) ** 2).astype(np.float32)
    total = np.maximum(across**2 + along**2 + QUIET * fine**2, 1e-12)
    waves = -1j * (across * rfft2(right.astype(np.float32)) + along * rfft2(down.astype(np.float32)))
    return np.asarray(irfft2(waves / total, (rows, columns))[:height, :width], np.float32)
