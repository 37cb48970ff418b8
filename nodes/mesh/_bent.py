"""How long edges should be, from how much the surface bends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._shading import grouped_normals
from nodes.mesh._topology import edges_of, fans

Array = NDArray[Any]
EVENING = 4
MOST = 4.0


def sizes(at: Array, faces: Array, held: Array, length: float, strength: float) -> Array:
    """(V,) wanted lengths: ``length`` everywhere, or longer and shorter by curvature; ``strength`` 1: for equal error.

    A chord of length L on a circle of curvature k is off by about k L² / 8, so equal error means L ~ 1 / sqrt(k)
    (Dunyach et al. 2013). k: the largest normal curvature along the edges of a vertex, away from ``held`` sides (M, 3).
    """
    if strength <= 0:
        return np.full(len(at), length)
    edges = edges_of(faces)
    pairs = edges.pairs
    count, fan = fans(edges, faces, pairs[~held.ravel()[pairs[:, 0]]])
    normal = grouped_normals(at, faces, fan, count)[fan]
    turn = np.roll(normal, -1, axis=1) - normal
    side = np.roll(at[faces], -1, axis=1) - at[faces]
    square = np.maximum((side**2).sum(axis=2), 1e-300)
    bend = np.abs((turn * side).sum(axis=2)) / square
    curved = np.zeros(len(at))
    np.maximum.at(curved, faces.ravel(), bend.ravel())
    np.maximum.at(curved, np.roll(faces, -1, axis=1).ravel(), bend.ravel())
    share = np.bincount(edges.ends.ravel(), minlength=len(at)).clip(1)
    for _ in range(EVENING):
        a, b = edges.ends.T
        around = np.bincount(a, curved[b], len(at)) + np.bincount(b, curved[a], len(at))
        curved = 0.5 * curved + 0.5 * around / share
    usual = float(np.median(curved[faces])) or 1.0
    return np.asarray(length * np.clip(usual / np.maximum(curved, 1e-12), MOST**-2, MOST**2) ** (strength / 2))
