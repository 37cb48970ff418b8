"""Linear light from other primaries to those of sRGB, for files that name their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_srgb_primaries(chromaticities: Sequence[float]) -> NDArray[np.float32] | None:
    """(3, 3) for row vectors of linear RGB; None where they are those of sRGB already.

    ``chromaticities``: x and y of red, green, blue and white. White points are adapted by the Bradford transform.
    Raises ValueError where they span no colours.
    """
    given = np.array(chromaticities, np.float64)
    if given.shape != (8,) or not np.isfinite(given).all() or (given[1::2] <= 1e-3).any():
        raise ValueError("its primaries are no colours")
    if np.abs(given - SRGB).max() < 2e-3:
        return None
    source, target = _to_xyz(given), _to_xyz(np.array(SRGB))
    before, after = (BRADFORD @ _xyz(white) for white in (given[6:], np.array(SRGB[6:])))
    adapt = np.linalg.inv(BRADFORD) @ np.diag(after / before) @ BRADFORD
    return np.asarray((np.linalg.inv(target) @ adapt @ source).T, np.float32)


def _to_xyz(eight: NDArray[np.float64]) -> NDArray[np.float64]:
    corners = np.column_stack([_xyz(eight[k : k + 2]) for k in (0, 2, 4)])
    if abs(np.linalg.det(corners)) < 1e-6:
        raise ValueError("its primaries are no colours")
    return np.asarray(corners * np.linalg.solve(corners, _xyz(eight[6:])))


def _xyz(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])
