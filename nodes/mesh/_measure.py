"""Facts about a mesh, as numbers. Topology is that of the welded positions: UV seams and hard edges do not count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import (
    Edges,
    Ints,
    collapsed,
    edges_of,
    face_vectors,
    fans,
    joined,
    parts,
    signed_volume,
    weld_bits,
    weld_points,
    weld_rows,
)

Array = NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """``welded``: different positions in use. ``loose``: vertices that no face uses. Areas in m², volume in m³.

    ``degenerate``: faces without area. ``duplicate``: faces over the same three positions as an earlier one.
    ``crossed``: edges whose two faces run along them the same way, so that one of them is inside out.
    ``genus``: handles, or None unless the mesh is closed, manifold and consistently wound.
    ``volume``: enclosed, negative when inside out; without meaning for an open mesh.
    """

    welded: int
    loose: int
    edges: int
    parts: int
    boundary_edges: int
    boundary_loops: int
    non_manifold_edges: int
    non_manifold_vertices: int
    crossed: int
    degenerate: int
    duplicate: int
    euler: int
    genus: int | None
    area: float
    volume: float

    @property
    def closed(self) -> bool:
        """Every edge has exactly two faces."""
        return self.edges > 0 and self.boundary_edges == 0 and self.non_manifold_edges == 0

    @property
    def manifold(self) -> bool:
        """No edge has more than two faces, and the faces around every vertex form one fan."""
        return self.non_manifold_edges == 0 and self.non_manifold_vertices == 0

    @property
    def watertight(self) -> bool:
        """Closed, and consistently wound: what a printer, a boolean or a physics engine asks for."""
        return self.closed and self.crossed == 0


def measure(mesh: Mesh) -> Shape:
    """All facts about a mesh with faces and finite positions."""
    ids = weld_points(mesh.vertices).ids
    used = np.unique(mesh.faces)
    faces, real, duplicate = _real_faces(ids[mesh.faces])
    edges = edges_of(faces)
    welded = len(np.unique(ids[used]))
    count, _ = parts(faces, edges) if len(faces) else (0, None)
    odd_vertices = _odd_vertices(edges, faces)
    crossed = _crossed(edges)
    euler = welded - len(edges.ends) + len(faces)
    sound = len(edges.ends) > 0 and bool((edges.uses == 2).all()) and not odd_vertices and not crossed
    size = np.linalg.norm(face_vectors(mesh.vertices, mesh.faces), axis=1) / 2
    least = float(size.max()) * 1e-10
    return Shape(
        welded=welded,
        loose=len(mesh.vertices) - len(used),
        edges=len(edges.ends),
        parts=count,
        boundary_edges=int(edges.boundary.sum()),
        boundary_loops=_loops(edges),
        non_manifold_edges=int(edges.crowded.sum()),
        non_manifold_vertices=odd_vertices,
        crossed=crossed,
        degenerate=int((~real | (size <= least)).sum()),
        duplicate=duplicate,
        euler=euler,
        genus=(2 * count - euler) // 2 if sound else None,
        area=float(size.sum()),
        volume=float(signed_volume(_centred(mesh), mesh.faces).sum()),
    )


def _centred(mesh: Mesh) -> Array:
    """Positions around their middle: far from the origin the volume would drown in rounding."""
    low, high = mesh.bounds
    return np.asarray(mesh.vertices.astype(np.float64) - (low.astype(np.float64) + high) / 2)


def _real_faces(faces: Ints) -> tuple[Ints, Array, int]:
    """(faces over three different positions, (M,) which those are, how many faces repeat an earlier one)."""
    real = ~collapsed(faces)
    kept = faces[real]
    return kept, real, len(kept) - weld_bits(np.sort(kept, axis=1)).count


def _odd_vertices(edges: Edges, faces: Ints) -> int:
    """Vertices whose faces form more than one fan."""
    if not len(faces):
        return 0
    count, fan = fans(edges, faces)
    vertex = np.zeros(count, np.int32)
    vertex[fan.ravel()] = faces.ravel()
    return int((np.bincount(vertex) > 1).sum())


def _crossed(edges: Edges) -> int:
    a, b = edges.pairs.T
    way = edges.forward.ravel()
    return int((way[a] == way[b]).sum())


def _loops(edges: Edges) -> int:
    """Connected groups of boundary edges."""
    ends = edges.ends[edges.boundary]
    if not len(ends):
        return 0
    vertices, compact = np.unique(ends, return_inverse=True)
    return joined(len(vertices), compact.reshape(-1, 2).astype(np.int32))[0]


@dataclass(frozen=True)
class Layout:
    """``coverage``: share of the unit square. ``overlap``: share of the covered ground that is covered twice or more.

    ``charts``: connected pieces in UV space. ``mirrored``: faces that run clockwise there. ``outside``: vertices
    outside the unit square. ``density``: texels per metre, or None without a texture.
    """

    coverage: float
    overlap: float
    charts: int
    mirrored: int
    outside: int
    density: float | None


def measure_uv(mesh: Mesh, area: float) -> Layout:
    """Facts about finite UVs. ``area``: of the surface, m²."""
    from nodes.mesh._raster import uv_use

    assert mesh.uv is not None
    corners = mesh.uv[mesh.faces].astype(np.float64)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    turn = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    coverage, overlap = uv_use(mesh.uv, mesh.faces)
    laid = float(np.abs(turn).sum()) / 2
    picture = mesh.material.base_colour if mesh.material else None
    texels = laid * picture.size[0] * picture.size[1] if picture else 0.0
    return Layout(
        coverage=coverage,
        overlap=overlap,
        charts=_charts(mesh),
        mirrored=int((turn < 0).sum()),
        outside=int(((mesh.uv < -1e-5) | (mesh.uv > 1 + 1e-5)).any(axis=1).sum()),
        density=float(np.sqrt(texels / area)) if picture and area > 0 else None,
    )


def _charts(mesh: Mesh) -> int:
    assert mesh.uv is not None
    alike = weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1)).ids[mesh.faces]
    return parts(alike, edges_of(alike))[0]
