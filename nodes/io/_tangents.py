"""Tangent vectors for normal maps, after MikkTSpace (Mikkelsen, Simulation of Wrinkled Surfaces Revisited, 2008)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import weld_rows

Array = NDArray[Any]


def with_tangents(mesh: Mesh) -> tuple[Mesh, NDArray[np.float32]]:
    """A mesh with UVs and normals, and its tangents (N, 4) float32: unit direction of +u, and the side of +v (1 or -1).

    Where mirrored and unmirrored faces share a vertex it is split, so the mesh may come back with a few vertices more;
    positions, face order and look stay. The bitangent is ``cross(normal, tangent.xyz) * w``, +Y up in the map.
    """
    assert mesh.uv is not None and mesh.normals is not None
    direction, area = _along_u(mesh)
    mesh, mirrored = _split_mirrored(mesh, area)
    assert mesh.uv is not None and mesh.normals is not None
    normal = mesh.normals.astype(np.float64)
    side = np.where(mirrored, np.float32(-1), np.float32(1))
    alike = weld_rows(np.column_stack([mesh.vertices, mesh.normals, mesh.uv, side]))
    groups = alike.ids[mesh.faces]
    summed = np.zeros((alike.count, 3))
    for corner in range(3):
        weighted = _unit(_onto_plane(direction, normal[mesh.faces[:, corner]]))
        weighted *= (_corner_angle(mesh, normal, corner) * (area != 0))[:, None]
        for axis in range(3):
            summed[:, axis] += np.bincount(groups[:, corner], weighted[:, axis], minlength=alike.count)
    return mesh, _finish(summed[alike.ids], normal, side)


def _along_u(mesh: Mesh) -> tuple[Array, Array]:
    """(M, 3) float64 unit direction in which u grows on each face, and (M,) twice its signed area in UV space."""
    assert mesh.uv is not None
    at = mesh.vertices.astype(np.float64)
    a, b, c = (mesh.faces[:, k] for k in range(3))
    one, two = mesh.uv[b].astype(np.float64) - mesh.uv[a], mesh.uv[c].astype(np.float64) - mesh.uv[a]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    along = two[:, 1:] * (at[b] - at[a]) - one[:, 1:] * (at[c] - at[a])
    return _unit(along) * np.sign(area)[:, None], area


def _split_mirrored(mesh: Mesh, area: Array) -> tuple[Mesh, NDArray[np.bool_]]:
    """Give mirrored faces vertices of their own. Returns the mesh and (N,) which vertices belong to mirrored faces.

    A face without area in UV space has no say and joins whatever its vertices already are.
    """
    count = len(mesh.vertices)
    used = {sign: np.zeros(count, bool) for sign in (1, -1)}
    for sign, marks in used.items():
        marks[mesh.faces[np.sign(area) == sign]] = True
    both = np.flatnonzero(used[1] & used[-1])
    mirrored = used[-1] & ~used[1]
    if not len(both):
        return mesh, mirrored
    twin = np.arange(count, dtype=np.int32)
    twin[both] = count + np.arange(len(both), dtype=np.int32)
    source = np.concatenate([np.arange(count), both])
    faces = np.where((area < 0)[:, None], twin[mesh.faces], mesh.faces).astype(np.int32)
    taken: dict[str, Any] = {name: getattr(mesh, name) for name in ("vertices", "normals", "uv", "colours")}
    taken = {name: None if array is None else array[source] for name, array in taken.items()}
    return replace(mesh, faces=faces, **taken), np.concatenate([mirrored, np.ones(len(both), bool)])


def _corner_angle(mesh: Mesh, normal: Array, corner: int) -> Array:
    """(M,) angle of a corner in radians, seen along the vertex normal."""
    here, after, before = (mesh.faces[:, (corner + k) % 3] for k in range(3))
    at = mesh.vertices.astype(np.float64)
    out = _unit(_onto_plane(at[after] - at[here], normal[here]))
    back = _unit(_onto_plane(at[before] - at[here], normal[here]))
    angle: Array = np.arccos(np.clip(np.einsum("ij,ij->i", out, back), -1, 1))
    return angle


def _finish(summed: Array, normal: Array, side: Array) -> NDArray[np.float32]:
    """Unit tangents square to the normals; any such direction where the UVs give none."""
    tangent = _unit(_onto_plane(summed, normal))
    lost = ~tangent.any(axis=1)
    axis = np.eye(3)[np.abs(normal[lost]).argmin(axis=1)] if lost.any() else np.zeros((0, 3))
    tangent[lost] = _unit(_onto_plane(axis, normal[lost]))
    return np.column_stack([tangent, side]).astype(np.float32)


def _onto_plane(vectors: Array, normal: Array) -> Array:
    return np.asarray(vectors - normal * np.einsum("ij,ij->i", vectors, normal)[:, None])


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-30, vectors / np.maximum(length, 1e-30), 0.0)
