"""A mesh as a field of distances."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import BadInput, Field, Mesh, Run, Slider, node
from nodes.mesh._remeshing import sheet_of


@node("mesh.to_field", title="Mesh to field", group="Reduce and remesh")
def to_field(
    run: Run,
    mesh: Mesh,
    resolution: Annotated[int, Slider(8, 256, unit="samples", help="Along the longest side, with its margin.")] = 96,
    margin: Annotated[float, Slider(0, 100, unit="% of size", help="Room around the mesh.")] = 10.0,
) -> Field:
    """How far each place on a grid is from the surface, in metres: below 0 inside, above 0 outside.

    Field to mesh makes a surface of it again, at level 0 the same, at other levels a thicker or thinner one. What is
    inside is decided by winding numbers, so the mesh may have holes.
    """
    run.progress(0.0, "checking")
    sheet = sheet_of(mesh)
    from nodes.mesh._wrap import signed

    found = signed(
        sheet.points, sheet.faces, resolution, margin / 100 * sheet.size, lambda done: run.progress(done, "distances")
    )
    if found is None:
        raise BadInput(
            "The mesh encloses nothing: it is an open sheet, or thinner than a step of the grid.",
            "Raise 'resolution', or put a Repair or Wrap step before this one.",
        )
    values, low, high = found
    return Field(values[..., None], low.astype(np.float32), high.astype(np.float32))
