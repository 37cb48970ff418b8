"""Facts about a mesh."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from app.engine import Mesh, Report, Run, node
from nodes.mesh._checks import need_sound
from nodes.mesh._measure import Layout, Shape, measure, measure_uv

Rows = list[tuple[str, str | int | float | bool]]


class Analysed(NamedTuple):
    """The findings, and the mesh as it came in."""

    report: Report
    mesh: Mesh


@node("mesh.analyse", title="Analyse")
def analyse(run: Run, mesh: Mesh) -> Analysed:
    """Is this mesh fit for a game, a print, a boolean? Counts, holes, size, UVs, all in one table.

    Vertices at the same place count as one, so UV seams and hard edges are not holes.
    """
    need_sound(mesh)
    run.progress(0.1, "shape")
    shape = measure(mesh)
    run.progress(0.7, "UVs")
    layout = measure_uv(mesh, shape.area) if mesh.uv is not None and np.isfinite(mesh.uv).all() else None
    rows = _shape_rows(mesh, shape) + _layout_rows(layout)
    return Analysed(Report(f"Analysis of {mesh.name}", tuple(rows), _verdict(shape, layout)), mesh)


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
        ("inside out", shape.watertight and shape.volume < 0),
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


def _layout_rows(layout: Layout | None) -> Rows:
    if layout is None:
        return [("UVs", False)]
    return [
        ("UVs", True),
        ("UV charts", layout.charts),
        ("UV coverage", layout.coverage),
        ("UV overlap", layout.overlap),
        ("mirrored UV faces", layout.mirrored),
        ("UVs outside the square", layout.outside),
        ("texels per metre", "no texture" if layout.density is None else layout.density),
    ]


def _verdict(shape: Shape, layout: Layout | None) -> str:
    findings = [
        (shape.non_manifold_edges + shape.non_manifold_vertices, "non-manifold places"),
        (shape.boundary_loops, "holes"),
        (shape.crossed, "edges with crossed winding"),
        (shape.degenerate + shape.duplicate, "degenerate or duplicate faces"),
    ]
    wrong = [f"{count:,} {what}" for count, what in findings if count]
    if shape.watertight and shape.volume < 0:
        wrong.append("inside out")
    if layout is not None and layout.overlap > 0.001:
        wrong.append(f"{layout.overlap:.1%} of the UVs overlap")
    return f"Found {', '.join(wrong)}." if wrong else "Watertight and manifold; nothing to mend."
