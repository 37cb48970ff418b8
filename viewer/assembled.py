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
    copies: dict[int, list[tuple[int, Any]]] = {}
    for number, index, matrix in placed(scene):
        copies.setdefault(index, []).append((number, matrix))
    groups: dict[tuple[Any, ...], list[Mesh]] = {}
    for index, rows in copies.items():
        mesh = scene.meshes[index]
        if len(mesh.faces):
            key = (id(mesh.material), mesh.uv is None, mesh.colours is None, mesh.normals is None)
            groups.setdefault(key, []).append(_repeated(mesh, rows))
    if not groups:
        return Page(title=scene.name, text="There are no meshes in this scene.")
    whole = _stacked([mesh for row in groups.values() for mesh in row])
    return Solid(whole, pieces=_cut([_stacked(row) for row in groups.values()], whole), objects=len(scene.names))


def _repeated(mesh: Mesh, rows: list[tuple[int, Any]]) -> Mesh:
    """A mesh at each of the places, as one; the parts are the numbers of the objects."""
    numbers, many = np.array([number for number, _ in rows], np.int32), len(rows)
    parts = np.repeat(numbers, len(mesh.faces))
    if many == 1:
        return replace(moved(mesh, rows[0][1]), face_groups=parts)
    matrices = np.array([matrix for _, matrix in rows], np.float32)
    linear, count = matrices[:, :3, :3], len(mesh.vertices)
    vertices = mesh.vertices @ linear.transpose(0, 2, 1) + matrices[:, None, :3, 3]
    faces = np.broadcast_to(mesh.faces, (many, *mesh.faces.shape)).copy()
    volume = np.linalg.det(linear)
    faces[volume < 0] = faces[volume < 0][:, :, ::-1]
    faces += (np.arange(many, dtype=np.int32) * count)[:, None, None]
    normals = mesh.normals
    if normals is not None:
        normals = normals @ np.linalg.pinv(linear)
        normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), np.float32(1e-30))
        normals = normals.reshape(-1, 3).astype(np.float32)
    uv, colours = (None if a is None else np.tile(a, (many, 1)) for a in (mesh.uv, mesh.colours))
    return Mesh(vertices.reshape(-1, 3), faces.reshape(-1, 3), normals, uv, colours, mesh.material, parts)


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
