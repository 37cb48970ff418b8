"""How far two surfaces are apart, measured from points spread evenly over each to the exact nearest point of the other.

With d(p, S) the distance of a point to a surface, A and B the two surfaces, and means over points of equal density:
chamfer = (mean over A of d(a, B) + mean over B of d(b, A)) / 2, in metres, distances not squared. Precision is the
share of A within a threshold of B, recall the share of B within it of A, and the F-score their harmonic mean (Knapitsch
et al. 2017). Normal consistency is the mean |cosine| between the normal at a point and the one at its nearest point,
averaged over both ways (Mescheder et al. 2019). The sampled Hausdorff distance is the largest distance found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._topology import face_vectors

if TYPE_CHECKING:
    from nodes.mesh._bvh import Tree

Array = NDArray[Any]
AT_ONCE = 16_384


@dataclass(frozen=True)
class Surface:
    """``vertices``: (N, 3) float64. ``faces``: (M, 3), those with area only. ``areas``: (M,). ``normals``: (M, 3)."""

    vertices: Array
    faces: Array
    areas: Array
    normals: Array

    @cached_property
    def tree(self) -> Tree:
        """For nearest points; built about the middle of the surface, so that far away it is as exact."""
        from nodes.mesh._bvh import build

        return build((self.vertices - self.middle).astype(np.float32), self.faces)

    @cached_property
    def middle(self) -> Array:
        """(3,) middle of the bounding box."""
        used = self.vertices[self.faces].reshape(-1, 3)
        return np.asarray((used.min(axis=0) + used.max(axis=0)) / 2)

    @cached_property
    def diagonal(self) -> float:
        """Of the bounding box, metres."""
        used = self.vertices[self.faces].reshape(-1, 3)
        return float(np.linalg.norm(used.max(axis=0) - used.min(axis=0)))


@dataclass(frozen=True)
class Samples:
    """``points``: (N, 3) float64. ``normals``: (N, 3) of the faces they lie on."""

    points: Array
    normals: Array


@dataclass(frozen=True)
class Near:
    """``distance``: (N,) float64, metres. ``point``: (N, 3) nearest points. ``face``: (N,) the faces they lie on."""

    distance: Array
    point: Array
    face: Array


@dataclass(frozen=True)
class Difference:
    """The measures above, metres and shares. ``there``, ``back``: mean distance from A to B, from B to A."""

    chamfer: float
    there: float
    back: float
    rms: float
    hausdorff: float
    f_score: float
    precision: float
    recall: float
    normal_consistency: float


def surface_of(mesh: Mesh, which: str = "mesh") -> Surface:
    """Raises :class:`BadInput` for a mesh without area, or with positions that are no numbers or out of reach."""
    need_sound(mesh, which)
    need_size(mesh, which)
    return surface(mesh.vertices.astype(np.float64), mesh.faces, which)


def surface(vertices: Array, faces: Array, which: str = "mesh") -> Surface:
    """Of finite (N, 3) float64 positions."""
    cross = face_vectors(vertices, faces)
    length = np.linalg.norm(cross, axis=1)
    real = length > length.max(initial=0.0) * 1e-12
    if not real.any():
        raise BadInput(f"The {which} has no area: every triangle is a line or a point.", "Connect another mesh.")
    length = length[real]
    return Surface(vertices, faces[real], length / 2, cross[real] / length[:, None])


def sample(surface: Surface, count: int, seed: int) -> Samples:
    """Points of equal density by area: ``count`` equal shares of the area, one point at a random place in each."""
    random = np.random.default_rng(seed)
    upto = np.cumsum(surface.areas)
    share = (np.arange(count) + random.random(count)) / count
    face = np.minimum(np.searchsorted(upto, share * upto[-1], side="right"), len(upto) - 1)
    along, across = np.sqrt(random.random(count)), random.random(count)
    weight = np.stack([1 - along, along * (1 - across), along * across], axis=1)
    points = np.einsum("ij,ijk->ik", weight, surface.vertices[surface.faces[face]])
    return Samples(points, surface.normals[face])


def nearest_on(surface: Surface, points: Array, told: Callable[[float], None] = lambda _: None) -> Near:
    """The nearest surface point to each of (N, 3) points. ``told``: called with the fraction done, for stopping.

    Exact to about 1e-6 of the size of a triangle: the search itself runs in single precision.
    """
    from nodes.mesh._bvh import nearest

    faces, places = [], []
    for start in range(0, len(points), AT_ONCE):
        told(start / len(points))
        face, at = nearest(surface.tree, points[start : start + AT_ONCE] - surface.middle)
        faces.append(face)
        places.append(at)
    face, at = np.concatenate(faces), np.concatenate(places)
    corner = surface.vertices[surface.faces[face]]
    u, v = at[:, 1:2], at[:, 2:3]
    point = corner[:, 0] * (1 - u - v) + corner[:, 1] * u + corner[:, 2] * v
    return Near(np.linalg.norm(points - point, axis=1), point, face)


def difference(
    one: Surface,
    other: Surface,
    count: int,
    threshold: float,
    seed: int,
    told: Callable[[float], None] = lambda _: None,
) -> Difference:
    """All measures. ``count``: points on each surface. ``threshold``: metres. Swapping the surfaces swaps the ways."""
    a, b = sample(one, count, seed), sample(other, count, seed)
    there = nearest_on(other, a.points, lambda done: told(done / 2))
    back = nearest_on(one, b.points, lambda done: told(0.5 + done / 2))
    alike = [_alike(a.normals, other.normals[there.face]), _alike(b.normals, one.normals[back.face])]
    precision, recall = (float((near.distance <= threshold).mean()) for near in (there, back))
    means = [float(near.distance.mean()) for near in (there, back)]
    squares = [float((near.distance**2).mean()) for near in (there, back)]
    return Difference(
        chamfer=sum(means) / 2,
        there=means[0],
        back=means[1],
        rms=float(np.sqrt(sum(squares) / 2)),
        hausdorff=float(max(there.distance.max(), back.distance.max())),
        f_score=2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0,
        precision=precision,
        recall=recall,
        normal_consistency=sum(alike) / 2,
    )


def _alike(one: Array, other: Array) -> float:
    return float(np.abs(np.einsum("ij,ij->i", one, other)).mean())
