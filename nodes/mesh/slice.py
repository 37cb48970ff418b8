"""Cut a mesh in two along a plane."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._flat_uv import density_of, flat_uv, frame_of
from nodes.mesh._plane_cap import caps_of, loops_of, rim_of
from nodes.mesh._plane_cut import Halves, Plane, cut
from nodes.mesh._rows import built
from nodes.mesh.transform import turned

Array = NDArray[Any]
AXES = {"up (Y)": 1, "right (X)": 0, "front (Z)": 2}
Tilt = Slider(-180, 180, unit="°", help="Turns the plane about this axis; X first, Z last.", advanced=True)


class Sliced(NamedTuple):
    """What lies on the side that the plane looks to, and what lies on the other."""

    above: Mesh
    below: Mesh


@node("mesh.slice", title="Slice", group="Solid")
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
    halves = cut(mesh, plane)
    density = density_of(mesh) if cap else 1.0
    sides = []
    for up in (True, False):
        run.progress(0.5 if up else 0.75, "closing" if cap else "taking apart")
        sides.append(_side(run, mesh, halves, plane, up, density if cap else None))
    return Sliced(*sides)


def _side(run: Run, mesh: Mesh, halves: Halves, plane: Plane, up: bool, density: float | None) -> Mesh:
    """``density``: of the UVs of a cap, or None for none."""
    here = halves.up == up
    if not here.any():
        run.warn(f"Nothing lies {'above' if up else 'below'} the plane: that output has no faces.")
    faces, source = halves.faces[here], halves.source[here]
    groups = None if mesh.face_groups is None else mesh.face_groups[source]
    if density is None or not here.any():
        return built(mesh, halves.rows, faces, groups)
    normal = -plane.normal if up else plane.normal
    flat = halves.flat[halves.weld.first]
    at = halves.rows["vertices"][halves.weld.first].astype(np.float64) @ frame_of(normal).T
    loops, spare = loops_of(rim_of(halves.weld.ids[faces], flat), at)
    if spare:
        run.warn(
            "The mesh is open where it was cut, so the cut stays open there. A Repair step before this one closes it."
        )
    caps = caps_of(loops, at)
    names, corners = np.unique(caps, return_inverse=True)
    rows = {name: value[halves.weld.first[names]] for name, value in halves.rows.items()}
    if "normals" in rows:
        rows["normals"] = np.tile(normal, (len(names), 1))
    if "uv" in rows:
        rows["uv"] = flat_uv(rows["vertices"], normal, density)
    pool = {name: np.concatenate([value, rows[name]]) for name, value in halves.rows.items()}
    new = corners.reshape(-1, 3) + len(halves.rows["vertices"])
    before = np.zeros(len(faces), np.int32) if groups is None else groups
    last = 0 if mesh.face_groups is None else int(mesh.face_groups.max())
    numbers = np.concatenate([before, np.full(len(new), last + 1, np.int32)])
    return built(mesh, pool, np.concatenate([faces, new]), numbers)
