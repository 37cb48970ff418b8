"""Bend a mesh."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._deform import Array, Axis, Begin, Finish, Moved, Pieces, Span, Still, Where, bent, deformed


@node("mesh.bend", title="Bend", group="Deform")
def bend(
    run: Run,
    mesh: Mesh,
    angle: Annotated[float, Slider(-720, 720, step=1, unit="°", help="From the start limit to the end limit.")] = 90.0,
    axis: Annotated[Axis, Setting(help="The direction that becomes an arc.")] = "y",
    towards: Annotated[
        float,
        Slider(-180, 180, step=1, unit="°", help="Which way it leans. Along Y: 0 to the right (+X), -90 to the front."),
    ] = 0.0,
    start: Begin = 0.0,
    end: Finish = 1.0,
    still: Annotated[Still, Setting(help="The part that stays in place.")] = "start",
    pieces: Pieces = 32,
) -> Mesh:
    """Bend a mesh into an arc along an axis. Beyond the limits it goes on straight.

    The line through the middle of the bounding box keeps its length. Hard and smooth edges, UVs and colours stay.
    """

    def change(at: Array, normals: Array | None, span: Span) -> Moved:
        curve = np.radians(angle) / span.length
        if (curve * at[:, 0] * span.inside(at[:, 1]) > 1).any():
            run.warn(
                "The bend is tighter than the mesh is thick: its inner side folds over. Bend less or a longer part."
            )
        return bent(at, normals, span, float(np.radians(angle)))

    return deformed(run, mesh, Where(axis, start, end, still, pieces, towards), change)
