"""Which triangles were one quad: pairs that together look most like a flat rectangle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import Ints, edges_of, face_vectors, weld_points

Array = NDArray[Any]
FLAT = 40.0
WIDEST = 165.0
NEIGHBOURS = 25.0


def quads_of(mesh: Mesh) -> tuple[Ints, Ints]:
    """((Q, 4) corners of quads, as vertices of the mesh, (Q, 2) the triangles of each).

    Only across an edge that two faces of one part share without a seam, folded by 40 degrees at most. Triangles that
    follow each other are preferred: that is how readers cut the polygons of a file.
    """
    faces = weld_points(mesh.vertices).ids[mesh.faces]
    edges = edges_of(faces)
    one, two = edges.pairs.T
    ahead = np.roll(mesh.faces, -1, axis=1).ravel()
    behind = np.roll(mesh.faces, 1, axis=1).ravel()
    flat = mesh.faces.ravel()
    good = (flat[one] == ahead[two]) & (ahead[one] == flat[two])
    if mesh.face_groups is not None:
        good &= mesh.face_groups[one // 3] == mesh.face_groups[two // 3]
    one, two = one[good], two[good]
    corners = np.stack([behind[one], flat[one], behind[two], ahead[one]], axis=1)
    cost = _cost(mesh, corners, one // 3, two // 3)
    able = np.flatnonzero(np.isfinite(cost))
    order = able[np.argsort(cost[able], kind="stable")]
    chosen = _matched(order, one // 3, two // 3, len(mesh.faces))
    return corners[chosen].astype(np.int32), (np.stack([one, two], axis=1)[chosen] // 3).astype(np.int32)


def _cost(mesh: Mesh, corners: Array, a: Array, b: Array) -> Array:
    """(P,) degrees: how far the corners are from right angles, and the fold; infinite for what is no quad."""
    at = mesh.vertices[corners].astype(np.float64)
    side = np.roll(at, -1, axis=1) - at
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-30)
    angle = np.degrees(np.arccos(np.clip(-np.einsum("pij,pij->pi", side, np.roll(side, 1, axis=1)), -1, 1)))
    normal = face_vectors(mesh.vertices, mesh.faces)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    fold = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", normal[a], normal[b]), -1, 1)))
    turned = np.cross(np.roll(side, 1, axis=1), side)
    convex = (np.einsum("pij,pj->pi", turned, normal[a] + normal[b]) > 0).all(axis=1)
    able = convex & (fold <= FLAT) & (angle.max(axis=1) <= WIDEST)
    cost = np.abs(angle - 90).mean(axis=1) + fold / 2 - np.where(np.abs(a - b) == 1, NEIGHBOURS, 0.0)
    return np.where(able, np.round(cost, 3), np.inf)


def _matched(order: Array, a: Array, b: Array, count: int) -> Array:
    """Of the pairs in this order those whose faces are both free still."""
    free, chosen = [True] * count, []
    for pair, one, two in zip(order.tolist(), a[order].tolist(), b[order].tolist(), strict=True):
        if free[one] and free[two]:
            free[one] = free[two] = False
            chosen.append(pair)
    return np.array(chosen, np.int64)
