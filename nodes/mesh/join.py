"""Several meshes as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np

from app.engine import Mesh, Run, Setting, node
from nodes.mesh._checks import need_faces
from nodes.mesh._one_material import under_one
from nodes.mesh._rows import WIDTHS, Array, below, built, filled, group_starts


@node("mesh.join", title="Join", group="Solid", version=2)
def join(
    run: Run,
    a: Mesh,
    b: Mesh | None = None,
    c: Mesh | None = None,
    d: Mesh | None = None,
    e: Mesh | None = None,
    f: Mesh | None = None,
    parts: Annotated[
        Literal["keep", "one per mesh"],
        Setting(help="Part numbers (face groups). keep: all, those of later meshes behind those of earlier ones."),
    ] = "keep",
) -> Mesh:
    """Put several meshes into one, where they are and as they are. To melt closed ones together use Boolean.

    Several materials are put onto one texture sheet, plain colours become vertex colours.
    """
    run.progress(0.0, "materials")
    given = [mesh for mesh in (a, b, c, d, e, f) if mesh is not None]
    meshes = [mesh for mesh in given if len(mesh.faces)]
    if len(meshes) < len(given):
        run.warn(f"{len(given) - len(meshes)} of {len(given)} meshes have no faces and were left out.")
    if not meshes:
        need_faces(a, "meshes together")
    if len(meshes) == 1 and parts == "keep":
        return meshes[0]
    run.check()
    return stacked(under_one(meshes, run.warn), parts == "one per mesh")


def stacked(meshes: Sequence[Mesh], each: bool = False) -> Mesh:
    """Meshes of one material behind one another. ``each``: one part number per mesh, else all of theirs."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    names = [name for name in WIDTHS if any(getattr(mesh, name) is not None for mesh in meshes)]
    rows = below(*({"vertices": mesh.vertices, **{name: filled(mesh, name) for name in names}} for mesh in meshes))
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)])
    groups = range(len(meshes)) if each else group_starts(meshes)
    numbers = [_numbers(mesh, start, each) for mesh, start in zip(meshes, groups, strict=True)]
    return built(meshes[0], rows, faces, np.concatenate(numbers))


def _numbers(mesh: Mesh, start: int, each: bool) -> Array:
    if each or mesh.face_groups is None:
        return np.full(len(mesh.faces), start, np.int32)
    return np.asarray(mesh.face_groups + np.int32(start))
