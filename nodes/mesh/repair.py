"""Mend a mesh."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from app.engine import Isolated, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._checks import need_faces
from nodes.mesh._counts import counted
from nodes.mesh._measure import measure
from nodes.mesh._melted import alike, melted
from nodes.mesh._mended import as_before, mended
from nodes.mesh._repairing import Job, mend
from nodes.mesh._rewrap import rewrapped

ADVICE = (
    "Set 'bodies' to 'unite' for whole bodies that do, or 'method' to 'voxel wrap' for a closed skin around "
    "everything, without UVs."
)


class Repaired(NamedTuple):
    """The mended mesh, and what was changed."""

    mesh: Mesh
    report: Report


@node("mesh.repair", title="Repair", group="Repair and smooth", version=3, isolated=Isolated(limit_s=120))
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
    turn_outward: Annotated[
        bool, Setting(help="Turn closed parts that are inside out, and open parts seen from outside on their back.")
    ] = True,
    snap: Annotated[
        float,
        Slider(0, 5, step=0.001, unit="% of size", help="Open borders nearer than this are joined."),
    ] = 0.001,
    non_manifold: Annotated[
        Literal["cut apart", "remove"],
        Setting(help="Where more than two faces meet: cut along the edge, or remove those faces and fill the gap."),
    ] = "cut apart",
    self_intersections: Annotated[
        Literal["mend", "leave"],
        Setting(help="Small folds are taken out and the gap filled. Whole bodies stay, see 'bodies'."),
    ] = "mend",
    bodies: Annotated[
        Literal["leave", "unite"],
        Setting(help="Closed bodies that run through each other: unite melts them into one, inner faces vanish."),
    ] = "leave",
    largest_parts: Annotated[
        int, Slider(0, 1000, unit="parts", help="Keep only so many, the largest; 0 keeps all.", advanced=True)
    ] = 0,
    method: Annotated[
        Literal["mend", "voxel wrap"],
        Setting(help="voxel wrap: for hopeless meshes, a new closed skin around what it encloses; UVs are lost."),
    ] = "mend",
    wrap_detail: Annotated[
        int, Slider(16, 400, unit="voxels", help="Along the longest side. Finer detail is lost.", advanced=True)
    ] = 128,
) -> Repaired:
    """A clean, closed mesh from a damaged one, changing as little as possible.

    Welds, closes open seams, removes broken, duplicate and stray faces, winds all faces alike, cuts non-manifold places
    apart, fills holes, takes out folds that cross, and looks at the result again. What was sound stays as it was, bit
    by bit, UVs and colours included. The report and the remarks say what was changed.
    """
    need_faces(mesh)
    run.progress(0.02, "welding")
    job = Job(run, weld / 100, snap / 100, smallest_part / 100, largest_parts, non_manifold == "remove")
    if fill_holes and method == "mend":
        job.largest_hole = largest_hole / 100
    job.outward, job.untangle = turn_outward, self_intersections == "mend" and method == "mend"
    untangle = job.untangle
    job.untangle = untangle and bodies == "leave"
    sheet = mend(mesh, job)
    if method == "voxel wrap":
        wrapped = rewrapped(run, mesh, sheet, wrap_detail, smallest_part / 100)
        job.done["faces of the new skin"] = len(wrapped.faces)
        return Repaired(wrapped, _report(run, wrapped, job, 0))
    run.progress(0.95, "checking")
    kept = int(as_before(mesh, sheet).sum())
    same = not job.changes and len(sheet.faces) == len(mesh.faces) == kept
    result = mesh if same else mended(mesh, sheet)
    if bodies == "unite":
        result = melted(job, result, untangle)
        kept = kept if result is mesh else alike(mesh, result)
    return Repaired(result, _report(run, result, job, kept))


def _report(run: Run, result: Mesh, job: Job, kept: int) -> Report:
    shape = measure(result)
    changed = [counted(count, what) for what, count in job.changes.items()]
    run.warn(f"Mended: {', '.join(changed)}." if changed else "Nothing to mend.")
    if job.pairs_left:
        run.warn(f"{counted(job.pairs_left, 'pairs of faces')} still run through one another. {ADVICE}")
    if job.pairs_left is None:
        run.warn("Too many faces lie on one spot to look for self-intersections.")
    if not shape.watertight:
        run.warn(f"The result is not watertight: {_why_open(job)}.")
    rows = (
        *job.done.items(),
        ("faces as they were", kept),
        ("triangles", len(result.faces)),
        ("parts", shape.parts),
        ("watertight", shape.watertight),
        ("manifold", shape.manifold),
        ("pairs of faces that cross", "not counted" if job.pairs_left is None else job.pairs_left),
    )
    verdict = "Watertight and manifold." if shape.watertight and shape.manifold else "Not closed everywhere."
    return Report(f"Repair of {result.name}", rows, verdict)


def _why_open(job: Job) -> str:
    """A longer rim than allowed, a sheet without an inside, both, or neither."""
    left, flat = (job.done.get(f"{what} left open", 0) for what in ("holes", "flat sheets"))
    reasons = []
    if left:
        reasons.append(f"{counted(left, 'holes')} with a rim longer than 'largest hole' {_stay(left)} open")
    if flat:
        reasons.append(f"{counted(flat, 'flat sheets')} {_stay(flat)} open, as a second side would enclose nothing")
    if job.largest_hole is None:
        reasons.append("holes were left open on purpose")
    return " and ".join(reasons) or "some borders could not be closed"


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"
