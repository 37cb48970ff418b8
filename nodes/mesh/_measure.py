"""Facts about a mesh, as numbers. Topology is that of the welded positions: UV seams and hard edges do not count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._stretch import Stretch, stretch
from nodes.mesh._topology import (
    FEW,
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
ROUNDING = 4e-7


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


@dataclass(frozen=True)
class Skin:
    """A mesh with equal positions welded. ``points``: (K, 3) float32. ``real``: (M,) bool, faces over three different
    positions. ``faces``: (R, 3), those, by welded position. ``edges``: theirs."""

    points: Array
    real: Array
    faces: Ints
    edges: Edges

    @cached_property
    def groups(self) -> tuple[int, Ints]:
        """(number of parts, (R,) part of each face)."""
        return parts(self.faces, self.edges) if len(self.faces) else (0, np.zeros(0, np.int32))

    @cached_property
    def fan_count(self) -> Array:
        """(K,) around each position, how many fans of faces."""
        count, fan = fans(self.edges, self.faces) if len(self.faces) else (0, self.faces)
        vertex = np.zeros(count, np.int32)
        vertex[fan.ravel()] = self.faces.ravel()
        return np.bincount(vertex, minlength=len(self.points))

    @cached_property
    def repeats(self) -> Array:
        """(R,) bool: faces over the same three positions as an earlier one."""
        repeated = np.ones(len(self.faces), bool)
        repeated[weld_bits(np.sort(self.faces, axis=1)).first] = False
        return repeated

    def marked(self, which: Array) -> Array:
        """(M,) bool of all faces, from (R,) of the real ones."""
        marked = np.zeros(len(self.real), bool)
        marked[self.real] = which
        return marked


def skin_of(mesh: Mesh) -> Skin:
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    real = ~collapsed(faces)
    kept = faces[real]
    return Skin(mesh.vertices[weld.first], real, kept, edges_of(kept))


def flat_faces(mesh: Mesh) -> Array:
    """(M,) bool: faces without area, or not higher than rounding lets positions be off their line."""
    return flat(mesh.vertices, mesh.faces)


def flat(vertices: Array, faces: Ints) -> Array:
    """The same for (N, 3) positions."""
    size = np.linalg.norm(face_vectors(vertices, faces), axis=1)
    longest, reach = _longest(vertices, faces)
    least = longest * np.maximum(1e-6 * longest, ROUNDING * reach)
    return np.asarray(size <= np.maximum(least, size.max(initial=0.0) * 1e-10))


def _longest(vertices: Array, faces: Ints) -> tuple[Array, float]:
    """((M,) length of the longest side of each face, the largest coordinate in use)."""
    if len(faces) > FEW:
        from nodes.mesh._vectors import longest

        out = np.empty(len(faces))
        return out, float(longest(vertices, faces, out))
    at = vertices[faces].astype(np.float64)
    sides = np.sqrt(((at - np.roll(at, 1, axis=1)) ** 2).sum(axis=2).max(axis=1, initial=0.0))
    return sides, float(np.abs(at).max(initial=0.0))


def measure(mesh: Mesh, skin: Skin | None = None) -> Shape:
    """All facts about a mesh with faces and finite positions. ``skin``: of this mesh, where it is at hand."""
    skin = skin or skin_of(mesh)
    edges, faces = skin.edges, skin.faces
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    welded = weld_points(mesh.vertices[used]).count
    count, _ = skin.groups
    odd_vertices = int((skin.fan_count > 1).sum())
    crossed = _crossed(edges)
    euler = welded - len(edges.ends) + len(faces)
    sound = len(edges.ends) > 0 and bool((edges.uses == 2).all()) and not odd_vertices and not crossed
    return Shape(
        welded=welded,
        loose=int((~used).sum()),
        edges=len(edges.ends),
        parts=count,
        boundary_edges=int(edges.boundary.sum()),
        boundary_loops=_loops(edges),
        non_manifold_edges=int(edges.crowded.sum()),
        non_manifold_vertices=odd_vertices,
        crossed=crossed,
        degenerate=int((~skin.real | flat_faces(mesh)).sum()),
        duplicate=int(skin.repeats.sum()),
        euler=euler,
        genus=(2 * count - euler) // 2 if sound else None,
        area=float(np.linalg.norm(face_vectors(mesh.vertices, mesh.faces), axis=1).sum()) / 2,
        volume=float(signed_volume(_centred(mesh), mesh.faces).sum()),
    )


def _centred(mesh: Mesh) -> Array:
    """Positions around their middle: far from the origin the volume would drown in rounding."""
    low, high = mesh.bounds
    return np.asarray(mesh.vertices.astype(np.float64) - (low.astype(np.float64) + high) / 2)


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

    ``charts``: connected pieces in UV space; ``mirrored_charts``: those that run clockwise there for the most part.
    ``mirrored``: faces that do. ``outside``: vertices outside the unit square. ``density``: texels per metre, or None
    without a texture; ``densities``: those that 5 % and 95 % of the surface do not reach. ``stretch``: of the faces.
    """

    coverage: float
    overlap: float
    charts: int
    mirrored_charts: int
    mirrored: int
    outside: int
    density: float | None
    densities: tuple[float, float] | None
    stretch: Stretch


def measure_uv(mesh: Mesh, area: float) -> Layout:
    """Facts about finite UVs. ``area``: of the surface, m²."""
    from nodes.mesh._raster import uv_use

    assert mesh.uv is not None
    turn = uv_turns(mesh)
    coverage, overlap = uv_use(mesh.uv, mesh.faces)
    charts, chart = charts_of(mesh)
    picture = mesh.material.base_colour if mesh.material else None
    texels = np.abs(turn) / 2 * (picture.size[0] * picture.size[1] if picture else 0)
    pulled = stretch(mesh.vertices, mesh.uv, mesh.faces)
    return Layout(
        coverage=coverage,
        overlap=overlap,
        charts=charts,
        mirrored_charts=int((np.bincount(chart, turn, minlength=charts) < 0).sum()),
        mirrored=int((turn < 0).sum()),
        outside=int(((mesh.uv < -1e-5) | (mesh.uv > 1 + 1e-5)).any(axis=1).sum()),
        density=float(np.sqrt(texels.sum() / area)) if picture and area > 0 else None,
        densities=_spread(texels, pulled.area) if picture and area > 0 else None,
        stretch=pulled,
    )


def uv_turns(mesh: Mesh) -> Array:
    """(M,) float64 twice the area of each face in UV space, negative where it runs clockwise."""
    assert mesh.uv is not None
    corners = mesh.uv[mesh.faces].astype(np.float64)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _spread(texels: Array, area: Array) -> tuple[float, float]:
    """Texels per metre of the face below which 5 % and 95 % of the surface lie."""
    density = np.sqrt(texels / np.maximum(area, 1e-300))
    order = np.argsort(density, kind="stable")
    upto = np.cumsum(area[order])
    low, high = np.searchsorted(upto, np.array([0.05, 0.95]) * upto[-1])
    return float(density[order[low]]), float(density[order[min(high, len(order) - 1)]])


def charts_of(mesh: Mesh) -> tuple[int, Ints]:
    """(number of charts, (M,) chart of each face): pieces that are connected in UV space."""
    assert mesh.uv is not None
    alike = weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1)).ids[mesh.faces]
    return parts(alike, edges_of(alike))
