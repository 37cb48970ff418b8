"""The last level of detail: a few cards with pictures of the mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Image, Material, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound

if TYPE_CHECKING:
    from nodes.mesh._billboards import Sheet, View

Style = Literal["crossed cards", "turntable", "octahedral"]


class Impostor(NamedTuple):
    """``mesh``: the cards with their material. ``height``: 0.5 on the card, 1 half a cell's width in front of it."""

    mesh: Mesh
    colour: Image
    normal: Image
    height: Image
    report: Report


@node("mesh.impostor", title="Billboard LOD", group="Reduce and remesh")
def impostor(
    run: Run,
    mesh: Mesh,
    style: Annotated[
        Style,
        Setting(
            help="crossed cards: ready for any engine. turntable, octahedral: one card and a sheet of views, for a "
            "shader that turns the card to the camera and picks the nearest view."
        ),
    ] = "crossed cards",
    cards: Annotated[int, Slider(2, 6, help="Upright cards, at even angles; for crossed cards.")] = 2,
    backs: Annotated[bool, Setting(help="Each card has its own picture from behind; off: the front mirrored.")] = True,
    top: Annotated[bool, Setting(help="A level card that shows the mesh from above; for crossed cards.")] = False,
    frames: Annotated[
        int, Slider(4, 64, help="Views around the mesh for turntable; rounded to a square for octahedral.")
    ] = 16,
    elevation: Annotated[float, Slider(-89, 89, unit="°", help="How far the turntable's camera looks down.")] = 0,
    half_sphere: Annotated[bool, Setting(help="Octahedral views from the upper half only.")] = True,
    size: Annotated[int, Slider(32, 1024, log=True, unit="px", help="Of one view on the sheet.")] = 256,
    light: Annotated[
        Literal["none", "soft"], Setting(help="none: colours as they are, to be lit by the engine. soft: with lamps.")
    ] = "none",
) -> Impostor:
    """Cards with pictures of a mesh, for far away: colour with alpha, normal map and height on one sheet.

    Normal maps are in the axes of each card, so light falls as on the mesh. Views begin in front (+Z) and go to the
    right; the report tells how the sheet is laid out.
    """
    run.progress(0.0, "preparing the mesh")
    need_sound(mesh)
    need_size(mesh)
    views, columns, which = _layout(style, cards, backs, top, frames, elevation, half_sphere)
    from nodes.mesh._billboards import photograph, pictures, quads

    sheet = photograph(mesh, views, columns, size, light, lambda done: run.progress(0.05 + 0.9 * done, "pictures"))
    if not any(sheet.boxes[k, 1] > sheet.boxes[k, 0] for k in which):
        raise BadInput("Nothing of the mesh can be seen.", "Check the mesh that comes in: it has no area to look at.")
    colour, normal, height = pictures(sheet)
    material = Material(
        f"{mesh.name}_impostor", base_colour=colour, normal=normal, alpha_mode="mask", roughness_factor=1.0,
        double_sided=style == "crossed cards" and not backs,
    )  # fmt: skip
    shown = replace(quads(sheet, which), material=material, name=f"{mesh.name}_impostor")
    return Impostor(shown, colour, normal, height, _report(mesh, shown, sheet, style))


def _layout(
    style: Style, cards: int, backs: bool, top: bool, frames: int, elevation: float, upper: bool
) -> tuple[Sequence[View], int, Sequence[int]]:
    """(views, columns of the sheet, the views that have a card)."""
    from nodes.mesh._billboards import View, around, octahedral

    if style == "octahedral":
        side = max(2, round(float(np.sqrt(frames))))
        views = octahedral(side, upper)
        return views, side, [_frontmost(views)]
    if style == "turntable":
        return around(frames, elevation), int(np.ceil(np.sqrt(frames))), [0]
    fronts = [View(180 * k / cards, 0) for k in range(cards)]
    shown = [*fronts, *(View(v.azimuth + 180, 0) for v in fronts if backs)]
    shown += [View(0, 90)] * top + [View(0, -90)] * (top and backs)
    return shown, int(np.ceil(np.sqrt(len(shown)))), range(len(shown))


def _frontmost(views: Sequence[View]) -> int:
    ahead = [np.cos(np.radians(v.elevation)) * np.cos(np.radians(v.azimuth)) for v in views]
    return int(np.argmax(np.round(ahead, 6)))


def _report(mesh: Mesh, shown: Mesh, sheet: Sheet, style: Style) -> Report:
    rows: list[tuple[str, str | int | float | bool]] = [
        ("style", style),
        ("triangles", len(shown.faces)),
        ("views", len(sheet.views)),
        ("columns", sheet.columns),
        ("rows", sheet.rows),
        ("cell (px)", sheet.size),
        ("cell (m)", 2 * sheet.half),
    ]
    rows += [(f"middle {axis} (m)", float(v)) for axis, v in zip("xyz", sheet.middle, strict=True)]
    rows += [
        (f"view {k}", f"azimuth {v.azimuth:.2f}°, elevation {v.elevation:.2f}°") for k, v in enumerate(sheet.views)
    ]
    told = f"{len(shown.faces)} triangles stand for {len(mesh.faces):,}; {len(sheet.views)} views on the sheet."
    return Report(f"Impostor of {mesh.name}", tuple(rows), told)
