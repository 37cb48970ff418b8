"""Quads over a surface by Instant Meshes (Jakob, Tarini, Panozzo and Sorkine-Hornung 2015), as pairs of triangles."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SPLIT = 4  # each vertex of the first, quad-dominant mesh becomes about so many quads
SMOOTHING = 2


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The library writes to the standard output of the process."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def quads(points: Array, faces: Array, count: int, sharp: float) -> tuple[Array, Array]:
    """((V, 3) float64 points, (Q, 4) int32 quads), about ``count`` of them, edges along features and curvature.

    ``points``: (N, 3) float64, welded. ``sharp``: degrees from which edges are features. Equal inputs give equal
    results. No quads where the library finds none.
    """
    from pynanoinstantmeshes import remesh

    low, high = points[faces].reshape(-1, 3).min(axis=0), points[faces].reshape(-1, 3).max(axis=0)
    middle, size = (low + high) / 2, float((high - low).max())
    with _quiet():
        at, found = remesh(
            ((points - middle) / size).astype(np.float32),
            faces.astype(np.uint32),
            max(3, round(count / SPLIT)),
            rosy=4,
            posy=4,
            creaseAngle=float(sharp) if sharp < 180 else -1.0,
            align_to_boundaries=True,
            extrinsic=True,
            smooth_iter=SMOOTHING,
            deterministic=True,
        )
    if not len(found) or not np.isfinite(at).all():
        return np.empty((0, 3)), np.empty((0, 4), np.int32)
    return at.astype(np.float64) * size + middle, np.asarray(found, np.int32)


def in_pairs(points: Array, quads: Array) -> Array:
    """(2 Q, 3) int32: triangles 2 k and 2 k + 1 are quad k, cut along the diagonal that leaves the better ones."""
    turned = np.roll(quads, -1, axis=1)
    rows = np.where((_worst(points, turned) > _worst(points, quads))[:, None], turned, quads)
    return np.ascontiguousarray(rows[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3), np.int32)


def _worst(points: Array, quads: Array) -> Array:
    """(Q,) area over squared sides of the worse triangle when a quad is cut from its first corner, < 0 turned over."""
    a, b, c, d = (points[quads[:, k]] for k in range(4))
    way = np.cross(c - a, d - b)
    worst = np.full(len(quads), np.inf)
    for one, two, three in ((a, b, c), (a, c, d)):
        normal = np.cross(two - one, three - one)
        sides = ((two - one) ** 2 + (three - two) ** 2 + (one - three) ** 2).sum(axis=1)
        area = np.linalg.norm(normal, axis=1) * np.where((normal * way).sum(axis=1) < 0, -1, 1)
        worst = np.minimum(worst, area / np.maximum(sides, 1e-300))
    return worst
