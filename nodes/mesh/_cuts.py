"""Where a surface may be cut: at borders, at sharp edges, between parts, where older UVs were cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import Edges, edges_of, face_vectors, weld_points

if TYPE_CHECKING:
    from nodes.mesh._surface import Surface

Array = NDArray[Any]
NEVER = 180.0
SAME = 1e-6
QUADS = 0.9  # share of triangles in pairs, from which a mesh counts as made of quads


@dataclass(frozen=True)
class Seams:
    """``angle``: edges sharper than this, degrees, are cut; 180 cuts none. ``parts``: between face groups.

    ``old``: where the UVs of the mesh are cut.
    """

    angle: float = NEVER
    parts: bool = False
    old: bool = False


def surface_of(mesh: Mesh, seams: Seams = Seams()) -> Surface:
    """The surface over welded positions, cut at the seams. Faces of crossed winding are never neighbours."""
    from nodes.mesh._surface import Surface

    faces = weld_points(mesh.vertices).ids[mesh.faces]
    edges = edges_of(faces)
    crossed = face_vectors(mesh.vertices, mesh.faces)
    length = np.linalg.norm(crossed, axis=1)
    least = max(float(length.sum()) * 1e-12, 1e-30)
    facing = crossed / np.maximum(length, 1e-300)[:, None]
    at = mesh.vertices.astype(np.float64)[mesh.faces]
    facing = _borrowed(facing, length, least, edges.neighbours)
    across = edges.neighbours.ravel().copy()
    across[_cuts(mesh, edges, facing, seams)] = -1
    side = np.linalg.norm(np.roll(at, -1, axis=1) - at, axis=2)
    walk = across.reshape(-1, 3)
    return Surface(at, faces, edges, walk, facing, np.maximum(length / 2, least), side, _quads(mesh, faces, walk))


def _quads(mesh: Mesh, faces: Array, across: Array) -> Array | None:
    """(M,) the other triangle of a quad that no seam cuts, or itself; None: the mesh was not made of quads."""
    from nodes.io._quad_rows import mates

    points = np.empty((int(faces.max(initial=-1)) + 1, 3), np.float32)
    points[faces] = mesh.vertices[mesh.faces]
    mate, own = mates(points, faces), np.arange(len(faces), dtype=np.int32)
    mate = np.where((across == mate[:, None]).any(axis=1), mate, own)
    return mate if len(own) and (mate != own).mean() >= QUADS else None


def _borrowed(facing: Array, length: Array, least: float, across: Array) -> Array:
    """Directions in which a face without area looks as the largest face beside it, or up."""
    thin = length <= least
    for _ in range(4 if thin.any() else 0):
        beside = across[thin]
        size = np.where(beside >= 0, length[beside], -1.0)
        near = np.take_along_axis(beside, size.argmax(axis=1)[:, None], axis=1)[:, 0]
        facing[thin] = facing[near]
    lost = np.linalg.norm(facing, axis=1) < 0.5
    facing[lost] = (0.0, 1.0, 0.0)
    return facing


def _cuts(mesh: Mesh, edges: Edges, facing: Array, seams: Seams) -> Array:
    """(3M,) bool: sides that are not to be walked over."""
    a, b = edges.pairs.T
    way = edges.forward.ravel()
    cut = way[a] == way[b]
    if seams.angle < NEVER:
        cut |= np.einsum("ij,ij->i", facing[a // 3], facing[b // 3]) < np.cos(np.radians(seams.angle))
    if seams.parts and mesh.face_groups is not None:
        cut |= mesh.face_groups[a // 3] != mesh.face_groups[b // 3]
    if seams.old and mesh.uv is not None:
        cut |= torn(mesh.uv[mesh.faces], a, b)
    out = np.zeros(edges.sides.size, bool)
    out[a[cut]] = out[b[cut]] = True
    return out


def torn(corners: Array, a: Array, b: Array) -> Array:
    """(P,) whether sides a and b, which run along one edge in opposite ways, have different UVs at one of its ends."""
    flat = corners.reshape(-1, 2)
    ahead = [s - s % 3 + (s + 1) % 3 for s in (a, b)]
    apart = np.abs(flat[a] - flat[ahead[1]]).max(axis=1), np.abs(flat[b] - flat[ahead[0]]).max(axis=1)
    return np.asarray(np.maximum(*apart) > SAME)
