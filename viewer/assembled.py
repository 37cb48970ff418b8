"""A scene as a surface in pieces: what shares a material is drawn at once, however many objects it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.payloads import Mesh, Scene
from app.engine.placing import moved, placed
from viewer.shown import Page, Shown, Solid


def assembled(scene: Scene) -> Shown:
    """Every object where it stands. The parts of the surface are the objects."""
    groups: dict[tuple[Any, ...], list[Mesh]] = {}
    for number, index, matrix in placed(scene):
        mesh = scene.meshes[index]
        if len(mesh.faces):
            key = (id(mesh.material), mesh.uv is None, mesh.colours is None, mesh.normals is None)
            parts = np.full(len(mesh.faces), number, np.int32)
            groups.setdefault(key, []).append(replace(moved(mesh, matrix), face_groups=parts))
    if not groups:
        return Page(title=scene.name, text="There are no meshes in this scene.")
    whole = _stacked([mesh for row in groups.values() for mesh in row])
    return Solid(whole, pieces=_cut([_stacked(row) for row in groups.values()], whole), objects=len(scene.names))


def _stacked(meshes: list[Mesh]) -> Mesh:
    """One mesh of all; it has what every one of them has, and the material of the first."""
    if len(meshes) == 1:
        return meshes[0]
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.concatenate([mesh.faces + np.int32(at) for mesh, at in zip(meshes, starts, strict=False)])
    found: dict[str, Any] = {}
    for name in ("vertices", "normals", "uv", "colours", "face_groups"):
        rows = [getattr(mesh, name) for mesh in meshes]
        found[name] = None if any(row is None for row in rows) else np.concatenate(rows)
    return Mesh(faces=faces, material=meshes[0].material, **found)


def _cut(pieces: list[Mesh], whole: Mesh) -> tuple[Mesh, ...]:
    """The pieces over the arrays of the whole, so that positions are kept once."""
    out, start = [], 0
    for piece in pieces:
        end = start + len(piece.vertices)
        normals = piece.normals if whole.normals is None else whole.normals[start:end]
        out.append(replace(piece, vertices=whole.vertices[start:end], normals=normals))
        start = end
    return tuple(out)
