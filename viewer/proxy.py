"""A coarse stand-in for a heavy mesh while the camera moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.payloads import Float32, Int32, Mesh
from viewer.shown import finite_bounds


def coarse(mesh: Mesh, faces: int = 40_000) -> Mesh:
    """About ``faces`` triangles with the first vertex of each grid cell standing for all others in it
    (vertex clustering, Rossignac and Borrel 1993)."""
    cells = np.sqrt(faces / 6.0)
    small = _clustered(mesh, cells)
    if len(small.faces) > faces or len(small.faces) < faces / 2:
        small = _clustered(mesh, cells * np.sqrt(faces / max(len(small.faces), 1)))
    return small


def all_coarse(meshes: list[Mesh], faces: int = 40_000) -> list[Mesh]:
    """:func:`coarse` for each of several meshes, which share the triangles by what they have."""
    total = sum(len(mesh.faces) for mesh in meshes)
    shares = [max(64, faces * len(mesh.faces) // total) for mesh in meshes]
    pairs = zip(meshes, shares, strict=True)
    return [mesh if len(mesh.faces) <= share else coarse(mesh, share) for mesh, share in pairs]


def _clustered(mesh: Mesh, cells: float) -> Mesh:
    low, high = finite_bounds(mesh.vertices)
    size = max(float((high - low).max()), 1e-9) / cells
    places = np.nan_to_num((mesh.vertices - low) / np.float32(size), posinf=0, neginf=0).astype(np.int64)
    side = int(cells) + 2
    _, kept, home = np.unique((places[:, 0] * side + places[:, 1]) * side + places[:, 2], True, True)
    faces = home.reshape(-1)[mesh.faces]
    a, b, c = faces.T
    whole = (a != b) & (b != c) & (c != a)
    attributes: dict[str, Any] = {
        name: None if (values := getattr(mesh, name)) is None else values[kept] for name in ("normals", "uv", "colours")
    }
    groups = None if mesh.face_groups is None else mesh.face_groups[whole]
    vertices = mesh.vertices[kept]
    turned = _turned(vertices, faces[whole].astype(np.int32), attributes["normals"])
    return replace(mesh, vertices=vertices, faces=turned, face_groups=groups, **attributes)


def _turned(vertices: Float32, faces: Int32, normals: Float32 | None) -> Int32:
    """Clustering folds some slivers over: those that face against their normals are turned round."""
    if normals is None:
        return faces
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    against = (np.cross(b - a, c - a) * normals[faces].sum(axis=1)).sum(axis=1) < 0
    return np.where(against[:, None], faces[:, ::-1], faces)
