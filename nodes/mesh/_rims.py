"""Open borders as tracks to walk along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh
from nodes.mesh._topology import edges_of, weld_points

Array = NDArray[Any]


@dataclass(frozen=True)
class Track:
    """A closed line. ``points``: (K, 3) float64. ``walked``: (K + 1,) metres from the first point to each."""

    points: Array
    walked: Array

    @classmethod
    def of(cls, points: Array) -> Track:
        steps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
        return cls(points, np.concatenate([[0.0], np.cumsum(steps)]))

    @property
    def length(self) -> float:
        return float(self.walked[-1])

    def at(self, metres: Array) -> tuple[Array, Array]:
        """(points (N, 3), unit directions (N, 3)) so many metres along."""
        side = np.clip(np.searchsorted(self.walked, metres, side="right") - 1, 0, len(self.points) - 1)
        step = np.roll(self.points, -1, axis=0)[side] - self.points[side]
        size = np.linalg.norm(step, axis=1, keepdims=True)
        ahead = step / np.maximum(size, 1e-30)
        return self.points[side] + ahead * (metres - self.walked[side])[:, None], ahead


def longest_rim(mesh: Mesh) -> Array | None:
    """(K, 3) float64 points around the longest open border, the surface on the left; None for a closed mesh."""
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    edges = edges_of(faces)
    free = np.flatnonzero(edges.boundary[edges.sides].ravel())
    if not len(free):
        return None
    tail, head = faces.ravel()[free], np.roll(faces, -1, axis=1).ravel()[free]
    after: dict[int, list[int]] = {}
    for a, b in zip(tail.tolist(), head.tolist(), strict=True):
        after.setdefault(a, []).append(b)
    points = mesh.vertices[weld.first].astype(np.float64)
    best, longest = points[:0], -1.0
    while after:
        rim = _walk(after)
        length = Track.of(points[rim]).length
        if length > longest:
            best, longest = points[rim], length
    return best


def footprint(mesh: Mesh) -> Array:
    """(K, 3) float64 convex outline of a mesh seen from above, counter-clockwise, at the height of its lowest point."""
    from scipy.spatial import ConvexHull, QhullError

    flat = np.unique(mesh.vertices[np.unique(mesh.faces)][:, [0, 2]].astype(np.float64), axis=0) * (1, -1)
    try:
        rim = flat[ConvexHull(flat).vertices]
    except (QhullError, ValueError):
        raise BadInput(
            "The path has no width seen from above.", "Use a mesh that lies flat, such as a Plane."
        ) from None
    return np.stack([rim[:, 0], np.full(len(rim), float(mesh.vertices[:, 1].min())), -rim[:, 1]], axis=1)


def _walk(after: dict[int, list[int]]) -> list[int]:
    """One way round from any vertex until there is none ahead; what is walked is taken out."""
    at = next(iter(after))
    rim = []
    while at in after:
        rim.append(at)
        ahead = after[at].pop()
        if not after[at]:
            del after[at]
        at = ahead
    return rim
