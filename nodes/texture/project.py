"""Put pictures back onto the mesh that they show."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Image, Mask, Material, Mesh, Pictures, Run, Setting, Slider, Views, node


class Projected(NamedTuple):
    """``painted``: over the texture, 0..1, how much of each texel comes from the pictures."""

    mesh: Mesh
    painted: Mask


@node("texture.project", title="Project pictures", group="Bake and project")
def project(
    run: Run,
    mesh: Mesh,
    views: Views,
    picture: Image | None = None,
    pictures: Pictures | None = None,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square texture.")] = 1024,
    steepest: Annotated[
        float, Slider(20, 89, unit="°", help="Surfaces more slanted to the camera than this are not painted.")
    ] = 75.0,
    sharpness: Annotated[
        float, Slider(0, 16, help="Where views overlap: 0 mixes them evenly, high lets the straightest one win.")
    ] = 4.0,
    border: Annotated[
        float, Slider(0, 64, unit="px", help="Along outlines in the picture, paint fades out over this width.")
    ] = 2.0,
    unseen: Annotated[
        Literal["keep", "spread"],
        Setting(help="Where no picture reaches: the old colours stay, or painted ones spread over the surface."),
    ] = "keep",
) -> Projected:
    """Paint a mesh with pictures of it, such as repainted views of Control from mesh.

    Each texel takes its colour from the cameras that see it; what is hidden, seen too slanted or transparent in the
    picture is left out. Link one new *picture* for one view, *pictures* for several, or none to use the views' own.
    """
    from nodes.texture._painting import Sheet
    from nodes.texture._texels import bands, ready
    from nodes.texture._view import pictures_for

    run.progress(0.0, "checking")
    given = pictures_for(views, picture, pictures.images if pictures else ())
    mesh = ready(run, mesh)
    sheet = Sheet(mesh, size, float(np.cos(np.radians(steepest))), sharpness)
    sheet.prepare(run, views, given, border)
    for done, texels in bands(mesh, size):
        run.progress(0.3 + 0.4 * done, "painting")
        sheet.paint(texels)
    if not (sheet.share > 0).any():
        raise BadInput(
            "The cameras see nothing of this mesh.",
            "Use the mesh that the views were made from, where it stood then, and pictures that are not transparent.",
        )
    if unseen == "spread":
        run.progress(0.75, "filling what no picture shows")
        sheet.spread_out()
    run.progress(0.95, "margins")
    return Projected(_dressed(mesh, sheet.picture()), Mask(sheet.share))


def _dressed(mesh: Mesh, picture: Image) -> Mesh:
    """What was baked into the picture, factor and vertex colours, is neutral now; other maps stay."""
    was = mesh.material or Material(name="projected")
    return replace(mesh, material=replace(was, base_colour=picture, base_factor=(1.0, 1.0, 1.0, 1.0)), colours=None)
