"""Folds taken out of a surface that an offset made, where its triangles run through each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._mending import sheet_of
from nodes.mesh._topology import edges_of
from nodes.mesh._untangle import untangled

Array = NDArray[Any]
ROUNDS = 3


def unfolded(points: Array, faces: Array, told: Callable[[float], None]) -> tuple[Array, Array]:
    """((V, 3) float64 that float32 holds exactly, (M, 3) int32) without faces that cross, as far as that goes.

    A closed surface stays closed: a round that opens it, or that takes out nothing, does not count.
    """
    rounded = np.asarray(points, np.float32).astype(np.float64)
    sheet = sheet_of(rounded, np.ascontiguousarray(faces, np.int32))
    for number in range(ROUNDS):
        tried, before, after = untangled(sheet, lambda done, n=number: told((n + done) / ROUNDS))  # type: ignore[misc]
        if not before or after is None or after >= before or (edges_of(tried.faces).uses != 2).any():
            break
        sheet = tried
        if not after:
            break
    points = sheet.points.astype(np.float32).astype(np.float64)
    used, faces = np.unique(sheet.faces, return_inverse=True)
    return points[used], faces.reshape(-1, 3).astype(np.int32)
