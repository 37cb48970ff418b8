"""UVs for baked light: a place of its own for every part of the surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh import _flatten as flatten
from nodes.mesh._checks import need_uv
from nodes.mesh._flatten import Plan
from nodes.mesh._uv_report import report_on
from nodes.mesh.unwrap import Density, TextureSize, Unwrapped, check_mesh, prepared, untextured


@node("mesh.light_map_uv", title="Light-map UV", group="UV", version=3)
def light_map_uv(
    run: Run,
    mesh: Mesh,
    texture_size: TextureSize = 512,
    padding: Annotated[int, Slider(1, 64, unit="px", help="Least gap between charts: light must not bleed over.")] = 4,
    charts: Annotated[
        Literal["auto", "keep", "new"],
        Setting(
            help="keep: the charts of the UVs that are there, each laid in a place of its own. new: fresh charts. "
            "auto: keep where there are UVs."
        ),
    ] = "auto",
    density: Density = 0.0,
) -> Unwrapped:
    """A second layout for light or occlusion: nothing overlaps, nothing is mirrored, one density everywhere.

    A mesh carries one set of UVs, so this gives out a second mesh with the same faces in the same order; its UVs are
    the light map's. Bake onto it, and keep the mesh that came in for its textures; Export GLB writes both sets when
    this is linked to its 'light map'.
    """  # fmt: skip
    run.progress(0.0, "checking")
    check_mesh(mesh)
    if charts == "keep":
        need_uv(mesh)
    plan = Plan(texture_size, padding, density)
    bare = mesh if mesh.material is None else replace(mesh, material=untextured(mesh.material))
    sound = mesh.uv is not None and bool(np.isfinite(mesh.uv).all())
    if charts == "auto" and mesh.uv is not None and not sound:
        run.warn("Some UVs are NaN or infinite: the charts were made anew.")
    keep = charts == "keep" or (charts == "auto" and sound)
    make = flatten.as_given if keep else flatten.by_normals
    laid = make(run, prepared(run, bare), mesh, plan)
    run.progress(0.97, "measuring")
    return Unwrapped(laid.mesh, report_on(laid, plan))
