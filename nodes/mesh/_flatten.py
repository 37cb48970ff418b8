"""Flatten charts by projection, take overlaps apart, pack, and build the mesh with its seams."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.mesh._topology import Edges, edges_of, face_vectors, joined, parts, weld_points

Array = NDArray[Any]
CELLS = 1024


def with_uv(mesh: Mesh, source: Array, faces: Array, uv: Array) -> Mesh:
    """The mesh with vertices taken from ``source`` (K,) old numbers, new ``faces`` over them, and their ``uv``."""
    return Mesh.of(
        mesh.vertices[source],
        faces,
        normals=None if mesh.normals is None else mesh.normals[source],
        uv=np.ascontiguousarray(uv, np.float32),
        colours=None if mesh.colours is None else mesh.colours[source],
        material=mesh.material,
        face_groups=mesh.face_groups,
        name=mesh.name,
    )


def by_normals(run: Run, mesh: Mesh, size: int, padding: int) -> Mesh:
    """Charts of similar direction."""
    from nodes.mesh._segment import by_direction

    edges, facing, area = _shape(mesh)
    run.progress(0.2, "cutting into charts")
    at = mesh.vertices.astype(np.float64)[mesh.faces]
    side = np.linalg.norm(np.roll(at, -1, axis=1) - at, axis=2)
    label, rank = by_direction(edges.neighbours, facing, area, side)
    run.progress(0.5, "flattening")
    return _laid_out(mesh, edges, facing, area, label, rank, size, padding)


def by_box(mesh: Mesh, size: int, padding: int) -> Mesh:
    """Charts that look along the same one of the six axis directions."""
    edges, facing, area = _shape(mesh)
    towards = np.abs(facing).argmax(axis=1)
    towards = towards * 2 + (np.take_along_axis(facing, towards[:, None], axis=1)[:, 0] < 0)
    a, b = (edges.pairs // 3).T
    same = towards[a] == towards[b]
    _, label = joined(len(facing), np.stack([a[same], b[same]], axis=1))
    return _laid_out(mesh, edges, facing, area, label, np.arange(len(area)), size, padding)


def closer(mesh: Mesh, size: int, padding: int) -> Mesh:
    """The mesh with its charts packed anew, where that makes them larger."""
    from nodes.mesh._pack import pack

    assert mesh.uv is not None
    corners = mesh.uv[mesh.faces].astype(np.float64)
    _, label = parts(mesh.faces, edges_of(mesh.faces))
    cells = min(size, CELLS)
    again = pack(corners, label, cells, math.ceil(padding * cells / size))
    if _laid_area(again) <= _laid_area(corners):
        return mesh
    uv = mesh.uv.copy()
    uv[mesh.faces] = again
    return replace(mesh, uv=uv)


def _laid_area(corners: Array) -> float:
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return float(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum()) / 2


def _shape(mesh: Mesh) -> tuple[Edges, Array, Array]:
    """Edges over equal positions, (M, 3) unit face normals (up where a face has no area), and (M,) areas > 0."""
    crossed = face_vectors(mesh.vertices, mesh.faces)
    length = np.linalg.norm(crossed, axis=1)
    facing = np.where(length[:, None] > 1e-30, crossed / np.maximum(length, 1e-30)[:, None], (0.0, 1.0, 0.0))
    least = max(float(length.sum()) * 1e-12, 1e-30)
    return edges_of(weld_points(mesh.vertices).ids[mesh.faces]), facing, np.maximum(length / 2, least)


def _laid_out(
    mesh: Mesh, edges: Edges, facing: Array, area: Array, label: Array, rank: Array, size: int, padding: int
) -> Mesh:
    from nodes.mesh._pack import pack

    label, corners = _flat(mesh, edges, facing, area, label, rank, min(size, CELLS))
    cells = min(size, CELLS)
    uv = pack(corners, label, cells, math.ceil(padding * cells / size))
    key = mesh.faces.astype(np.int64) * (int(label.max()) + 1) + label[:, None]
    _, first, inverse = np.unique(key.ravel(), return_index=True, return_inverse=True)
    return with_uv(mesh, mesh.faces.ravel()[first], inverse.reshape(-1, 3), uv.reshape(-1, 2)[first])


def _flat(
    mesh: Mesh, edges: Edges, facing: Array, area: Array, label: Array, rank: Array, cells: int
) -> tuple[Array, Array]:
    """(labels, (M, 3, 2) corners): every chart projected along its mean direction; what overlaps becomes new charts."""
    from nodes.mesh._segment import overlapping

    corners = _projected(mesh, facing, area, label)
    for _ in range(8):
        scale = cells / math.sqrt(float(area.sum()))
        wrong = overlapping(corners * scale, label, rank) | _mirrored(corners)
        if not wrong.any():
            break
        label = _apart(edges, label, wrong)
        corners = _projected(mesh, facing, area, label)
    return label, corners


def _mirrored(corners: Array) -> Array:
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0)


def _apart(edges: Edges, label: Array, wrong: Array) -> Array:
    """Labels in which the ``wrong`` faces of a chart are charts of their own, one for each connected piece."""
    split = label * 2 + wrong
    a, b = (edges.pairs // 3).T
    same = (split[a] == split[b]) & wrong[a]
    _, piece = joined(len(label), np.stack([a[same], b[same]], axis=1))
    key = np.where(wrong, piece + 2 * len(label), label)
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int32)


def _projected(mesh: Mesh, facing: Array, area: Array, label: Array) -> Array:
    """(M, 3, 2) corners in metres: each chart seen along its mean direction, scaled so that it keeps its area."""
    count = int(label.max()) + 1
    axis: Array = np.stack([np.bincount(label, facing[:, k] * area, minlength=count) for k in range(3)], axis=1)
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    axis = np.where(length > 1e-300, axis / np.maximum(length, 1e-300), (0.0, 0.0, 1.0))  # without area: any direction
    helper = np.where(np.abs(axis[:, :1]) < 0.6, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    right = np.cross(helper, axis)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    up = np.cross(axis, right)
    at = mesh.vertices.astype(np.float64)[mesh.faces]
    flat = np.stack([np.einsum("ijk,ik->ij", at, basis[label]) for basis in (right, up)], axis=2)
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    drawn = np.bincount(label, np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2, minlength=count)
    kept = np.bincount(label, area, minlength=count)
    grow = np.sqrt(kept / np.maximum(drawn, kept * 0.1))
    return np.asarray(flat * grow[label][:, None, None])
