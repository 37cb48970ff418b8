"""Compute normals anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound
from nodes.mesh._shading import creased


@node("mesh.normals", title="Normals", group="Repair and smooth")
def normals(
    run: Run,
    mesh: Mesh,
    crease: Annotated[
        float, Slider(0, 180, unit="°", help="Edges sharper than this stay hard. 0: facets. 180: all smooth.")
    ] = 40.0,
    flip: Annotated[bool, Setting(help="Turn the surface inside out.")] = False,
) -> Mesh:
    """Soft or hard shading: new normals, hard along sharp edges and soft elsewhere.

    Vertices are duplicated along hard edges and along UV seams, and nowhere else.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    if flip:
        mesh = replace(mesh, faces=np.ascontiguousarray(mesh.faces[:, ::-1]))
    return creased(mesh, crease)
