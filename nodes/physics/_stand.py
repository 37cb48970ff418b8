"""Whether a body stands as it is put down, and turned onto the floor in another pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh

Array = NDArray[Any]
WAYS = ("to the front", "to the front right", "to the right", "to the back right", "to the back", "to the back left",
        "to the left", "to the front left")  # fmt: skip


@dataclass(frozen=True)
class Footing:
    """How a body stands as it is. ``margin``: metres from the foot of the centre of mass to the nearest edge of the
    footprint, negative outside. ``height``: metres of the centre of mass above the floor. ``out``: (3,) unit, level,
    the way it tips first. ``outline``: (K, 2) x and z of the footprint's corners."""

    margin: float
    height: float
    out: Array
    outline: Array

    @property
    def tip(self) -> float:
        """Degrees of tilt that it holds, 0 at most where it falls by itself."""
        return float(np.degrees(np.arctan2(self.margin, self.height)))

    def stands(self, least: float) -> bool:
        return self.margin > 0 and self.tip >= least


def footing(vertices: Array, centre: Array, touch: float) -> Footing:
    """``touch``: metres up to which a vertex above the lowest one counts as touching the floor."""
    low = float(vertices[:, 1].min())
    near = np.unique(vertices[vertices[:, 1] <= low + touch][:, [0, 2]].astype(np.float64), axis=0)
    foot, height = centre[[0, 2]], float(centre[1]) - low
    outline = _outline(near)
    if len(outline) < 3:
        away, gap = _from_line(foot, outline)
        return Footing(-gap, height, away, outline)
    side = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([side[:, 1], -side[:, 0]], axis=1) / np.linalg.norm(side, axis=1, keepdims=True)
    margins = np.einsum("ij,ij->i", outline - foot, normal)
    if margins.min() >= 0:
        k = int(margins.argmin())
        return Footing(float(margins[k]), height, _level(normal[k]), outline)
    away, gap = _from_ring(foot, outline)
    return Footing(-gap, height, away, outline)


def _outline(points: Array) -> Array:
    """Corners of the hull of (N, 2) points, counter-clockwise; a line or a point where they have no area."""
    from scipy.spatial import ConvexHull, QhullError

    if len(points) < 3:
        return points
    try:
        return np.asarray(points[ConvexHull(points - points.mean(axis=0)).vertices])
    except QhullError:
        spread = points - points.mean(axis=0)
        axis = np.linalg.svd(spread, full_matrices=False)[2][0]
        along = spread @ axis
        return np.asarray(points[[int(along.argmin()), int(along.argmax())]])


def _from_ring(foot: Array, outline: Array) -> tuple[Array, float]:
    nearest = [_nearest(foot, a, b) for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True)]
    best = min(nearest, key=lambda at: float(np.linalg.norm(foot - at)))
    return _away(foot, best)


def _from_line(foot: Array, outline: Array) -> tuple[Array, float]:
    a, b = outline[0], outline[-1]
    away, gap = _away(foot, _nearest(foot, a, b))
    if gap > 0:
        return away, gap
    along = b - a
    return _level(np.array([-along[1], along[0]])), 0.0


def _nearest(foot: Array, a: Array, b: Array) -> Array:
    along = b - a
    square = float(along @ along)
    share = 0.0 if square == 0 else float(np.clip((foot - a) @ along / square, 0, 1))
    return np.asarray(a + share * along)


def _away(foot: Array, at: Array) -> tuple[Array, float]:
    return _level(foot - at), float(np.linalg.norm(foot - at))


def _level(flat: Array) -> Array:
    """(3,) unit along the floor from (x, z); to the front where it has no length."""
    length = float(np.linalg.norm(flat))
    return np.array([flat[0] / length, 0.0, flat[1] / length]) if length > 0 else np.array([0.0, 0.0, 1.0])


def way(out: Array) -> tuple[str, float]:
    """In words and in degrees: 0 to the front (+Z), 90 to the right (+X), -90 to the left."""
    degrees = float(np.degrees(np.arctan2(out[0], out[2])))
    return WAYS[round(degrees / 45) % 8], degrees


def turn_down(normal: Array) -> Array:
    """(3, 3) the least rotation that turns unit ``normal`` straight down."""
    down = np.array([0.0, -1.0, 0.0])
    axis, cosine = np.cross(normal, down), float(normal @ down)
    if cosine < -1 + 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))


def placed(mesh: Mesh, turn: Array, centre: Array) -> Mesh:
    """The mesh turned about ``centre``, then moved up or down so that its lowest vertex lies at height 0."""
    at = (mesh.vertices.astype(np.float64) - centre) @ turn.T
    at[:, 1] -= at[:, 1].min()
    at[:, [0, 2]] += centre[[0, 2]]
    normals = None
    if mesh.normals is not None:
        turned = mesh.normals.astype(np.float64) @ turn.T
        normals = (turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return replace(mesh, vertices=at.astype(np.float32), normals=normals)
