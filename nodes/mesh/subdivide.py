"""More triangles: a smoother surface, or the same one in smaller pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from app.engine import BadInput, Mesh, Run, Setting, Slider, node
from nodes.mesh._catmull import Cage, subdivided
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._refine import Rules, Sheet, bisected, looped, mesh_of, quartered, sheet_of

Method = Literal["smooth", "smooth quads", "flat", "edge length"]


@node("mesh.subdivide", title="Subdivide", group="Reduce and remesh")
def subdivide(
    run: Run,
    mesh: Mesh,
    method: Annotated[
        Method,
        Setting(
            help="smooth: rounds the surface (Loop). smooth quads: pairs of triangles that were quads count as such "
            "(Catmull-Clark). flat: every triangle becomes four, and nothing moves. edge length: only where edges are "
            "too long, and nothing moves."
        ),
    ] = "smooth",
    levels: Annotated[int, Slider(1, 5, help="Each makes four triangles of one; not for edge length.")] = 1,
    longest_edge: Annotated[
        float, Slider(0.0001, 100, log=True, unit="m", help="No edge is longer afterwards; for edge length.")
    ] = 0.05,
    sharp_edges: Annotated[
        float, Slider(1, 180, unit="°", help="Edges sharper than this stay sharp. 180: all become round.")
    ] = 60.0,
    keep_corners: Annotated[
        bool, Setting(help="Corners of open borders and of sharp edges stay where they are; for smooth.")
    ] = True,
    smooth_uv: Annotated[
        bool,
        Setting(
            label="Smooth UVs",
            help="UVs move with the surface inside their charts, so that pictures are not distorted; for smooth.",
            advanced=True,
        ),
    ] = True,
    limit_surface: Annotated[
        bool, Setting(help="Vertices go where endless levels would take them; for smooth.", advanced=True)
    ] = True,
    most_faces: Annotated[
        int, Slider(1_000, 20_000_000, log=True, unit="triangles", help="It stops before it makes more than this.")
    ] = 2_000_000,
) -> Mesh:
    """More triangles. UVs, colours, parts, hard edges and materials are kept, and no seam opens.

    Smooth follows Loop (1987) with the creases of Hoppe and others (1994); smooth quads Catmull and Clark (1978). Flat
    and edge length keep the surface and its shading as they are, for steps that need vertices: Displace, Smooth,
    vertex colours.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    sheet = sheet_of(mesh)
    if not len(sheet.mesh.faces):
        raise BadInput("Every triangle of the mesh is a line or a point.", "Check the mesh that comes in.")
    if sheet.dropped:
        run.warn(f"{sheet.dropped:,} triangles with two corners in one place were left out.")
    if method == "edge length":
        return mesh_of(_short(run, sheet, longest_edge, most_faces), new_normals=False)
    cage = Cage.of(sheet) if method == "smooth quads" else None
    count = cage.faces_after if cage else lambda level: len(sheet.mesh.faces) * 4**level
    levels = _affordable(run, count, levels, most_faces)
    if not levels:
        return mesh

    def told(level: int) -> None:
        run.progress(0.1 + 0.7 * level / levels, "subdividing")

    rules = Rules(sharp_edges, keep_corners, smooth_uv, limit_surface)
    if cage:
        sheet = subdivided(cage, levels, rules, told)
    elif method == "smooth":
        sheet = looped(sheet, levels, rules, told)
    else:
        for level in range(levels):
            told(level)
            sheet = quartered(sheet)
    run.progress(0.85, "normals")
    return mesh_of(sheet, new_normals=method != "flat")


def _affordable(run: Run, count: Callable[[int], int], levels: int, most: int) -> int:
    fit = max((level for level in range(levels + 1) if count(level) <= most), default=0)
    if fit < levels:
        run.warn(
            f"{levels} levels would make {count(levels):,} triangles, more than {most:,}: "
            f"{fit} of {levels} levels were made."
        )
    return fit


def _short(run: Run, sheet: Sheet, longest: float, most: int) -> Sheet:
    run.progress(0.1, "cutting long edges")
    sheet, enough = bisected(sheet, lambda one: one.sides, longest, most, run.check)
    if not enough:
        run.warn(
            f"Edges of up to {float(sheet.sides.max()):.3g} m are left: more cuts would make more than "
            f"{most:,} triangles."
        )
    return sheet
