"""Convex bodies around points, with few corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
THIN = 1e-4


@dataclass(frozen=True)
class Hull:
    """A closed convex body. ``points``: (N, 3) float64 metres. ``faces``: (M, 3), outward. ``planes``: (M, 4), unit
    normal and offset; negative inside."""

    points: Array
    faces: Array
    planes: Array

    @property
    def volume(self) -> float:
        a, b, c = (self.points[self.faces[:, k]] - self.points.mean(axis=0) for k in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)

    def outside(self, points: Array) -> Array:
        """(N,) how far points stick out, metres; negative inside."""
        worst = np.full(len(points), -np.inf)
        for first in range(0, len(self.planes), 32):
            plane = self.planes[first : first + 32]
            np.maximum(worst, (points @ plane[:, :3].T + plane[:, 3]).max(axis=1), out=worst)
        return worst

    def scaled(self, factor: float) -> Hull:
        """About the mean of its corners."""
        return hull_of((self.points - (middle := self.points.mean(axis=0))) * factor + middle)


def hull_of(points: Array, floor: float = 0.0) -> Hull:
    """The convex hull of (N, 3) points. ``floor``: metres that a flat set is thickened to, both ways in all."""
    from scipy.spatial import ConvexHull, QhullError

    middle = points.mean(axis=0)
    at = np.asarray(points - middle, np.float64)
    try:
        found = ConvexHull(at)
    except (QhullError, ValueError):
        found = ConvexHull(_thickened(at, floor))
    corners = found.points[found.vertices]
    number = np.full(len(found.points), -1)
    number[found.vertices] = np.arange(len(found.vertices))
    faces = number[found.simplices]
    a, b, c = (corners[faces[:, k]] for k in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), found.equations[:, :3]) < 0
    faces[inward] = faces[inward][:, ::-1]
    planes = found.equations.copy()
    planes[:, 3] -= planes[:, :3] @ middle
    return Hull(corners + middle, faces, planes)


def _thickened(at: Array, floor: float) -> Array:
    """Flat or straight sets of points get corners on both sides, so that they have a volume."""
    size = max(float(np.abs(at).max(initial=0.0)), 1e-9)
    half = max(floor, THIN * size) / 2
    _, spread, axes = np.linalg.svd(at, full_matrices=True) if len(at) > 3 else (0, np.zeros(3), np.eye(3))
    for axis, wide in zip(axes, (*spread, 0, 0, 0), strict=False):
        if wide <= 1e-6 * size * np.sqrt(len(at)):
            at = np.concatenate([at + half * axis, at - half * axis])
    return at


def fitted(points: Array, corners: int, contain: bool, floor: float) -> Hull:
    """A hull with at most ``corners`` corners: greedily of those points that stick out most.

    ``contain``: then grown evenly until it holds all points, or the smallest box where that has less volume.
    """
    whole = hull_of(points, floor)
    if len(whole.points) <= corners:
        return whole
    at = whole.points
    chosen = np.unique([*at.argmin(axis=0), *at.argmax(axis=0)]).tolist()[: max(4, corners)]
    hull = hull_of(at[chosen], floor)
    while len(chosen) < corners:
        out = hull.outside(at)
        far = int(out.argmax())
        if out[far] <= 1e-9 or far in chosen:
            break
        chosen.append(far)
        hull = hull_of(at[chosen], floor)
    if not contain:
        return hull
    grown = _around(hull, at)
    boxed = box_of(at, floor) if corners >= 8 else grown
    return boxed if boxed.volume < grown.volume else grown


def _around(hull: Hull, points: Array) -> Hull:
    """The same hull, grown about the mean of its corners until all points lie inside."""
    middle = hull.points.mean(axis=0)
    reach = -(hull.planes[:, :3] @ middle + hull.planes[:, 3])
    needed = ((points - middle) @ hull.planes[:, :3].T).max(axis=0) / np.maximum(reach, 1e-12)
    factor = float(needed.max())
    return hull if factor <= 1 else hull.scaled(factor * (1 + 1e-7))


def box_of(points: Array, floor: float) -> Hull:
    """The smallest box in any position."""
    from nodes.mesh._mass import smallest_box

    _, axes = smallest_box(points)
    at = points @ axes.T
    low, high = at.min(axis=0), at.max(axis=0)
    pad = np.maximum(floor - (high - low), 0) / 2
    low, high = low - pad, high + pad
    corners = np.array([[(low, high)[(k >> axis) & 1][axis] for axis in range(3)] for k in range(8)])
    return hull_of(corners @ axes)


@dataclass(frozen=True)
class Capsule:
    """``a``, ``b``: (3,) the ends of its axis. ``radius``: metres."""

    a: Array
    b: Array
    radius: float

    def hull(self, corners: int) -> Hull:
        """A polyhedron around the capsule (sides that touch it), with at most ``corners`` corners."""
        around = max(3, min(24, int(np.sqrt(corners)) // 2 * 2))
        rings = max(1, (corners - 2) // (2 * around))
        axis = self.b - self.a
        length = float(np.linalg.norm(axis))
        up = axis / length if length > 0 else np.array([0.0, 1.0, 0.0])
        side = np.cross(up, np.eye(3)[int(np.abs(up).argmin())])
        side /= np.linalg.norm(side)
        turn = 2 * np.pi * np.arange(around) / around
        ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(up, side)
        rise = np.pi / 2 * np.arange(rings) / rings
        cap = [self.radius * (np.cos(r) * ring + np.sin(r) * up) for r in rise] + [self.radius * up[None]]
        top, mirror = np.concatenate(cap), np.eye(3) - 2 * np.outer(up, up)
        shape = np.concatenate([self.b + top, self.a + top @ mirror])
        grow = 1 / (np.cos(np.pi / around) * np.cos(np.pi / 4 / rings))
        middle = (self.a + self.b) / 2
        flat = shape - middle
        along = flat @ up
        across = flat - along[:, None] * up
        ends = np.sign(along) * (
            np.maximum(np.abs(along) - length / 2, 0) * grow + np.minimum(np.abs(along), length / 2)
        )
        return hull_of(middle + across * grow + ends[:, None] * up)


def capsule_of(points: Array) -> Capsule:
    """A small capsule that holds all points: of the axes of the smallest box the one with the least volume."""
    from nodes.mesh._mass import smallest_box

    _, axes = smallest_box(points)
    best = [_capsule_along(points, axis) for axis in axes]
    return min(best, key=lambda c: float(np.linalg.norm(c.b - c.a)) * c.radius**2 + 4 / 3 * c.radius**3)


def _capsule_along(points: Array, axis: Array) -> Capsule:
    one = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    one /= np.linalg.norm(one)
    frame = np.stack([one, np.cross(axis, one)], axis=1)
    flat, along = points @ frame, points @ axis
    middle, radius = _circle(flat)
    rest = np.sqrt(np.maximum(radius**2 - np.square(flat - middle).sum(axis=1), 0))
    low, high = float((along + rest).min()), float((along - rest).max())
    if low > high:
        low = high = (low + high) / 2
        radius = float(np.sqrt((np.square(flat - middle).sum(axis=1) + (along - low) ** 2).max()))
    base = frame @ middle
    return Capsule(base + low * axis, base + high * axis, radius)


def _circle(flat: Array) -> tuple[Array, float]:
    """A circle that holds (N, 2) points, within a thousandth of the smallest one (Bădoiu and Clarkson 2003)."""
    middle = flat.mean(axis=0)
    for step in range(1, 2000):
        far = flat[int(np.square(flat - middle).sum(axis=1).argmax())]
        middle = middle + (far - middle) / (step + 1)
    return middle, float(np.sqrt(np.square(flat - middle).sum(axis=1).max()))
