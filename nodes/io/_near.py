"""Meshes that lie far from the origin, as surveys and maps have them: float32 positions there are coarse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from nodes.io._parts import Array, Part, Warn
from nodes.mesh._checks import in_words

FAR = 1000.0  # metres
TIMES = 100  # as far away as it is large
COARSE = 1e-4  # of its size, that neighbouring positions are apart


def brought_near(parts: Sequence[Part], metres: float, warn: Warn) -> list[Part]:
    """The parts moved by whole units of the file to the origin, where they lay far from it; the move is said.

    ``metres``: of one unit of the file, before any turn of axes.
    """
    low, high = _box([part.vertices for part in parts])
    away, size = float(np.abs([low, high]).max()), float((high - low).max())
    if away * metres <= FAR or away <= TIMES * size:
        return [*parts]
    origin = np.round((low + high) / 2)
    x, y, z = origin
    warn(
        f"The mesh lay far away; ({x:,.0f}, {y:,.0f}, {z:,.0f}) of the file is the origin now. "
        "Switch off Bring near to leave it there."
    )
    return [replace(part, vertices=part.vertices - origin) for part in parts]


def say_coarse(meshes: Iterable[Array], warn: Warn) -> None:
    """Once, that positions, (N, 3) in metres each, were rounded by more than the eye overlooks."""
    worst = 0.0
    for points in meshes:
        low, high = _box([points])
        away, size = float(np.abs([low, high]).max(initial=0)), float((high - low).max(initial=0))
        worst = max(worst, away if float(np.spacing(np.float32(away))) > COARSE * size > 0 else 0.0)
    if worst:
        apart = in_words(float(np.spacing(np.float32(worst))))
        warn(f"It lies {in_words(worst)} from the origin: positions there are rounded to {apart}.")


def _box(given: Iterable[Array]) -> tuple[Array, Array]:
    boxes = [(points.min(axis=0), points.max(axis=0)) for points in given if len(points)]
    if not boxes:
        return np.zeros(3), np.zeros(3)
    corners = np.array(boxes, np.float64)
    return corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
