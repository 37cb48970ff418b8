"""How far a silhouette bulges: a Poisson-type equation over the inside of the outlines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.image_to_3d._silhouette import Floats, Silhouette, resample

MARGIN = 4
NEAR = 1.25  # grid cells; closer to the outline a grid value is extrapolated from deeper ones


@dataclass(frozen=True)
class HeightField:
    """``square``: (Y, X) squared half thickness in picture pixels, at ``corner + cell * (x, y)``; negative outside.

    ``inside``: (Y, X) signed distance to the outline in cells, positive inside.
    """

    square: Floats
    inside: Floats
    corner: Floats
    cell: float

    def places(self, points: Floats) -> Floats:
        """(2, N) fractional (row, column) of (N, 2) picture positions."""
        return np.ascontiguousarray(((points - self.corner) / self.cell).T[::-1])

    @cached_property
    def _spline(self) -> Floats:
        from scipy.ndimage import spline_filter

        return np.asarray(spline_filter(self.square, order=3, mode="nearest"))

    @cached_property
    def slopes_on_grid(self) -> tuple[Floats, Floats]:
        """(Y, X) change of :attr:`square` per pixel to the right, and downwards."""
        down, right = np.gradient(self.square, self.cell)
        return np.asarray(right), np.asarray(down)

    def squares(self, points: Floats) -> Floats:
        """Squared half thickness at (N, 2) positions, smooth to the second derivative."""
        from scipy.ndimage import map_coordinates

        places = self.places(points)
        return np.asarray(map_coordinates(self._spline, places, order=3, mode="nearest", prefilter=False))

    def slopes(self, points: Floats) -> Floats:
        """(N, 2) gradient of :meth:`squares`."""
        places = self.places(points)
        return np.stack([_linear(slope, places) for slope in self.slopes_on_grid], axis=1)

    @cached_property
    def radius(self) -> Floats:
        """(Y, X) radius in pixels of the sphere or tube that fits the surface there, valid up to the outline."""
        right, down = self.slopes_on_grid
        return np.sqrt(np.maximum(4 * self.square + right**2 + down**2, 0)) / 2

    def radii(self, points: Floats) -> Floats:
        return _linear(self.radius, self.places(points))


def _linear(values: Floats, places: Floats) -> Floats:
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(values, places, order=1, mode="nearest"))


def inflate_outlines(shape: Silhouette, resolution: int, flatness: float) -> HeightField:
    """Solve for the squared half thickness u: u = 0 on the outlines, and the strongest downward curvature of u is 2.

    An ellipse then becomes an ellipsoid of revolution about its long axis, a strip a round tube, and every part is as
    thick as it is wide. ``flatness`` above 0 adds a term that levels wide parts off and leaves narrow ones round.
    """
    cell = float((shape.upper - shape.lower).max()) / resolution
    corner = shape.lower - (MARGIN - 0.37) * cell  # off the lattice, so that straight outlines fall between nodes
    count = np.ceil((shape.upper - corner) / cell).astype(int) + MARGIN
    inside = _signed_distance(shape, corner, cell, (int(count[1]), int(count[0])))
    solve = _solver(inside, 0.0)
    source = np.full(inside.shape, 3.0)
    for _ in range(4):
        square = _extended(solve(source), inside)
        source = 2 + 2 * _roundness(square, inside)
    if flatness > 0:
        widest = float(np.sqrt(max(square.max(), 1.0)))
        solve = _solver(inside, (3 * flatness / (1.05 - flatness) / widest) ** 2)
    square = _extended(solve(source), inside)
    return HeightField(square * cell**2, inside, corner, cell)


def _signed_distance(shape: Silhouette, corner: Floats, cell: float, size: tuple[int, int]) -> Floats:
    """(Y, X) distance to the outlines in cells; exact near them, where the sign comes from their own direction."""
    import cv2
    from scipy.spatial import cKDTree

    lines = [resample((line - corner) / cell, 0.1) for line in shape.outlines]
    points = np.concatenate(lines)
    along = np.concatenate([np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0) for line in lines])
    filled = np.zeros(size, np.uint8)
    cv2.fillPoly(filled, [np.round(line * 256).astype(np.int32) for line in lines], 1, shift=8)
    distance = cv2.distanceTransform(filled, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5)
    result = (distance - 0.5 * np.sign(distance)).astype(float)
    near = np.zeros(size, bool)
    rows, columns = np.clip(points[:, ::-1].astype(int).T, 0, np.array(size)[:, None] - 2)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        near[rows + down, columns + right] = True
    near = cv2.dilate(near.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    nodes = np.argwhere(near)[:, ::-1]
    exact, nearest = cKDTree(points).query(nodes)
    away, line = nodes - points[nearest], along[nearest]
    left = line[:, 0] * away[:, 1] - line[:, 1] * away[:, 0] > 0
    sign = np.where(exact > 1, filled[near] > 0, left)
    result[near] = np.where(sign, exact, -exact)
    return np.asarray(result)


def _solver(inside: Floats, damping: float) -> Callable[[Floats], Floats]:
    """A direct solver of -laplace(u) + damping u = source with u = 0 on the outline, to second order between nodes.

    Nodes beside the outline see it at its true distance, which keeps the matrix symmetric (Gibou et al. 2002, "A
    second-order-accurate symmetric discretization of the Poisson equation on irregular domains").
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    solid = inside > 0
    number = np.cumsum(solid).reshape(solid.shape) - 1
    here = number[solid]
    diagonal = np.full(len(here), damping)
    rows, columns = [here], [here]
    for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
        there = np.roll(inside, -shift, axis)[solid]
        open_ = there > 0
        share = np.clip(inside[solid] / np.maximum(inside[solid] - there, 1e-9), 0.05, 1)
        diagonal += np.where(open_, 1, 1 / share)
        rows.append(here[open_])
        columns.append(np.roll(number, -shift, axis)[solid][open_])
    values = np.concatenate([diagonal, *(np.full(len(r), -1.0) for r in rows[1:])])
    n = len(here)
    matrix = coo_matrix((values, (np.concatenate(rows), np.concatenate(columns))), shape=(n, n)).tocsc()
    factor: Any = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}, diag_pivot_thresh=0.0)

    def solve(source: Floats) -> Floats:
        result = np.zeros(solid.shape)
        result[solid] = factor.solve(source[solid])
        return result

    return solve


def _extended(square: Floats, inside: Floats) -> Floats:
    """``square`` carried on past the outline as distance times slope, so that it crosses zero exactly there."""
    from scipy.ndimage import distance_transform_edt

    deep = inside >= NEAR
    if not deep.any():
        return np.asarray(np.sign(inside) * inside**2)
    slope = np.where(deep, square / np.maximum(inside, NEAR), 0)
    rows, columns = distance_transform_edt(~deep, return_distances=False, return_indices=True)
    return np.where(deep, square, inside * slope[rows, columns])


def _roundness(square: Floats, inside: Floats) -> Floats:
    """(Y, X) 0..1: the weaker over the stronger downward curvature; 1 on a disc, 0 along a strip."""
    import cv2

    dy, dx = np.gradient(square)
    (dyy, dyx), (dxy, dxx) = np.gradient(dy), np.gradient(dx)
    mean, turn = (dxx + dyy) / 2, np.hypot((dxx - dyy) / 2, (dxy + dyx) / 2)
    ratio = np.clip((mean + turn) / np.minimum(mean - turn, -0.05), 0, 1)
    weight = np.where(inside >= 2.5, 1.0, 1e-6 * (inside > 0))
    total = cv2.GaussianBlur(ratio * weight, (0, 0), 3)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), 3), 1e-12))


def spread(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Every unknown cell takes the value of the nearest known one."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[rows, columns])
