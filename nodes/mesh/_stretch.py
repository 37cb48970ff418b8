"""How a texture is stretched over a surface, face by face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import Ints

Array = NDArray[Any]


@dataclass(frozen=True)
class Stretch:
    """``long``, ``short``: (M,) metres on the surface per unit of UV, largest and smallest over all directions, divided
    by the same measure of a layout without distortion; infinite for faces without area in UV space. ``area``: (M,) m².

    ``l2``, ``linf``: as Sander, Snyder, Gortler and Hoppe 2001 define them; 1 is ideal. ``conformal``: mean over the
    area of (long / short + short / long) / 2; 1 when all angles are kept. ``lost``: faces without area in UV space.
    """

    long: Array
    short: Array
    area: Array
    l2: float
    linf: float
    conformal: float
    lost: int


def stretch(vertices: Array, uv: Array, faces: Ints) -> Stretch:
    """Of faces with (N, 3) positions and (N, 2) finite texture coordinates. Faces without area do not count."""
    at, flat = vertices[faces].astype(np.float64), uv[faces].astype(np.float64)
    one, two = at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]
    s, t = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    turn = s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]
    area = np.linalg.norm(np.cross(one, two), axis=1) / 2
    laid = np.abs(turn) > 1e-14
    safe = np.where(laid, turn, 1.0)[:, None]
    by_u = (one * t[:, 1:] - two * s[:, 1:]) / safe
    by_v = (two * s[:, :1] - one * t[:, :1]) / safe
    a, b, c = (np.einsum("ij,ij->i", p, q) for p, q in ((by_u, by_u), (by_u, by_v), (by_v, by_v)))
    root = np.sqrt((a - c) ** 2 + 4 * b**2)
    long, short = np.sqrt((a + c + root) / 2), np.sqrt(np.maximum(a + c - root, 0) / 2)
    counts = laid & (area > 0)
    surface, unfolded = float(area[counts].sum()), float(np.abs(turn[counts]).sum()) / 2
    scale = np.sqrt(unfolded / surface) if surface > 0 else 1.0
    long, short = np.where(laid, long * scale, np.inf), np.where(laid, short * scale, np.inf)
    return _summed(long, short, area, counts, int((~laid & (area > 0)).sum()))


def _summed(long: Array, short: Array, area: Array, counts: Array, lost: int) -> Stretch:
    if not counts.any():
        return Stretch(long, short, area, np.inf, np.inf, np.inf, lost)
    big, small, weight = long[counts], np.maximum(short[counts], 1e-12 * long[counts]), area[counts]
    return Stretch(
        long,
        short,
        area,
        l2=float(np.sqrt(np.average((big**2 + small**2) / 2, weights=weight))),
        linf=float(big.max()),
        conformal=float(np.average((big / small + small / big) / 2, weights=weight)),
        lost=lost,
    )
