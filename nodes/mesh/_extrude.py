"""Solids from flat shapes with holes: walls, two lids, and edges that are cut or rounded off.

Shapes are manifold3d cross-sections. The bevel narrows the shape level by level; the band between two levels is filled
with triangles between the two outlines, so that it is exact where strokes end, meet and turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import Ints, edges_of, face_vectors, fans

Array = NDArray[Any]
SOFT = np.cos(np.radians(35))
MITER = 4.0
WALL, FRONT, BACK = 0, 1, 2


@dataclass(frozen=True)
class Bevel:
    """``width`` in units of the shape; ``steps``: 1 cuts the edge off, more round it; ``back``: at the back too."""

    width: float
    steps: int
    back: bool

    @property
    def angles(self) -> Array:
        """(levels,) from 0 at the wall to 90 degrees at the lid, in radians."""
        return np.linspace(0, np.pi / 2, self.steps + 1) if self.width > 0 else np.zeros(1)


@dataclass(frozen=True)
class Solid:
    """Corners of M triangles: ``at`` (M, 3, 3) and ``normal`` (M, 3, 3). ``kind``: (M,) wall, front or back.

    ``wall``: (Q, 2) for the walls, which come first, two triangles each: metres along the outline where each begins
    and ends, counted on from contour to contour.
    """

    at: Array
    normal: Array
    kind: Array
    wall: Array


def narrowed(shape: Any, by: float) -> Any:
    """The shape with its outline moved inward, corners kept sharp."""
    from manifold3d import JoinType

    return shape.offset(-by, JoinType.Miter, MITER).simplify(1e-6) if by > 0 else shape


def widest(shape: Any, width: float) -> float:
    """The largest bevel up to ``width`` that neither splits the shape nor swallows a part of it."""
    count = shape.num_contour()
    if narrowed(shape, width).num_contour() == count:
        return width
    low, high = 0.0, width
    for _ in range(12):
        middle = (low + high) / 2
        if narrowed(shape, middle).num_contour() == count:
            low = middle
        else:
            high = middle
    return low


def extruded(shape: Any, depth: float, bevel: Bevel) -> Solid:
    """The closed solid of a shape between z = -depth / 2 and depth / 2, outward, in the units of the shape."""
    angle = bevel.angles
    inset, rise = bevel.width * (1 - np.cos(angle)), bevel.width * np.sin(angle)
    levels = [shape.to_polygons() if by == 0 else narrowed(shape, by).to_polygons() for by in inset]
    half = depth / 2
    front = half - bevel.width + rise
    top = _Skirt(levels, angle, front, 1)
    low = _Skirt(levels, angle, -front, -1) if bevel.back else _Skirt(levels[:1], angle[:1], np.array([-half]), -1)
    return _sewn(top, low, levels[0], bevel.steps > 1)


class _Skirt:
    """The bevel at one side: points (N, 3), their angle, band triangles and lid triangles."""

    def __init__(self, levels: list[list[Array]], angle: Array, height: Array, side: int) -> None:
        rings = [np.concatenate(level) for level in levels]
        count = [len(ring) for ring in rings]
        self.start = np.cumsum([0, *count])
        self.flat = np.concatenate(rings)
        self.level = np.repeat(np.arange(len(levels)), count)
        self.points = np.column_stack([self.flat, height[self.level]])
        self.angle = angle[self.level]
        bands = [self._band(levels, k) for k in range(len(levels) - 1)]
        self.bands = np.concatenate([np.zeros((0, 3), int), *bands])
        self.step = np.repeat(np.arange(len(bands)), [len(band) for band in bands])
        self.lid = self._filled(levels[-1], int(self.start[-2]))
        if side < 0:
            self.bands, self.lid = self.bands[:, ::-1], self.lid[:, ::-1]

    def _band(self, levels: list[list[Array]], k: int) -> Array:
        """Between level ``k`` and the next: the next one's rings are holes, walked backwards."""
        inner = [ring[::-1] for ring in levels[k + 1]]
        faces = self._filled([*levels[k], *inner], int(self.start[k]))
        number, at = np.arange(len(self.flat)), int(self.start[k + 1])
        for ring in levels[k + 1]:
            number[at : at + len(ring)] = number[at : at + len(ring)][::-1]
            at += len(ring)
        return np.asarray(number[faces])

    def _filled(self, rings: list[Array], start: int) -> Array:
        from manifold3d import triangulate

        from nodes.mesh._flips import flipped

        points = np.concatenate(rings)
        faces = np.asarray(triangulate([np.ascontiguousarray(ring) for ring in rings]), np.int64).reshape(-1, 3)
        return flipped(points, faces, self.level[start : start + len(points)]) + start


def _sewn(top: _Skirt, low: _Skirt, rings: list[Array], rounded: bool) -> Solid:
    """The skirts joined by walls, with normals that are smooth around curves and hard at corners."""
    first, after = _around(rings)
    back = len(top.points)
    quads = np.stack([first + back, after + back, after, first + back, after, first], axis=1).reshape(-1, 3)
    points = np.concatenate([top.points, low.points])
    faces = np.concatenate([quads, top.bands, low.bands + back])
    kind = np.repeat([WALL, FRONT, BACK], [len(quads), len(top.bands), len(low.bands)])
    angle = np.concatenate([top.angle, low.angle])[faces]
    if not rounded:
        angle = np.where(kind == WALL, 0.0, np.pi / 4)[:, None] * np.ones(3)
    way = _ways(points, faces, None if rounded else kind)
    up = np.where(kind == BACK, -1.0, 1.0)[:, None]
    normal = np.concatenate([way * np.cos(angle)[..., None], (up * np.sin(angle))[..., None]], axis=2)
    lids = np.concatenate([top.lid, low.lid + back])
    side = np.repeat([1.0, -1.0], [len(top.lid), len(low.lid)])
    flat = np.zeros((len(lids), 3, 3))
    flat[:, :, 2] = side[:, None]
    length = np.linalg.norm(top.flat[after] - top.flat[first], axis=1)
    end = np.cumsum(length)
    return Solid(
        points[np.concatenate([faces, lids])],
        np.concatenate([normal, flat]),
        np.concatenate([kind, np.where(side > 0, FRONT, BACK)]),
        np.stack([end - length, end], axis=1),
    )


def _around(rings: list[Array]) -> tuple[Array, Array]:
    """(each point's number, the number of the next on its ring)."""
    count = np.array([len(ring) for ring in rings])
    start = np.repeat(np.cumsum(count) - count, count)
    first = np.arange(count.sum())
    return first, start + (first - start + 1) % np.repeat(count, count)


def _ways(points: Array, faces: Array, kind: Array | None) -> Array:
    """(M, 3, 2) unit outward directions in the plane of the shape at every corner.

    Faces beside each other that look the same way, within 35 degrees, share one; with ``kind`` only those of one kind.
    """
    flat = face_vectors(points, faces.astype(np.int32))[:, :2]
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    level = size[:, 0] < 1e-9 * max(float(size.max()), 1e-30)
    flat = np.where(level[:, None], 0.0, flat / np.maximum(size, 1e-300))
    edges = edges_of(np.ascontiguousarray(faces, np.int32))
    a, b = edges.pairs.T
    soft = (np.einsum("ij,ij->i", flat[a // 3], flat[b // 3]) > SOFT) | level[a // 3] | level[b // 3]
    if kind is not None:
        soft &= kind[a // 3] == kind[b // 3]
    across: Ints = edges.pairs[soft]
    count, fan = fans(edges, np.ascontiguousarray(faces, np.int32), across)
    weighted = flat[:, None, :] * _angles(points, faces)[..., None]
    total = np.stack([np.bincount(fan.ravel(), weighted[..., k].ravel(), minlength=count) for k in range(2)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    total = np.where(length > 1e-12, total / np.maximum(length, 1e-12), (1.0, 0.0))
    return np.asarray(total[fan])


def _angles(points: Array, faces: Array) -> Array:
    from nodes.mesh._shading import corner_angles

    return corner_angles(points, faces.astype(np.int32))
