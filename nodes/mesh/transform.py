"""Size, place and turn a mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound

Array = NDArray[Any]


@node("mesh.transform", title="Transform", group="Place and arrange")
def transform(
    run: Run,
    mesh: Mesh,
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
) -> Mesh:
    """Turn, scale to a height in metres, and stand on the floor or centre."""
    run.progress(0.0, "checking")
    need_sound(mesh)
    turn = turned(turn_x, turn_y, turn_z)
    at = mesh.vertices.astype(np.float64) @ turn.T
    at *= scale * _to_height(at, height)
    low, high = at.min(axis=0), at.max(axis=0)
    if place != "keep":
        middle = (low + high) / 2
        at -= (middle[0], low[1] if place == "floor" else middle[1], middle[2])
    at += (move_x, move_y, move_z)
    normals = None if mesh.normals is None else (mesh.normals @ turn.T).astype(np.float32)
    return replace(mesh, vertices=at.astype(np.float32), normals=normals)


def _to_height(at: Array, height: float) -> float:
    if height == 0:
        return 1.0
    tall = float(at[:, 1].max() - at[:, 1].min())
    if tall < 1e-12:
        raise BadInput("A flat mesh cannot be scaled to a height.", "Set the height to 0, or turn the mesh upright.")
    return height / tall


def turned(x: float, y: float, z: float) -> Array:
    """(3, 3) rotation about X, then Y, then Z, in degrees, counter-clockwise seen against each axis."""
    turn = np.eye(3)
    for axis, angle in enumerate((x, y, z)):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        one = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one[i, i], one[i, j], one[j, i], one[j, j] = c, -s, s, c
        turn = one @ turn
    return turn
