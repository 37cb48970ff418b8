"""The OKLab colour space (Björn Ottosson, A perceptual color space for image processing, 2020), from linear sRGB."""

from __future__ import annotations

import numpy as np

from nodes.image._pixels import Float32

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FROM_LAB, FROM_CONES = np.linalg.inv(TO_LAB), np.linalg.inv(TO_CONES)


def to_oklab(linear: Float32) -> Float32:
    """(..., 3) linear sRGB 0..1 to (L 0..1, a, b)."""
    return np.asarray(np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T, np.float32)


def from_oklab(lab: Float32) -> Float32:
    """(..., 3) back to linear sRGB; colours that a screen cannot show leave 0..1."""
    return np.asarray((lab @ FROM_LAB.T) ** 3 @ FROM_CONES.T, np.float32)
