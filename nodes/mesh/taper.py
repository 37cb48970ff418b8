"""Taper a mesh."""

from __future__ import annotations

from typing import Annotated, Literal

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._bisect import without_collapsed
from nodes.mesh._deform import Array, Axis, Begin, Finish, Moved, Pieces, Span, Still, Where, deformed, tapered

Across = Literal["both", "first", "second"]


@node("mesh.taper", title="Taper", group="Deform")
def taper(
    run: Run,
    mesh: Mesh,
    factor: Annotated[
        float, Slider(0, 10, step=0.01, help="How wide the far end becomes: 0 a tip, 0.5 half, 1 as it is.")
    ] = 0.5,
    bulge: Annotated[
        float, Slider(-1, 4, step=0.01, help="How much wider the middle becomes: 0.5 by a half; below 0 a waist.")
    ] = 0.0,
    axis: Annotated[Axis, Setting(help="The mesh becomes narrower along this direction.")] = "y",
    across: Annotated[
        Across, Setting(help="first: along X only (along Y for the axes X and Z). second: the other direction only.")
    ] = "both",
    start: Begin = 0.0,
    end: Finish = 1.0,
    still: Annotated[
        Still, Setting(help="The end that keeps its width. middle: one end grows as much as the other shrinks.")
    ] = "start",
    pieces: Pieces = 32,
) -> Mesh:
    """Make one end of a mesh narrower or wider, or its middle fuller or slimmer.

    Beyond the limits it keeps the width that it has there. Hard and smooth edges, UVs and colours stay.
    """
    which = {"both": "both", "first": "u", "second": "w"}[across]

    tips = []

    def change(at: Array, normals: Array | None, span: Span) -> Moved:
        moved = tapered(at, normals, span, factor, bulge, which)
        tips.append(bool((moved[0][:, [0, 2]] == 0).any()))
        return moved

    made = deformed(run, mesh, Where(axis, start, end, still, pieces), change)
    return without_collapsed(made) if any(tips) else made
