"""Meshes put into one, under one material."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.engine import Mesh
from nodes.mesh._copies import Array
from nodes.mesh._shading import smooth_normals

WIDTHS = {"normals": 3, "uv": 2, "colours": 4}


def under_one(meshes: Sequence[Mesh], warn: Callable[[str], None]) -> list[Mesh]:
    """The meshes with one material between them: textures on one sheet, plain colours as vertex colours."""
    from nodes.io._combine import combined
    from nodes.io._parts import Part

    if len({id(mesh.material) for mesh in meshes}) == 1:
        return list(meshes)
    parts, one = combined([Part(m.vertices, m.faces, m.normals, m.uv, m.colours, m.material) for m in meshes], warn)
    return [replace(m, uv=p.uv, colours=p.colours, material=one) for m, p in zip(meshes, parts, strict=True)]


def stacked(meshes: Sequence[Mesh]) -> Mesh:
    """Meshes of one material behind one another. Part numbers of later meshes follow those of earlier ones."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    groups, after = [], 0
    for mesh in meshes:
        own = np.zeros(len(mesh.faces), np.int32) if mesh.face_groups is None else mesh.face_groups
        groups.append(own - own.min(initial=0) + after)
        after += int(np.ptp(own)) + 1
    rows = {
        name: np.concatenate([_filled(mesh, name) for mesh in meshes])
        for name in WIDTHS
        if any(getattr(mesh, name) is not None for mesh in meshes)
    }
    return Mesh.of(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        face_groups=np.concatenate(groups).astype(np.int32),
        material=meshes[0].material,
        name=meshes[0].name,
        **rows,
    )


def _filled(mesh: Mesh, name: str) -> Array:
    value = getattr(mesh, name)
    if value is not None:
        return np.asarray(value)
    if name == "normals":
        return smooth_normals(mesh.vertices, mesh.faces)
    return np.full((len(mesh.vertices), WIDTHS[name]), 1.0 if name == "colours" else 0.0, np.float32)
