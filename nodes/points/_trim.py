"""Cut a surface away where it is far from the points it was made from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def clipped(points: Array, faces: Array, height: Array, level: float) -> tuple[Array, Array]:
    """((V, 3) float32, (M, 3) int32) of what has a ``height`` (V,) of at most ``level``, cut straight through faces."""
    low = height <= level
    inside = low[faces]
    count = inside.sum(axis=1)
    turn = np.where(count == 1, inside.argmax(axis=1), (~inside).argmax(axis=1))
    rolled = np.take_along_axis(faces, (np.arange(3) + turn[:, None]) % 3, axis=1)
    one, two = rolled[count == 1], rolled[count == 2]
    ends = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]])
    edges, name = np.unique(np.sort(ends, axis=1), axis=0, return_inverse=True)
    name = name.reshape(-1) + len(points)
    a, b = height[edges[:, 0]], height[edges[:, 1]]
    share = np.clip((level - a) / np.where(a == b, 1, b - a), 1e-3, 1 - 1e-3)[:, None].astype(np.float32)
    cut = points[edges[:, 0]] * (1 - share) + points[edges[:, 1]] * share
    n, m = len(one), len(two)
    ab, ac, ba, bc = np.split(name, [n, 2 * n, 2 * n + m])
    pieces = [
        faces[count == 3],
        np.stack([one[:, 0], ab, ac], axis=1),
        np.stack([ba, two[:, 1], two[:, 2]], axis=1),
        np.stack([ba, two[:, 2], bc], axis=1),
    ]
    return used(np.concatenate([points, cut]), np.concatenate(pieces))


def used(points: Array, faces: Array) -> tuple[Array, Array]:
    """Without the points that no face names."""
    kept = np.zeros(len(points), bool)
    kept[faces] = True
    return points[kept].astype(np.float32), (np.cumsum(kept) - 1)[faces].astype(np.int32)
