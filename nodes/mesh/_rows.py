"""Meshes from the rows of others: a part of one, or several behind one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._shading import smooth_normals

Array = NDArray[Any]
Rows = dict[str, Array]
WIDTHS = {"normals": 3, "uv": 2, "colours": 4}


def rows_of(mesh: Mesh) -> Rows:
    """The vertices and what else the mesh has for each of them, by name."""
    return {name: value for name in ("vertices", *WIDTHS) if (value := getattr(mesh, name)) is not None}


def filled(mesh: Mesh, name: str) -> Array:
    """(N, width) float32: an attribute, or where the mesh has none smooth normals, UVs of 0, white."""
    value = getattr(mesh, name)
    if value is not None:
        return np.asarray(value)
    if name == "normals":
        return smooth_normals(mesh.vertices, mesh.faces)
    return np.full((len(mesh.vertices), WIDTHS[name]), 1.0 if name == "colours" else 0.0, np.float32)


def blended(rows: Rows, low: Array, high: Array, share: Array) -> Rows:
    """New rows between rows ``low`` and ``high``, ``share`` of the way; positions in float64, normals of length one."""
    step = share[:, None]
    out = {name: value[low] + (value[high].astype(np.float64) - value[low]) * step for name, value in rows.items()}
    if "normals" in out:
        length = np.linalg.norm(out["normals"], axis=1, keepdims=True)
        out["normals"] = np.where(length > 1e-6, out["normals"] / np.maximum(length, 1e-6), rows["normals"][low])
    return out


def below(*tables: Rows) -> Rows:
    """Tables of the same columns below one another."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def built(mesh: Mesh, rows: Rows, faces: Array, groups: Array | None) -> Mesh:
    """The mesh with other rows and faces. Rows that no face uses go, the others keep their order."""
    used = np.zeros(len(rows["vertices"]), bool)
    used[faces] = True
    if not used.all():
        rank = np.cumsum(used, dtype=np.int32) - 1
        rows, faces = {name: value[used] for name, value in rows.items()}, rank[faces]
    changed: dict[str, Any] = {name: value.astype(np.float32) for name, value in rows.items()}
    numbers = None if groups is None else groups.astype(np.int32)
    return replace(mesh, faces=faces.reshape(-1, 3).astype(np.int32), face_groups=numbers, **changed)


def only(mesh: Mesh, keep: Array) -> Mesh:
    """The faces marked in ``keep``, (M,) bool, and the vertices that they use."""
    if keep.all():
        return mesh
    groups = None if mesh.face_groups is None else mesh.face_groups[keep]
    return built(mesh, rows_of(mesh), mesh.faces[keep], groups)


def group_starts(meshes: Sequence[Mesh]) -> tuple[int, ...]:
    """For each mesh what to add to its part numbers, so that no two meshes have one in common."""
    starts, after = [], 0
    for mesh in meshes:
        own = np.zeros(1, np.int32) if mesh.face_groups is None or not len(mesh.faces) else mesh.face_groups
        starts.append(after - min(0, int(own.min())))
        after = starts[-1] + int(own.max()) + 1
    return tuple(starts)
