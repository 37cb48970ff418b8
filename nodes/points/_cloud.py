"""What steps on point clouds share: checks, choosing rows, putting clouds together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, PointCloud, Run

Array = NDArray[Any]
LARGEST_M = 1e9


def sound(run: Run, cloud: PointCloud, least: int = 1) -> PointCloud:
    """The points that have a position, and a word on the others. :class:`BadInput` for fewer than ``least``."""
    cloud = finite(run, cloud)
    if len(cloud.points) < least:
        few = "no points" if not len(cloud.points) else f"only {len(cloud.points):,} points"
        raise BadInput(f"The cloud has {few}; this step needs {least:,} or more.", "Check the step before this one.")
    extent = float(np.abs(cloud.points).max())
    if extent > LARGEST_M:
        raise BadInput(
            f"The cloud reaches {extent:.3g} m from the origin.", "Put a Transform points step before this one."
        )
    return cloud


def finite(run: Run, cloud: PointCloud) -> PointCloud:
    """Without points whose position is no number; colours and normals that are none become white and zero."""
    good = np.asarray(np.isfinite(cloud.points).all(axis=1))
    if not good.all():
        run.warn(f"{int((~good).sum()):,} points have no valid position (NaN or infinite) and are left out.")
        cloud = only(cloud, good)
    colours, normals = _numbers(cloud.colours, 1.0), _numbers(cloud.normals, 0.0)
    if colours is cloud.colours and normals is cloud.normals:
        return cloud
    run.warn("Some colours or normals are no numbers; they became white or zero.")
    return PointCloud(cloud.points, colours, normals)


def _numbers(values: Array | None, missing: float) -> Array | None:
    if values is None or np.isfinite(values).all():
        return values
    return np.nan_to_num(values, nan=missing, posinf=missing, neginf=missing)


def only(cloud: PointCloud, which: Array) -> PointCloud:
    """The rows at indices, or where a mask of bools is true."""
    return PointCloud(
        cloud.points[which],
        None if cloud.colours is None else cloud.colours[which],
        None if cloud.normals is None else cloud.normals[which],
    )


def together(clouds: Sequence[PointCloud]) -> PointCloud:
    """One after another. Missing colours become white; normals stay only where every cloud has them."""
    clouds = [cloud for cloud in clouds if len(cloud.points)] or list(clouds[:1])
    colours = None
    if any(cloud.colours is not None for cloud in clouds):
        white = [np.ones((len(c.points), 4), np.float32) if c.colours is None else c.colours for c in clouds]
        colours = np.concatenate(white)
    normals = [cloud.normals for cloud in clouds if cloud.normals is not None]
    return PointCloud(
        np.concatenate([cloud.points for cloud in clouds]),
        colours,
        np.concatenate(normals) if len(normals) == len(clouds) else None,
    )


def unit(vectors: Array) -> Array:
    """(N, 3) float32 of length one; a vector without length points up."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), (0.0, 1.0, 0.0)).astype(np.float32)
