"""Detail on the front half: from light and dark in the picture, and from a depth map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Depth, Image
from nodes.image._pixels import blur
from nodes.image_to_3d._height import HeightField, spread
from nodes.image_to_3d._planar import Planar
from nodes.image_to_3d._silhouette import Floats, Silhouette
from nodes.image_to_3d._tile import Tile

DEEPEST = 0.02  # of the longer side: relief from shading at full strength


@dataclass(frozen=True)
class Follow:
    """(N,) pixels towards the viewer: added to the front half, and to the back half."""

    front: Floats
    back: Floats


def shading_relief(tile: Tile, facing: NDArray[np.float32], solid: Floats, thickness: float, strength: float) -> Floats:
    """(N,) offsets in picture pixels: locally lighter means higher; bounded, and fading out towards the rim."""
    from scipy.ndimage import map_coordinates

    if strength <= 0:
        return np.zeros(len(solid))
    grey = tile.colours @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    longest = float(max(grey.shape))
    spacing = float(np.sqrt(np.ptp(solid[:, 0]) * np.ptp(solid[:, 1]) / len(solid)) * tile.scale[0])
    detail = blur(grey, max(1.0, 0.7 * spacing)) - blur(grey, 0.04 * longest)
    at = (tile.places(solid[:, :2]) - 0.5).T[::-1]
    light = np.tanh(map_coordinates(detail, at, order=1, mode="nearest") / 0.2)
    fade = np.clip(map_coordinates(facing, at, order=1, mode="nearest"), 0, 1) ** 1.5
    most = np.minimum(DEEPEST * longest / tile.scale[0], 0.35 * thickness * solid[:, 2])
    return np.asarray(strength * light * fade * most)


def depth_follow(
    depth: Depth, image: Image, shape: Silhouette, field: HeightField, flat: Planar, front: Floats, strength: float
) -> Follow:
    """Let the front follow a depth map and the whole body its silhouette's depth, so that near parts come forward."""
    seen = _nearness(depth, image, field, front[:, :2], float((shape.upper - shape.lower).max()))
    middle = _membrane(front[:, :2], flat.faces, seen[: flat.rim])
    bulge = np.maximum(seen - middle, 0.15 * front[:, 2])
    facing = np.sqrt(np.maximum(field.squares(front[:, :2]), 0)) / np.maximum(field.radii(front[:, :2]), 1e-6)
    fade = np.clip(facing / 0.5, 0, 1)
    fade[: flat.rim] = 0
    shallow = np.minimum(bulge, front[:, 2])  # beside the rim, so that no ledge runs around a flat front
    return Follow(strength * (middle + shallow + fade * (bulge - shallow) - front[:, 2]), strength * middle)


def _nearness(depth: Depth, image: Image, field: HeightField, points: Floats, longest: float) -> Floats:
    """(N,) distance in picture pixels towards the viewer from the object's median depth."""
    from scipy.ndimage import gaussian_filter, map_coordinates, median_filter

    height, width = depth.metres.shape
    stretch = np.array([width / image.size[0], height / image.size[1]])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    places = np.stack([x, y], axis=-1).reshape(-1, 2) / stretch
    within = map_coordinates(field.inside, field.places(places), order=1, mode="nearest").reshape(height, width)
    known = np.isfinite(depth.metres) & (depth.metres > 0) & (within * field.cell * stretch[0] > 1.5)
    if not known.any():
        raise BadInput("The depth map knows nothing about the object.", "Link the depth map of this picture.")
    median = float(np.median(depth.metres[known]))
    focal = abs(float(depth.intrinsics[0, 0])) / stretch[0]
    near = (median - np.where(known, depth.metres, median)) * focal / median
    low, high = np.percentile(near[known], [0.5, 99.5])
    near = spread(np.clip(near, max(low, -longest), min(high, longest)), known)
    near = gaussian_filter(median_filter(near, 3), 0.003 * max(width, height))
    return np.asarray(map_coordinates(near, (points * stretch - 0.5).T[::-1], order=1, mode="nearest"))


def _membrane(points: Floats, faces: NDArray[np.int64], rim: Floats) -> Floats:
    """(N,) the harmonic surface over a flat triangulation that takes the values ``rim`` on its first points."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    count, fixed = len(points), len(rim)
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    weights: list[Floats] = []
    for k in range(3):
        a, b, c = (faces[:, (k + i) % 3] for i in range(3))
        one, two = points[a] - points[c], points[b] - points[c]
        cross = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
        weight = np.maximum((one * two).sum(axis=1) / np.maximum(cross, 1e-9), 1e-3)
        rows, columns, weights = [*rows, a, b], [*columns, b, a], [*weights, weight, weight]
    cells = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    matrix = coo_matrix(cells, shape=(count, count)).tocsr()
    total = np.asarray(matrix.sum(axis=1)).ravel()
    inner = matrix[fixed:]
    system = -inner[:, fixed:].tolil()
    system.setdiag(total[fixed:] + 1e-9)
    return np.concatenate([rim, spsolve(system.tocsc(), inner[:, :fixed] @ rim)])
