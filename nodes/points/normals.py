"""Normals of a point cloud."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, PointCloud, Run, Setting, Slider, Views, node
from nodes.points._cloud import Array, sound, unit
from nodes.points._near import neighbours, tree_of
from nodes.points._orient import estimated, one_side

Side = Literal["spread", "outward", "to the viewer", "as found"]


@node("points.normals", title="Point normals")
def normals(
    run: Run,
    cloud: PointCloud,
    views: Views | None = None,
    neighbours_used: Annotated[
        int, Slider(3, 100, log=True, label="Neighbours", help="More smooth noise away, fewer keep small shapes.")
    ] = 16,
    side: Annotated[
        Side,
        Setting(
            help="spread: neighbours agree, and the outermost look outward. outward: away from the middle. to the "
            "viewer: towards the place below, or the nearest camera of linked views. as found: not turned."
        ),
    ] = "spread",
    keep: Annotated[
        bool, Setting(label="Keep its normals", help="Only turn the normals that the cloud has, where it has some.")
    ] = False,
    viewer_x: Annotated[float, Slider(-1000, 1000, unit="m", help="Place of the viewer.", advanced=True)] = 0.0,
    viewer_y: Annotated[float, Slider(-1000, 1000, unit="m", advanced=True)] = 0.0,
    viewer_z: Annotated[float, Slider(-1000, 1000, unit="m", advanced=True)] = 10.0,
) -> PointCloud:
    """Find which way the surface looks at each point, from the plane through its neighbours.

    The side is handed on from point to point where the surface turns least (Hoppe et al. 1992).
    """
    run.progress(0.0, "checking")
    cloud = sound(run, cloud, 3)
    middle = (cloud.points.min(axis=0) + cloud.points.max(axis=0)) / 2
    points = cloud.points - middle
    fresh = cloud.normals is None or not keep
    index = np.zeros((0, 1), np.int32)
    if fresh or side == "spread":
        _, index = neighbours(points, neighbours_used, lambda done: run.progress(0.5 * done, "finding neighbours"))
    run.progress(0.5, "fitting planes")
    found = estimated(points, index) if fresh else unit(np.asarray(cloud.normals))
    if side == "spread":
        found = one_side(points, found, index, lambda done: run.progress(0.6 + 0.4 * done, "choosing sides"))
    elif side != "as found":
        way = points if side == "outward" else _to_viewer(cloud.points, views, (viewer_x, viewer_y, viewer_z))
        found = np.where((np.einsum("ij,ij->i", found, way) < 0)[:, None], -found, found)
    return PointCloud(cloud.points, cloud.colours, found)


def _to_viewer(points: Array, views: Views | None, place: tuple[float, float, float]) -> Array:
    """(N, 3) from each point to the viewer, or to the nearest camera."""
    if views is None:
        return np.asarray(np.asarray(place, np.float32) - points)
    cameras = views.poses[:, :3, 3]
    if not len(cameras):
        raise BadInput("The views have no cameras.", "Connect other views, or none.")
    _, nearest = tree_of(cameras).query(points, workers=-1)
    return np.asarray(cameras[nearest] - points)
