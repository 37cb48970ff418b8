"""Size, place and turn a cloud."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, PointCloud, Run, Setting, Slider, node
from nodes.points._cloud import finite


@node("points.transform", title="Transform points")
def transform(
    run: Run,
    cloud: PointCloud,
    turn_x: Annotated[float, Slider(-180, 180, unit="°", help="About the X axis, to the right; applied first.")] = 0.0,
    turn_y: Annotated[float, Slider(-180, 180, unit="°", help="About the Y axis, upward; applied second.")] = 0.0,
    turn_z: Annotated[float, Slider(-180, 180, unit="°", help="About the Z axis, to the viewer; applied last.")] = 0.0,
    height: Annotated[float, Slider(0, 1000, unit="m", help="Scaled to this height. 0: the size stays.")] = 0.0,
    scale: Annotated[float, Slider(0.001, 1000, log=True, help="Multiplies the size, after the height.")] = 1.0,
    place: Annotated[
        Literal["keep", "centre", "floor"],
        Setting(help="keep: about the origin. centre: middle at the origin. floor: standing on the origin."),
    ] = "keep",
    move_x: Annotated[float, Slider(-1000, 1000, unit="m", advanced=True)] = 0.0,
    move_y: Annotated[float, Slider(-1000, 1000, unit="m", advanced=True)] = 0.0,
    move_z: Annotated[float, Slider(-1000, 1000, unit="m", advanced=True)] = 0.0,
) -> PointCloud:
    """Turn, scale to a height in metres, and stand on the floor or centre."""
    from scipy.spatial.transform import Rotation

    run.progress(0.0, "moving")
    cloud = finite(run, cloud)
    if not len(cloud.points):
        raise BadInput("The cloud has no points.", "Check the step before this one.")
    turn = Rotation.from_euler("xyz", (turn_x, turn_y, turn_z), degrees=True).as_matrix()
    at = cloud.points.astype(np.float64) @ turn.T
    if height:
        tall = float(np.ptp(at[:, 1]))
        if tall < 1e-12:
            raise BadInput("A flat cloud cannot be scaled to a height.", "Set the height to 0, or turn it upright.")
        at *= height / tall
    at *= scale
    low, high = at.min(axis=0), at.max(axis=0)
    if place != "keep":
        middle = (low + high) / 2
        at -= (middle[0], low[1] if place == "floor" else middle[1], middle[2])
    at += (move_x, move_y, move_z)
    normals = None if cloud.normals is None else (cloud.normals @ turn.T).astype(np.float32)
    return PointCloud(at.astype(np.float32), cloud.colours, normals)
