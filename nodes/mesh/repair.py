"""Mend a mesh."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from app.engine import BadInput, Isolated, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh import _holes as holes
from nodes.mesh import _mending as mending
from nodes.mesh._checks import need_faces
from nodes.mesh._measure import measure
from nodes.mesh._mending import Sheet
from nodes.mesh._shading import grouped_normals
from nodes.mesh._topology import weld_bits, weld_rows


class Repaired(NamedTuple):
    """The mended mesh, and what was changed."""

    mesh: Mesh
    report: Report


@node("mesh.repair", title="Repair", isolated=Isolated(limit_s=120))
def repair(
    run: Run,
    mesh: Mesh,
    weld: Annotated[
        float, Slider(0, 1, step=0.0001, unit="% of size", help="Vertices nearer than this become one.")
    ] = 0.0001,
    smallest_part: Annotated[
        float, Slider(0, 100, step=0.1, unit="% of the largest", help="Parts with less area than this are removed.")
    ] = 0.1,
    fill_holes: bool = True,
    largest_hole: Annotated[
        float, Slider(0, 1000, unit="% of size", help="Holes with a longer rim stay open.")
    ] = 1000.0,
    turn_outward: Annotated[bool, Setting(help="Turn closed parts that are inside out.")] = True,
) -> Repaired:
    """A clean, closed mesh from a damaged one, changing as little as possible.

    Welds, removes broken, duplicate and stray faces, winds all faces alike, cuts non-manifold places apart, fills
    holes, and looks at the result again. UVs and colours stay where faces stay.
    """
    need_faces(mesh)
    done: dict[str, int] = {}
    run.progress(0.05, "welding")
    sheet, done["faces with invalid positions"], done["positions welded"], done["collapsed faces"] = mending.opened(
        mesh, weld / 100
    )
    _some(sheet)
    run.progress(0.2, "duplicates and fins")
    sheet = _counted(done, "duplicate faces", sheet, mending.without_duplicates(sheet))
    sheet = _counted(done, "fins", sheet, mending.without_fins(sheet))
    _some(sheet)
    run.progress(0.4, "winding")
    sheet, done["faces turned"], done["sides cut apart"] = mending.wound(sheet)
    sheet = _uncrowded(done, sheet)
    sheet, done["touching vertices moved apart"] = mending.unstuck(sheet)
    run.progress(0.6, "small parts")
    sheet, done["small parts removed"] = mending.without_crumbs(sheet, smallest_part / 100)
    if fill_holes:
        run.progress(0.7, "holes")
        extent = float(np.linalg.norm(sheet.points.max(axis=0) - sheet.points.min(axis=0)))
        sheet, done["holes filled"], done["holes left open"] = holes.closed_up(sheet, largest_hole / 100 * extent)
        sheet, done["flat sheets left open"] = holes.without_flat(sheet)
    if turn_outward:
        sheet, done["parts turned outward"] = holes.outward(sheet)
    run.progress(0.9, "checking")
    mended = _mesh(mesh, sheet)
    return Repaired(mended, _report(run, mended, done))


def _some(sheet: Sheet) -> None:
    if not len(sheet.faces):
        raise BadInput(
            "No face of the mesh is usable: all have invalid or coinciding corners.",
            "Check the file that the mesh comes from, or weld less.",
        )


def _counted(done: dict[str, int], what: str, before: Sheet, after: Sheet) -> Sheet:
    done[what] = len(before.faces) - len(after.faces)
    return after


def _uncrowded(done: dict[str, int], sheet: Sheet) -> Sheet:
    """Edges may still meet after the cut where a part touches itself twice; dropping faces opens new vertices."""
    for _ in range(4):
        fewer = mending.without_crowds(sheet)
        if len(fewer.faces) == len(sheet.faces):
            break
        done["fins"] += len(sheet.faces) - len(fewer.faces)
        sheet, _, _ = mending.wound(fewer)
    return sheet


def _mesh(mesh: Mesh, sheet: Sheet) -> Mesh:
    """Corners with the same position and the same attributes share a vertex; hard edges stay hard."""
    rows = [r for r in (mesh.normals, mesh.uv, mesh.colours) if r is not None]
    alike = weld_rows(np.concatenate(rows, axis=1)).ids if rows else np.zeros(len(mesh.vertices), np.int32)
    hard = np.zeros(len(mesh.vertices), np.int32) if mesh.normals is None else weld_rows(mesh.normals).ids
    place, origin = sheet.faces.ravel(), sheet.origin.ravel()
    vertex = weld_bits(np.stack([place, alike[origin]], axis=1))
    shade = weld_bits(np.stack([place, hard[origin]], axis=1))
    normals = grouped_normals(sheet.points, sheet.faces, shade.ids.reshape(-1, 3), shade.count)
    source = origin[vertex.first]
    return Mesh(
        vertices=sheet.points[place[vertex.first]].astype(np.float32),
        faces=vertex.ids.reshape(-1, 3),
        normals=normals[shade.ids[vertex.first]].astype(np.float32),
        uv=None if mesh.uv is None else mesh.uv[source],
        colours=None if mesh.colours is None else mesh.colours[source],
        material=mesh.material,
        face_groups=sheet.groups,
        name=mesh.name,
    )


def _report(run: Run, mended: Mesh, done: dict[str, int]) -> Report:
    shape = measure(mended)
    changed = [f"{count:,} {what}" for what, count in done.items() if count]
    run.warn(f"Mended: {', '.join(changed)}." if changed else "Nothing to mend.")
    if not shape.watertight:
        run.warn("The result is not watertight: holes were left open on purpose or the mesh is a flat sheet.")
    rows = (
        *done.items(),
        ("triangles", len(mended.faces)),
        ("parts", shape.parts),
        ("watertight", shape.watertight),
        ("manifold", shape.manifold),
    )
    verdict = "Watertight and manifold." if shape.watertight and shape.manifold else "Not closed everywhere."
    return Report(f"Repair of {mended.name}", rows, verdict)
