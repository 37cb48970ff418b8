"""Vertex normals, smooth or with hard edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import (
    FEW,
    Edges,
    Floats,
    Ints,
    by_bands,
    edges_of,
    face_vectors,
    fans,
    weld_points,
    weld_rows,
)

Array = NDArray[Any]


def _unit(vectors: Array) -> Array:
    """In place."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.maximum(length, 1e-20)
    vectors[length[:, 0] <= 1e-20] = 0.0, 1.0, 0.0
    return vectors


def corner_angles(vertices: Array, faces: Ints) -> Array:
    """(M, 3) float64: the angle of each corner in radians."""

    def angles(faces: Ints) -> Array:
        at = vertices[faces].astype(np.float64)
        side = np.roll(at, -1, axis=1) - at
        side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-30)
        cosine = -np.einsum("ijk,ijk->ij", side, np.roll(side, 1, axis=1))
        out: Array = np.arccos(np.clip(cosine, -1.0, 1.0))
        return out

    return by_bands(angles, faces)


def grouped_normals(vertices: Array, faces: Ints, groups: Ints, count: int) -> Array:
    """(count, 3) float64 unit normals: face normals summed over the corners of each group, weighted by corner angle.

    ``groups``: (M, 3), the group of each corner. Weighting after Thürmer and Wüthrich 1998. For few faces
    without compiled loops, which take time to start.
    """
    if len(faces) > FEW:
        from nodes.mesh._shading_loops import grouped

        return np.asarray(grouped(vertices, faces, groups, count))
    direction = face_vectors(vertices, faces)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-30)
    weighted = direction[:, None, :] * corner_angles(vertices, faces)[:, :, None]
    flat, spread = groups.ravel(), weighted.reshape(-1, 3)
    summed = np.stack([np.bincount(flat, spread[:, k], minlength=count) for k in range(3)], axis=1)
    return _unit(summed)


def smooth_normals(vertices: Floats, faces: Ints) -> Floats:
    """(N, 3) float32 unit normals, equal at equal positions, so that UV seams do not show."""
    weld = weld_points(vertices)
    return grouped_normals(vertices, faces, weld.ids[faces], weld.count)[weld.ids].astype(np.float32)


def reshaped(mesh: Mesh, vertices: Array) -> Mesh:
    """New positions; vertices at one place that shared a normal share one again, so that hard edges stay hard."""
    if mesh.normals is None:
        return replace(mesh, vertices=vertices.astype(np.float32))
    alike = weld_rows(np.concatenate([mesh.vertices, mesh.normals], axis=1))
    normals = grouped_normals(vertices, mesh.faces, alike.ids[mesh.faces], alike.count)[alike.ids]
    return replace(mesh, vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))


def place_normals(mesh: Mesh, places: Ints, count: int) -> Array:
    """(count, 3) float64 unit: one normal for all vertices at a place, the mean of theirs, or else of the faces.

    ``places``: (N,) the place of each vertex.
    """
    shape = grouped_normals(mesh.vertices, mesh.faces, places[mesh.faces], count)
    if mesh.normals is None:
        return shape
    total = np.stack([np.bincount(places, mesh.normals[:, k], minlength=count) for k in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0.1, total / np.maximum(length, 1e-20), shape)


def creased(mesh: Mesh, angle: float) -> Mesh:
    """The mesh with new normals; edges sharper than ``angle`` degrees become hard, by splitting vertices there."""
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    edges = edges_of(faces)
    return _split(mesh, edges, faces, _soft(mesh, edges, angle))


def creased_along(mesh: Mesh, hard: NDArray[np.bool_]) -> Mesh:
    """The same with the edges that are marked, (M, 3) for the sides of each face."""
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    edges = edges_of(faces)
    return _split(mesh, edges, faces, edges.pairs[~hard.ravel()[edges.pairs].any(axis=1)])


def _split(mesh: Mesh, edges: Edges, faces: Ints, soft: Ints) -> Mesh:
    from nodes.mesh._tables import number_pairs

    count, fan = fans(edges, faces, soft)
    normals = grouped_normals(mesh.vertices, mesh.faces, fan, count)
    number, first = number_pairs(mesh.faces.ravel(), fan.ravel(), (len(mesh.vertices), count))
    source = mesh.faces.ravel()[first]
    return Mesh(
        vertices=mesh.vertices[source],
        faces=number.reshape(-1, 3),
        normals=normals[fan.ravel()[first]].astype(np.float32),
        uv=None if mesh.uv is None else mesh.uv[source],
        colours=None if mesh.colours is None else mesh.colours[source],
        material=mesh.material,
        face_groups=mesh.face_groups,
        name=mesh.name,
    )


def _soft(mesh: Mesh, edges: Edges, angle: float) -> Ints:
    direction = _unit(face_vectors(mesh.vertices, mesh.faces))
    cosine = by_bands(lambda p: np.einsum("ij,ij->i", direction[p[:, 0] // 3], direction[p[:, 1] // 3]), edges.pairs)
    soft: Ints = edges.pairs[cosine >= np.cos(np.radians(angle)) - 1e-6]
    return soft
