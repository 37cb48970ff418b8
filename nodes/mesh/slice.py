"""Cut a mesh in two along a plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._flat_uv import density_of, flat_uv, frame_of
from nodes.mesh._one_material import under_one
from nodes.mesh._plane_cap import caps_of, loops_of, rim_of
from nodes.mesh._plane_cut import Halves, Plane, cut
from nodes.mesh._rows import built
from nodes.mesh._shading import smooth_normals
from nodes.mesh.join import stacked
from nodes.mesh.transform import turned

Array = NDArray[Any]
CapSurface = Literal["as the mesh", "plain white"]
WHITE = Material("plain white")
AXES = {"up (Y)": 1, "right (X)": 0, "front (Z)": 2}
Tilt = Slider(-180, 180, unit="°", help="Turns the plane about this axis; X first, Z last.", advanced=True)


class Sliced(NamedTuple):
    """What lies on the side that the plane looks to, and what lies on the other."""

    above: Mesh
    below: Mesh


@node("mesh.slice", title="Slice", group="Solid", version=3)
def slice_mesh(
    run: Run,
    mesh: Mesh,
    axis: Annotated[
        Literal["up (Y)", "right (X)", "front (Z)"], Setting(help="The way that the plane looks to.")
    ] = "up (Y)",
    place: Annotated[
        Literal["share", "metres"], Setting(help="share: between the ends of the mesh. metres: from the origin.")
    ] = "share",
    share: Annotated[float, Slider(0, 1, step=0.001, help="0: the lowest point, 1: the highest; for share.")] = 0.5,
    offset: Annotated[float, Slider(-1000, 1000, step=0.001, unit="m", help="For metres.")] = 0.0,
    cap: Annotated[
        bool, Setting(help="Close the cut. Its UVs are seen straight on, at the mesh's texel density.")
    ] = True,
    cap_surface: Annotated[
        CapSurface,
        Setting(
            help="What the closed cut shows. as the mesh: its texture, for those that tile, and colours at the rim. "
            "plain white: without any."
        ),
    ] = "as the mesh",
    tilt_x: Annotated[float, Tilt] = 0.0,
    tilt_y: Annotated[float, Tilt] = 0.0,
    tilt_z: Annotated[float, Tilt] = 0.0,
) -> Sliced:
    """Cut a mesh in two along a plane. What was closed is closed again in both halves, exactly on the plane.

    Faces off the plane stay as they were; UVs, normals and colours are cut along. The closed cut is a part (face group)
    of its own. Open meshes are cut as well; openings that do not close on the plane stay open, which is said.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    normal = turned(tilt_x, tilt_y, tilt_z) @ np.eye(3)[AXES[axis]]
    normal = np.where(np.abs(normal) < 1e-12, 0.0, normal)
    normal /= np.linalg.norm(normal)
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    height = mesh.vertices[used].astype(np.float64) @ normal
    at = float(height.min() + share * np.ptp(height)) if place == "share" else offset
    plane = Plane(normal, at)
    run.progress(0.2, "cutting")
    if cap and mesh.normals is None:
        mesh = replace(mesh, normals=smooth_normals(mesh.vertices, mesh.faces))
    halves = cut(mesh, plane)
    density = density_of(mesh) if cap else 1.0
    number = 1 + (0 if mesh.face_groups is None else int(mesh.face_groups.max(initial=0)))
    sides = []
    for up in (True, False):
        run.progress(0.5 if up else 0.75, "closing" if cap else "taking apart")
        side = _side(run, mesh, halves, up)
        if cap and len(side.faces):
            side = _capped(run, side, halves, plane, up, density, number, cap_surface)
        sides.append(side)
    return Sliced(*sides)


def _side(run: Run, mesh: Mesh, halves: Halves, up: bool) -> Mesh:
    here = halves.up == up
    if not here.any():
        run.warn(f"Nothing lies {'above' if up else 'below'} the plane: that output has no faces.")
    groups = None if mesh.face_groups is None else mesh.face_groups[halves.source[here]]
    return built(mesh, halves.rows, halves.faces[here], groups)


def _capped(
    run: Run, side: Mesh, halves: Halves, plane: Plane, up: bool, density: float, number: int, surface: CapSurface
) -> Mesh:
    """``density``: of the cap's UVs, in units per metre. ``number``: of the cap among the face groups."""
    normal = -plane.normal if up else plane.normal
    weld = halves.weld
    at = halves.rows["vertices"][weld.first].astype(np.float64) @ frame_of(normal).T
    loops, spare = loops_of(rim_of(weld.ids[halves.faces[halves.up == up]], halves.flat[weld.first]), at)
    if spare:
        run.warn(
            "The mesh is open where it was cut, so the cut stays open there. A Repair step before this one closes it."
        )
    caps = caps_of(loops, at)
    if not len(caps):
        return side
    names, corners = np.unique(caps, return_inverse=True)
    rows = {name: value[weld.first[names]] for name, value in halves.rows.items()}
    rows["normals"] = np.tile(normal, (len(names), 1))
    if "uv" in rows:
        rows["uv"] = flat_uv(rows["vertices"], normal, density)
    cap = built(side, rows, corners, None)
    if surface == "plain white":
        cap = replace(cap, material=WHITE, colours=None)
    groups = np.zeros(len(side.faces), np.int32) if side.face_groups is None else side.face_groups
    whole = stacked(under_one([side, cap], run.warn))
    return replace(whole, face_groups=np.concatenate([groups, np.full(len(cap.faces), number, np.int32)]))
