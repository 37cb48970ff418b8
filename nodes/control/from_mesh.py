"""What a camera sees of a mesh, as maps that steer the generation of a picture."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Depth, Image, Mask, Mesh, Run, Setting, Slider, Views, node
from nodes.control._outlines import outlines
from nodes.depth._maps import near_white, normal_image
from nodes.mesh._camera import camera, fitting_distance, middle, reach
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._render import Rendered, render, subject

FLOOR = 0.15
Metres = Slider(-1000, 1000, unit="m", advanced=True)


class Seen(NamedTuple):
    """One view of a mesh. ``views``: the picture with its camera, so that one painted over it can be put back."""

    depth_map: Image
    normal_map: Image
    line_map: Image
    colour: Image
    mask: Mask
    depth: Depth
    views: Views


@node("control.from_mesh", title="Control from mesh")
def from_mesh(
    run: Run,
    mesh: Mesh,
    azimuth: Annotated[
        float, Slider(-180, 180, unit="°", help="0: from the front (+Z). 90: from the right (+X).")
    ] = 30,
    elevation: Annotated[float, Slider(-90, 90, unit="°", help="0: level. 90: from above.")] = 20,
    distance: Annotated[float, Slider(0, 1000, unit="m", help="From the camera to its aim. 0: the mesh fits.")] = 0,
    fov: Annotated[float, Slider(5, 120, unit="°", help="From the lower to the upper border.")] = 30,
    aim: Annotated[
        Literal["middle", "point"], Setting(help="Look at the middle of the mesh, or at a point in space.")
    ] = "middle",
    aim_x: Annotated[float, Metres] = 0,
    aim_y: Annotated[float, Metres] = 0,
    aim_z: Annotated[float, Metres] = 0,
    width: Annotated[int, Slider(64, 2048, log=True, unit="px")] = 512,
    height: Annotated[int, Slider(64, 2048, log=True, unit="px")] = 512,
    light: Annotated[Literal["none", "soft"], Setting(help="For the colours: bare, or with soft lamps.")] = "none",
    crease: Annotated[float, Slider(5, 180, unit="°", help="Lines are drawn along edges sharper than this.")] = 40,
) -> Seen:
    """See a mesh through a camera: depth, normal and line maps for ControlNet, and its colours.

    Depth: white is near, black is nothing. Normals: the colours ControlNet was trained on (blue to the viewer, green
    up, red left). Lines: white on black, along outlines and creases. To use the view you see in the 3D viewer, choose
    View > Take the viewer's camera.
    """
    run.progress(0.0, "preparing the mesh")
    need_sound(mesh)
    need_size(mesh)
    size, ready = (width, height), subject(mesh)
    target = middle(mesh) if aim == "middle" else np.array([aim_x, aim_y, aim_z])
    away = distance or fitting_distance(reach(mesh), fov, size)
    pose, intrinsics = camera(azimuth, elevation, away, fov, size, target)
    run.progress(0.2, "drawing")
    seen = render(ready, pose, intrinsics, size, light, finer=2)
    _tell(run, seen)
    run.progress(0.6, "lines")
    lines = outlines(ready, pose, intrinsics, size, crease)
    depth = Depth(seen.depth, intrinsics.astype(np.float32))
    colour = Image(np.concatenate([seen.colour, seen.alpha[..., None]], axis=-1))
    views = Views((colour,), intrinsics[None].astype(np.float32), pose[None].astype(np.float32))
    shown = near_white(depth, FLOOR) if np.isfinite(seen.depth).any() else np.zeros_like(seen.alpha)
    return Seen(
        Image.of(shown, "data"), normal_image(seen.normal, red_left=True), Image.of(lines), colour,
        Mask(seen.alpha), depth, views,
    )  # fmt: skip


def _tell(run: Run, seen: Rendered) -> None:
    if not (seen.face >= 0).any():
        run.warn("The camera sees nothing of the mesh: check its aim and its distance.")
