"""Twist a mesh."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._deform import Array, Axis, Begin, Finish, Moved, Pieces, Span, Still, Where, deformed, twisted


@node("mesh.twist", title="Twist", group="Deform")
def twist(
    run: Run,
    mesh: Mesh,
    angle: Annotated[
        float, Slider(-3600, 3600, step=1, unit="°", help="From the start limit to the end limit, counter-clockwise.")
    ] = 90.0,
    axis: Annotated[Axis, Setting(help="The mesh is twisted about this direction, through its middle.")] = "y",
    start: Begin = 0.0,
    end: Finish = 1.0,
    still: Annotated[Still, Setting(help="The part that stays in place.")] = "start",
    pieces: Pieces = 32,
) -> Mesh:
    """Turn a mesh about an axis, more and more from the start limit to the end limit.

    The volume stays the same. Hard and smooth edges, UVs and colours stay.
    """

    def change(at: Array, normals: Array | None, span: Span) -> Moved:
        return twisted(at, normals, span, float(np.radians(angle)))

    return deformed(run, mesh, Where(axis, start, end, still, pieces), change)
