"""The line of statistics under the 3D view."""

from __future__ import annotations

import numpy as np

from app.engine.payloads import Mesh
from viewer.shown import Box, Dots, Gaussians, Scenery, Solid


def counted(shown: Scenery, watertight: bool | None = None) -> str:
    """Counts and size in metres, what matters most first, since a narrow view cuts the end off.

    ``watertight``: None while it is not known.
    """
    if isinstance(shown, Solid):
        if shown.facts:
            return shown.facts
        mesh = shown.mesh
        parts = [f"{len(mesh.faces):,} triangles", size_text(shown.bounds)]
        if shown.pieces:
            materials = len({id(piece.material) for piece in shown.pieces})
            parts = [f"{_count(shown.objects, 'object')} · {_count(materials, 'material')}", *parts]
        if watertight is not None:
            parts.append("watertight" if watertight else "not watertight")
        return " · ".join([*parts, f"{len(mesh.vertices):,} vertices"])
    if isinstance(shown, Gaussians):
        return f"{len(shown.splats.means):,} Gaussians · {size_text(shown.bounds)}"
    assert isinstance(shown, Dots)
    return f"{len(shown.cloud.points):,} points · {size_text(shown.bounds)}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size_text(bounds: Box) -> str:
    """Width, height and depth in metres."""
    return " × ".join(f"{edge:.3g}" for edge in (bounds[1] - bounds[0]).tolist()) + " m"


def closed(mesh: Mesh) -> bool:
    """Whether each edge is shared by exactly two faces once vertices at one position count as one.

    Takes about half a second for a million faces: call it off the window's thread.
    """
    if not len(mesh.faces) or not np.isfinite(mesh.vertices).all():
        return False
    a, b, c = _positions(mesh)[mesh.faces].T
    whole = (a != b) & (b != c) & (c != a)
    ends = np.concatenate([np.stack([a, b]), np.stack([b, c]), np.stack([c, a])], axis=1)[:, np.tile(whole, 3)]
    edges = np.sort(ends.min(axis=0) * np.int64(len(mesh.vertices)) + ends.max(axis=0))
    pairs = len(edges) > 0 and len(edges) % 2 == 0 and bool((edges[0::2] == edges[1::2]).all())
    return pairs and bool((edges[1:-1:2] != edges[2::2]).all())


def _positions(mesh: Mesh) -> np.ndarray:
    """(N,) int64: one number per distinct position."""
    points = mesh.vertices + np.float32(0)  # -0 becomes 0, so that both are one position
    order = np.lexsort(points.T)
    ordered = points[order]
    fresh = np.concatenate([[False], (ordered[1:] != ordered[:-1]).any(axis=1)])
    numbers = np.empty(len(points), np.int64)
    numbers[order] = np.cumsum(fresh)
    return numbers
