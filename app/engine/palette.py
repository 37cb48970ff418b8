"""Colours that are told apart easily, for things that have no colour of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0.6180339887498949


def distinct_colours(count: int) -> NDArray[np.float32]:
    """(count, 3) float32 sRGB 0..1, the same ones each time.

    The hue goes on by the golden ratio of the circle, so that any few neighbours lie far apart; lightness alternates.
    """
    number = np.arange(count)
    hue = (0.02 + number * GOLDEN) % 1 * 6
    strength = np.array([0.78, 0.62, 0.92])[number % 3]
    value = np.array([0.95, 0.82, 0.70])[(number // 3) % 3]
    wave = (np.array([5.0, 3.0, 1.0]) + hue[:, None]) % 6
    part = np.clip(np.minimum(wave, 4 - wave), 0, 1)
    return np.asarray(value[:, None] * (1 - strength[:, None] * part), np.float32)
