"""Facts about a mesh."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._budget import budget_rows
from nodes.mesh._checks import need_sound
from nodes.mesh._counts import counted
from nodes.mesh._findings import Findings, coloured, find
from nodes.mesh._mass import mass_of, smallest_box
from nodes.mesh._measure import Layout, Shape, measure, measure_uv, skin_of
from nodes.mesh._score import score
from nodes.mesh._topology import face_vectors

Show = Literal[
    "all problems",
    "nothing",
    "holes",
    "non-manifold",
    "self-intersections",
    "flipped",
    "degenerate or duplicate",
    "thin walls",
    "UV overlap",
    "mirrored UVs",
    "UV stretch",
    "sharp edges",
]
Rows = list[tuple[str, str | int | float | bool]]


class Analysed(NamedTuple):
    """The findings, the mesh as it came in, and the mesh with its bad faces in colour."""

    report: Report
    mesh: Mesh
    marked: Mesh


@node("mesh.analyse", title="Analyse", group="Inspect", version=2)
def analyse(
    run: Run,
    mesh: Mesh,
    show: Annotated[
        Show,
        Setting(help="What 'marked' shows in colour. Sharp edges are no problem, so only on their own."),
    ] = "all problems",
    thin_wall: Annotated[
        float, Slider(0.0, 100.0, step=0.1, unit="mm", help="Walls thinner than this count as thin.")
    ] = 1.0,
    sharp_angle: Annotated[
        float, Slider(1.0, 179.0, step=1.0, unit="°", help="An edge is sharp when the surface turns by more than this.")
    ] = 30.0,
    search_up_to: Annotated[
        int,
        Slider(
            1_000,
            20_000_000,
            log=True,
            unit="triangles",
            help="Larger meshes are not searched for faces that run through one another.",
            advanced=True,
        ),
    ] = 4_000_000,
) -> Analysed:
    """Is this mesh fit for a game, a print, a boolean? Counts, holes, walls, size, UVs, a score and its reasons.

    Vertices at the same place count as one, so UV seams and hard edges are not holes. Polygons with more than three
    corners were cut into triangles by the importer, which tells how many there were. The output 'marked' has the bad
    faces in colour: red holes, magenta non-manifold, orange self-intersections, blue flipped, purple degenerate, yellow
    thin walls, cyan UV overlap, green mirrored UVs, brown UV stretch, black sharp edges.
    """
    need_sound(mesh)
    run.progress(0.05, "shape")
    skin = skin_of(mesh)
    shape = measure(mesh, skin)
    run.progress(0.2, "UVs")
    layout = measure_uv(mesh, shape.area) if mesh.uv is not None and np.isfinite(mesh.uv).all() else None
    search = len(mesh.faces) <= search_up_to
    found = find(
        mesh, skin, layout, thin_wall / 1000, sharp_angle, search, lambda done: run.progress(0.3 + 0.5 * done, "faces")
    )
    run.progress(0.8, "boxes and mass")
    points, off = score(shape, found, layout, np.linalg.norm(face_vectors(mesh.vertices, mesh.faces), axis=1))
    rows: Rows = [("score (of 100)", points), *((f"taken off for {kind}", -cost) for kind, cost in off)]
    rows += _shape_rows(mesh, shape) + _found_rows(found, search) + _body_rows(mesh, shape)
    rows += _layout_rows(layout) + budget_rows(mesh.material)
    report = Report(f"Analysis of {mesh.name}", tuple(rows), _verdict(shape, layout, found))
    run.progress(0.95, "colours")
    return Analysed(report, mesh, coloured(mesh, found.marks, show))


def _shape_rows(mesh: Mesh, shape: Shape) -> Rows:
    low, high = mesh.bounds
    width, height, depth = (float(v) for v in high - low)
    return [
        ("triangles", len(mesh.faces)),
        ("vertices", len(mesh.vertices)),
        ("positions", shape.welded),
        ("edges", shape.edges),
        ("parts", shape.parts),
        ("watertight", shape.watertight),
        ("closed", shape.closed),
        ("manifold", shape.manifold),
        ("boundary edges", shape.boundary_edges),
        ("holes", shape.boundary_loops),
        ("non-manifold edges", shape.non_manifold_edges),
        ("non-manifold vertices", shape.non_manifold_vertices),
        ("edges with crossed winding", shape.crossed),
        ("inside out", _inside_out(shape)),
        ("degenerate faces", shape.degenerate),
        ("duplicate faces", shape.duplicate),
        ("unused vertices", shape.loose),
        ("Euler characteristic", shape.euler),
        ("genus", "not defined" if shape.genus is None else shape.genus),
        ("width (m)", width),
        ("height (m)", height),
        ("depth (m)", depth),
        ("area (m²)", shape.area),
        ("volume (m³)", shape.volume if shape.watertight else "not closed"),
        ("normals", mesh.normals is not None),
        ("vertex colours", mesh.colours is not None),
    ]


def _found_rows(found: Findings, search: bool) -> Rows:
    given_up = "given up: too many faces on one spot" if search else "not searched: more triangles than 'search up to'"
    whole = found.crossings is not None
    return [
        ("self-intersections (pairs of faces)", given_up if found.crossings is None else found.crossings),
        ("self-intersecting faces", int(found.marks["self-intersections"].sum()) if whole else given_up),
        ("flipped faces", found.flipped),
        ("flipped parts", found.flipped_parts),
        ("sharp edges", found.sharp),
        ("thin walls (share of area)", found.thin),
        ("thinnest wall (mm)", found.thinnest * 1000 if np.isfinite(found.thinnest) else "nothing behind any face"),
    ]


def _body_rows(mesh: Mesh, shape: Shape) -> Rows:
    """``inertia``: of density 1 kg/m³ about the centre of mass, so in kg m² per kg/m³, which is m⁵."""
    length, axes = smallest_box(mesh.vertices[np.unique(mesh.faces)])
    rows: Rows = [
        (f"smallest box, {name} (m)", float(v)) for name, v in zip(("long", "middle", "short"), length, strict=True)
    ]
    rows.append(("smallest box, long axis", " ".join(f"{v:.4f}" for v in axes[0])))
    if not shape.watertight:
        return [*rows, ("centre of mass", "not closed"), ("inertia", "not closed")]
    mass = mass_of(mesh.vertices, mesh.faces)
    rows += [(f"centre of mass {axis} (m)", float(v)) for axis, v in zip("xyz", mass.centre, strict=True)]
    pairs = (("xx", 0, 0), ("yy", 1, 1), ("zz", 2, 2), ("xy", 0, 1), ("yz", 1, 2), ("zx", 2, 0))
    return [*rows, *((f"inertia {name} (m⁵)", float(mass.inertia[i, j])) for name, i, j in pairs)]


def _layout_rows(layout: Layout | None) -> Rows:
    if layout is None:
        return [("UVs", False)]
    low, high = layout.densities or ("no texture", "no texture")
    pulled = layout.stretch
    return [
        ("UVs", True),
        ("UV charts", layout.charts),
        ("mirrored UV charts", layout.mirrored_charts),
        ("UV coverage", layout.coverage),
        ("UV overlap", layout.overlap),
        ("mirrored UV faces", layout.mirrored),
        ("UVs outside the square", layout.outside),
        ("faces without UV area", pulled.lost),
        ("UV stretch L2 (1 is ideal)", _finite(pulled.l2)),
        ("UV stretch, largest", _finite(pulled.linf)),
        ("UV angle distortion (1 is ideal)", _finite(pulled.conformal)),
        ("texels per metre", "no texture" if layout.density is None else layout.density),
        ("texels per metre, lowest 5 %", low),
        ("texels per metre, highest 5 %", high),
    ]


def _finite(value: float) -> float | str:
    return value if np.isfinite(value) else "no face has area in UV space"


def _verdict(shape: Shape, layout: Layout | None, found: Findings) -> str:
    findings = [
        (shape.non_manifold_edges + shape.non_manifold_vertices, "non-manifold places"),
        (shape.boundary_loops, "holes"),
        (found.crossings or 0, "pairs of faces that run through one another"),
        (shape.crossed, "edges with crossed winding"),
        (0 if _inside_out(shape) else found.flipped_parts, "parts inside out"),
        (shape.degenerate + shape.duplicate, "degenerate or duplicate faces"),
    ]
    wrong = [counted(count, what) for count, what in findings if count]
    if _inside_out(shape):
        wrong.append("inside out")
    if layout is not None and layout.overlap > 0.001:
        wrong.append(f"{layout.overlap:.1%} of the UVs overlap")
    return f"Found {', '.join(wrong)}." if wrong else "Watertight and manifold; nothing to mend."


def _inside_out(shape: Shape) -> bool:
    return shape.watertight and shape.volume < 0
