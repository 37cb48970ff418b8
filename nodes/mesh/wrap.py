"""A closed skin around anything."""

from __future__ import annotations

from typing import Annotated

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_faces
from nodes.mesh._remeshing import Colours, dressed, sheet_of


@node("mesh.wrap", title="Wrap", group="Repair and smooth")
def wrap(
    run: Run,
    mesh: Mesh,
    gap: Annotated[
        float,
        Slider(1, 60, step=0.1, unit="% of size", help="Holes and slits narrower than this are closed."),
    ] = 5.0,
    offset: Annotated[
        float,
        Slider(
            0.5, 10, step=0.1, unit="% of size", help="How far outside the skin lies. Details half as large are kept."
        ),
    ] = 1.0,
    colours: Annotated[
        Colours, Setting(help="What the vertex colours of the skin are taken from, at the nearest place.")
    ] = "vertex colours",
) -> Mesh:
    """A closed skin around anything: scans with holes, triangle soups, bodies inside each other, loose sheets.

    A ball as wide as `gap` rolls over the mesh from outside; the skin lies where it cannot get to, `offset` away. It is
    always closed and two-sided, has no hollows and holds every point of the mesh. Corners become round by the offset.
    The size is the longest side of the box around the mesh. Decimate or Remesh it afterwards; UVs are lost.
    """
    need_faces(mesh)
    run.progress(0.0, "checking")
    sheet = sheet_of(mesh)
    away = min(offset, gap / 4)
    if away < offset:
        run.warn(f"The skin lies {away:g} % away: the offset can be a quarter of the gap at most.")
    from nodes.mesh._closing import closed_around
    from nodes.mesh._iso import normals

    radius, distance = gap / 200 * sheet.size, away / 100 * sheet.size
    points, faces = closed_around(
        sheet.points, sheet.faces, radius, distance, lambda done: run.progress(0.9 * done, "rolling the ball")
    )
    run.progress(0.9, "colours and parts")
    return dressed(run, mesh, Mesh(points, faces, normals(points, faces)), colours)
