"""Exact checks of texture coordinates: does anything overlap, how far apart are the charts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from app.engine import Mesh
from nodes.mesh._measure import charts_of


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Sign of the area of (a, b, c), exact: what float64 leaves in doubt is computed in fractions."""
    value = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    sign = np.sign(value).astype(int)
    for at in zip(*np.nonzero(np.abs(value) < 1e-13), strict=True):
        (ax, ay), (bx, by), (cx, cy) = ([Fraction(float(v)) for v in p[at]] for p in (a, b, c))
        exact = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        sign[at] = (exact > 0) - (exact < 0)
    return sign


def _near_pairs(low: np.ndarray, high: np.ndarray, reach: float = 0.0) -> np.ndarray:
    """(P, 2) boxes that come within ``reach`` of each other: a sweep from left to right."""
    order = np.argsort(low[:, 0], kind="stable")
    last = np.searchsorted(low[order, 0], high[order, 0] + reach, side="right")
    out = []
    for i, end in enumerate(last):
        others = order[i + 1 : end]
        one = order[i]
        fits = (low[others, 1] <= high[one, 1] + reach) & (high[others, 1] >= low[one, 1] - reach)
        out.append(np.stack([np.full(fits.sum(), one), others[fits]], axis=1))
    return np.concatenate(out)


def overlapping_pairs(mesh: Mesh) -> int:
    """Pairs of faces whose insides share a point of the texture. Exact for the float32 coordinates; faces must be CCW.

    Two convex shapes are apart when a side of one has the whole other on its outer side or on itself.
    """
    corner = mesh.uv[mesh.faces].astype(np.float64)
    pairs = _near_pairs(corner.min(axis=1), corner.max(axis=1))
    apart = np.zeros(len(pairs), bool)
    for one, two in ((0, 1), (1, 0)):
        for k in range(3):
            left = np.flatnonzero(~apart)
            here, there = corner[pairs[left, one]], corner[pairs[left, two]]
            a, b = here[:, [k] * 3], here[:, [(k + 1) % 3] * 3]
            apart[left] = (_turn(a, b, there) <= 0).all(axis=1)
    return int((~apart).sum())


def _gap(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = b - a
    s = np.clip(np.einsum("ij,ij->i", p - a, along) / np.maximum(np.einsum("ij,ij->i", along, along), 1e-300), 0, 1)
    return np.linalg.norm(a + s[:, None] * along - p, axis=1)


def least_gap(mesh: Mesh, reach: float) -> float:
    """Smallest distance between the rims of two charts in the texture, or ``reach`` where all are farther apart."""
    _, chart = charts_of(mesh)
    sides = np.sort(np.concatenate([mesh.faces[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    owner = np.tile(chart, 3)
    _, first, uses = np.unique(sides, axis=0, return_index=True, return_counts=True)
    rim, owner = mesh.uv[sides[first[uses == 1]]].astype(np.float64), owner[first[uses == 1]]
    pairs = _near_pairs(rim.min(axis=1), rim.max(axis=1), reach)
    i, j = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]].T
    gaps = [_gap(rim[p, k], rim[q, 0], rim[q, 1]) for p, q in ((i, j), (j, i)) for k in (0, 1)]
    return min([reach, *(float(g.min(initial=reach)) for g in gaps)])
