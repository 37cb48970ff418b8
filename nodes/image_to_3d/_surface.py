"""Lift a flat triangulation onto the bulging surface, even out its triangles and close it with a mirrored back."""

from __future__ import annotations

import numpy as np

from app.engine import Run
from nodes.image_to_3d._height import HeightField
from nodes.image_to_3d._planar import Ints, Planar
from nodes.image_to_3d._silhouette import Floats

ROUNDS = 6


def lift(run: Run, flat: Planar, field: HeightField) -> Floats:
    """(N, 3) picture x, picture y and half thickness in pixels; the rim stays where it is, at zero.

    Equal triangles in the picture are long ones on the steep rim, so inner points first move towards the rim as far as
    makes a sphere or a tube evenly divided, then a few rounds of smoothing along the surface settle the rest.
    """
    points = _spread_to_rim(flat, field)
    solid = np.column_stack([points, np.sqrt(_squares(points, flat, field))])
    around = _Around(flat.faces, len(points))
    for _ in range(ROUNDS):
        run.check()
        moved = 0.4 * solid + 0.6 * around.mean(solid)
        moved[: flat.rim] = solid[: flat.rim]
        solid = _on_surface(moved, flat, field, around)
    return solid


def _spread_to_rim(flat: Planar, field: HeightField) -> Floats:
    slope = field.slopes(flat.points)
    radius = np.sqrt(np.maximum(4 * field.squares(flat.points), 0) + (slope**2).sum(axis=1)) / 2
    tilt = np.clip(np.linalg.norm(slope, axis=1) / np.maximum(2 * radius, 1e-9), 1e-6, 1)
    shift = -0.5 * slope * (np.sin(tilt * np.pi / 2) / tilt - 1)[:, None]
    shift[: flat.rim] = 0
    shift *= 0.8  # full strength would press points through the chords of a rim that curves inwards
    return _untangled(flat.points + shift, flat, _Around(flat.faces, len(shift)))


def _untangled(points: Floats, flat: Planar, around: _Around) -> Floats:
    """No triangle turned over in the picture: points of those that are go to the middle of their neighbours."""
    least = 0.004 * _turns(flat.points, flat.faces)
    for _ in range(12):
        folded = _turns(points, flat.faces) < least
        if not folded.any():
            break
        loose = np.zeros(len(points), bool)
        loose[flat.faces[folded]] = True
        loose[: flat.rim] = False
        points = np.where(loose[:, None], around.mean(points), points)
    return points


def _turns(points: Floats, faces: Ints) -> Floats:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))


def _squares(points: Floats, flat: Planar, field: HeightField) -> Floats:
    """Squared half thickness, above zero everywhere but on the rim, also in parts thinner than a grid cell."""
    from scipy.spatial import cKDTree

    away, _ = cKDTree(flat.points[: flat.rim]).query(points)
    squares = np.maximum(field.squares(points), (0.25 * away) ** 2)
    squares[: flat.rim] = 0
    return np.asarray(squares)


class _Around:
    """Averages over the direct neighbours of each point."""

    def __init__(self, faces: Ints, count: int) -> None:
        pairs = np.concatenate([faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))])
        keys = np.unique(pairs[:, 0] * count + pairs[:, 1])
        self.here, self.there = keys // count, keys % count
        self.weight = 1 / np.maximum(np.bincount(self.here, minlength=count), 1)

    def mean(self, values: Floats) -> Floats:
        columns = [np.bincount(self.here, column[self.there], len(values)) * self.weight for column in values.T]
        return np.stack(columns, axis=1)


def _on_surface(moved: Floats, flat: Planar, field: HeightField, around: _Around) -> Floats:
    """Newton steps onto square(x, y) = z * z, then z exactly."""
    for _ in range(2):
        xy, z = moved[:, :2], moved[:, 2]
        slope = np.column_stack([field.slopes(xy), -2 * z])
        value = field.squares(xy) - z**2
        step = value / np.maximum((slope**2).sum(axis=1), 1e-9)
        step[: flat.rim] = 0
        moved = moved - step[:, None] * slope
    points = _untangled(moved[:, :2], flat, around)
    return np.column_stack([points, np.sqrt(_squares(points, flat, field))])


def closed(front: Floats, back: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """(vertices, faces) of both halves; the back follows the front and repeats the rim for its own UVs.

    ``front``, ``back``: (N, 3) in world axes, equal on the rim. ``faces``: outward on the front.
    """
    return np.concatenate([front, back]), np.concatenate([faces, faces[:, ::-1] + len(front)])
