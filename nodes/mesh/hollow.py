"""A shell with walls of a given thickness from a solid."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._attributes import carry
from nodes.mesh._bodies import closed
from nodes.mesh._checks import need_fine
from nodes.mesh._flat_uv import boxed, density_of
from nodes.mesh._rows import only
from nodes.mesh._shading import smooth_normals
from nodes.mesh._slivers import without_slivers
from nodes.mesh._stock import stocked
from nodes.mesh._topology import edges_of, parts, signed_volume, weld_points
from nodes.mesh._unfold import unfolded
from nodes.mesh.join import stacked

Array = NDArray[Any]
WAYS = {"bottom": (0.0, -1.0, 0.0), "top": (0.0, 1.0, 0.0), "back": (0.0, 0.0, -1.0)}
TOLERANCE = 0.02
THIN = 0.95
CRUMB = 0.002
SLACK = 0.005
ASKED = 50_000
MM = 1000.0
STEPS = 0.1  # of a wall, that neighbouring float32 positions may be apart


class Hollowed(NamedTuple):
    """The shell, and how thick its walls are and what it saves."""

    mesh: Mesh
    report: Report


@node("mesh.hollow", title="Hollow", group="Solid", version=4)
def hollow(
    run: Run,
    mesh: Mesh,
    wall: Annotated[float, Slider(0.1, 500, log=True, unit="mm", help="Thickness of the walls.")] = 2.0,
    drain_holes: Annotated[
        int, Slider(0, 12, help="Through the wall of each cavity, so that resin or powder runs out. 0 drills none.")
    ] = 0,
    hole_diameter: Annotated[float, Slider(0.5, 200, log=True, unit="mm", help="Of the drain holes.")] = 4.0,
    hole_side: Annotated[Literal["bottom", "top", "back"], Setting(help="Where the drain holes are.")] = "bottom",
    detail: Annotated[
        int,
        Slider(32, 400, unit="voxels", help="Along the longest side. Room less than two of them wide stays solid.",
               advanced=True),
    ] = 128,
) -> Hollowed:  # fmt: skip
    """Hollow out a solid for printing: the outside stays as it is, the inside lies `wall` below it everywhere.

    Where the solid is hardly thicker than two walls it stays solid. The inside and the holes are parts (face groups) of
    their own. The report says how thick the walls came out and how much material is saved.
    """
    run.progress(0.0, "checking")
    need_fine(mesh, wall / MM * STEPS, f"walls of {wall:.3g} mm")
    mesh = closed(Run(stop=run.stop, notes=run.notes), mesh, "mesh")
    cavities = _cavities(run, mesh, wall / MM, detail)
    inner = _inside_of(mesh, cavities)
    shell = stacked([mesh, inner])
    shell = without_slivers(shell, np.arange(len(shell.faces)) >= len(mesh.faces))
    run.progress(0.9, "drain holes")
    drilled = 0
    if drain_holes:
        shell, drilled = _drilled(run, shell, mesh, cavities, wall / MM, drain_holes, hole_diameter / 2 / MM, hole_side)
    run.progress(0.95, "measuring")
    report = _report(mesh, shell, inner, wall, len(cavities), drilled)
    least = float(report.value("wall, least (mm)"))
    if least < THIN * wall:
        run.warn(f"The thinnest wall came out at {least:.3g} mm: raise 'detail' for walls of {wall:.3g} mm everywhere.")
    return Hollowed(shell, report)


def _cavities(run: Run, mesh: Mesh, wall: float, detail: int) -> list[Mesh]:
    """Closed meshes that look away from their room, the largest first."""
    from nodes.mesh._offset import inner_surface

    weld = weld_points(mesh.vertices)
    at, faces = mesh.vertices[weld.first].astype(np.float64), weld.ids[mesh.faces]
    found = inner_surface(at, faces, wall, detail, TOLERANCE, lambda done: run.progress(0.05 + 0.6 * done, "inside"))
    if found is None:
        raise BadInput(
            f"The mesh is nowhere thicker than two walls of {wall * MM:.3g} mm and a voxel or two between them.",
            "Use a thinner 'wall' or more 'detail', or scale the mesh up with a Transform step.",
        )
    whole = unfolded(found[0], found[1], lambda done: run.progress(0.65 + 0.15 * done, "taking out folds"))
    simple = _simpler(*whole, SLACK * wall)
    points, triangles = unfolded(*simple, lambda done: run.progress(0.8 + 0.05 * done, "taking out folds"))
    room = Mesh.of(points, triangles)
    count, part = parts(triangles, edges_of(triangles))
    volume = np.bincount(part, signed_volume(points - points.mean(axis=0), triangles), minlength=count)
    kept = [k for k in np.argsort(-volume, kind="stable").tolist() if volume[k] >= CRUMB * volume.max()]
    return [only(room, part == k) for k in kept]


def _simpler(points: Array, faces: Array, slack: float) -> tuple[Array, Array]:
    """Fewer triangles where the surface is flat; none moves by more than ``slack``."""
    from manifold3d import Error, Manifold, Mesh64

    body = Manifold(Mesh64(np.ascontiguousarray(points), np.ascontiguousarray(faces, np.uint64)))
    if body.status() != Error.NoError:
        return points, faces
    got = body.simplify(slack).to_mesh64()
    return np.asarray(got.vert_properties)[:, :3], np.asarray(got.tri_verts).astype(np.int32)


def _inside_of(mesh: Mesh, cavities: list[Mesh]) -> Mesh:
    """All cavities in one mesh that looks into them, with the material and the colours of the outside near by."""
    room = stacked(cavities)
    inner = replace(room, faces=np.ascontiguousarray(room.faces[:, ::-1]), face_groups=None, material=mesh.material)
    inner = replace(inner, normals=smooth_normals(inner.vertices, inner.faces))
    if mesh.uv is not None:
        inner = boxed(inner, density_of(mesh))
    return carry(replace(mesh, normals=None), replace(inner, normals=None)) if mesh.colours is not None else inner


def _drilled(
    run: Run, shell: Mesh, mesh: Mesh, cavities: list[Mesh], wall: float, count: int, radius: float, side: str
) -> tuple[Mesh, int]:
    from manifold3d import Error

    from nodes.mesh._drain import rods, spots

    down = np.array(WAYS[side])
    places = spots(mesh, cavities, down, count, radius, wall, run.check)
    if len(places) < count:
        run.warn(f"{len(places)} of {count} drain holes found a place: use smaller ones, or another side.")
    if not places:
        return shell, 0
    stock = stocked([shell, rods(places, radius, mesh)])
    body = stock.body(0) - stock.body(1)
    if body.status() != Error.NoError:
        run.warn("The drain holes could not be drilled: the walls cross each other.")
        return shell, 0
    return stock.mesh(body, [1]), len(places)


def _report(mesh: Mesh, shell: Mesh, inner: Mesh, wall: float, cavities: int, drilled: int) -> Report:
    before, after = (
        float(signed_volume(m.vertices - mesh.vertices.mean(axis=0), m.faces).sum()) for m in (mesh, shell)
    )
    thick = _thickness(mesh, inner) * MM
    saved = 1 - after / before
    rows = (
        ("wall asked for (mm)", wall),
        ("wall, least (mm)", float(thick.min())),
        ("wall, mean (mm)", float(thick.mean())),
        ("wall, thickest at the inside (mm)", float(thick.max())),
        ("volume before (cm³)", before * 1e6),
        ("volume after (cm³)", after * 1e6),
        ("material saved", saved),
        ("cavities", cavities),
        ("drain holes", drilled),
        ("triangles", len(shell.faces)),
    )
    return Report(
        f"Hollowing of {mesh.name}", rows, f"{saved:.0%} of the material saved, walls {thick.min():.3g} mm and more."
    )


def _thickness(mesh: Mesh, inner: Mesh) -> Array:
    """Metres to the outside from points spread evenly over the inside."""
    from nodes.mesh._metrics import nearest_on, sample, surface_of

    return np.asarray(nearest_on(surface_of(mesh), sample(surface_of(inner), ASKED, 0).points).distance)
