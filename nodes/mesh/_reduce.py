"""Fewer triangles with everything a mesh carries: UVs, colours, groups, hard edges, material."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Material, Mesh, Run
from nodes.mesh._checks import need_sound, need_uv
from nodes.mesh._shading import grouped_normals
from nodes.mesh._topology import Ints, Weld, collapsed, edges_of, fans, weld_rows

if TYPE_CHECKING:
    from nodes.mesh._collapse import Collapsed
    from nodes.mesh._net import Surface

Array = NDArray[Any]
UV_WEIGHT, COLOUR_WEIGHT = 0.25, 0.05
Told = Callable[[float], None]


@dataclass(frozen=True)
class Keep:
    """What has to be kept, and how firmly: 1 is the usual weight, 0 lets go. ``free``: vertices may move; None: only
    where there are no UVs to be kept exactly."""

    uv: bool = True
    free: bool | None = None
    border: float = 1.0
    seam: float = 1.0
    hard: float = 1.0
    group: float = 1.0
    texture: float = 1.0
    colour: float = 1.0
    hard_degrees: float = 30.0


@dataclass(frozen=True)
class _Columns:
    """Attributes side by side, (W, m) float64, as quadrics see them. ``scale``: (m,) what each was multiplied by."""

    values: Array
    scale: Array
    uv: int
    colour: int


@dataclass
class _Source:
    """A mesh taken apart: positions, wedges, faces over positions."""

    mesh: Mesh
    keep: Keep
    place: Weld = field(init=False)
    wedge: Weld = field(init=False)
    faces: Ints = field(init=False)
    columns: _Columns = field(init=False)

    def __post_init__(self) -> None:
        mesh = self.mesh
        self.place = weld_rows(mesh.vertices, few=0)
        self.faces = self._numbered(self.place)
        if collapsed(self.faces).all():
            raise BadInput("All faces of the mesh have collapsed to lines or points.", "Check the mesh that comes in.")
        if (self.keep.uv and mesh.uv is not None) or mesh.colours is not None:
            kept = [a for a in (mesh.uv if self.keep.uv else None, mesh.colours) if a is not None]
            self.wedge = weld_rows(np.concatenate([mesh.vertices, *kept], axis=1), few=0)
        else:
            self.wedge = self.place
        self.columns = self._columns()

    def _numbered(self, weld: Weld) -> Ints:
        faces = self.mesh.faces
        return faces if weld.count == len(weld.ids) else weld.ids[faces]

    @property
    def free(self) -> bool:
        return self.columns.uv == 0 if self.keep.free is None else self.keep.free

    def _columns(self) -> _Columns:
        from nodes.mesh._net import span_of

        mesh, first, parts, scales = self.mesh, self.wedge.first, [], []
        diagonal = max(float(np.linalg.norm(np.subtract(*mesh.bounds[::-1], dtype=np.float64))), 1e-30)
        uv = mesh.uv is not None and self.keep.uv
        if mesh.uv is not None and uv:
            parts.append(mesh.uv[first].astype(np.float64))
            span = span_of(mesh.vertices, mesh.faces, mesh.uv)
            scales += [UV_WEIGHT * self.keep.texture * span / diagonal] * 2
        if mesh.colours is not None:
            parts.append(mesh.colours[first].astype(np.float64))
            scales += [COLOUR_WEIGHT * self.keep.colour] * 4
        scale = np.maximum(np.array(scales), 1e-9)
        values = np.concatenate(parts, axis=1) * scale if parts else np.empty((len(first), 0))
        return _Columns(np.ascontiguousarray(values), scale, 2 if uv else 0, 0 if mesh.colours is None else 4)

    def surface(self) -> Surface:
        from nodes.mesh._net import Surface

        mesh, many = self.mesh, self.columns.values.shape[1]
        shaded = mesh.normals is not None and self.keep.hard > 0
        one = self.place.count == len(mesh.vertices)
        return Surface(
            points=mesh.vertices if one else mesh.vertices[self.place.first],
            faces=self.faces,
            wedges=self._numbered(self.wedge) if many else None,
            attributes=self.columns.values if many else None,
            groups=mesh.face_groups if mesh.face_groups is not None and self.keep.group > 0 else None,
            normals=mesh.normals if shaded else None,
            corners=mesh.faces,
            uv=self.columns.uv > 0,
        )


def reduced(run: Run, mesh: Mesh, target: int, keep: Keep, told: Told) -> Mesh:
    """At most ``target`` triangles where the shape allows it; otherwise a remark tells how many it had to be."""
    from nodes.mesh._collapse import Rules, collapse

    need_sound(mesh)
    if keep.uv and mesh.uv is not None:
        need_uv(mesh)
    source = _Source(mesh, keep)
    rules = Rules(source.free, 10 * keep.border, keep.seam, keep.hard, keep.group, keep.hard_degrees)
    found = collapse(source.surface(), target, rules, told)
    if len(found.faces) > target:
        run.warn(f"{len(found.faces):,} triangles are the fewest this mesh allows; {target:,} were asked for.")
    return _put_together(source, found)


def _put_together(source: _Source, found: Collapsed) -> Mesh:
    mesh = source.mesh
    from nodes.mesh._tables import number_pairs

    normals, corner = _normals(found)
    limits = int(found.wedges.max(initial=-1)) + 1, len(normals)
    faces, first = number_pairs(found.wedges.ravel(), np.ascontiguousarray(corner, np.int32).ravel(), limits)
    wedge, position = found.wedges.ravel()[first], found.faces.ravel()[first]
    row = source.wedge.first[found.wedge_of[wedge]]
    vertices = found.points[position].astype(np.float32) if source.free else mesh.vertices[row]
    uv, colours = _attributes(source, found, wedge, row)
    kept = source.columns.uv > 0 or mesh.uv is None
    return Mesh(
        vertices=vertices,
        faces=faces.reshape(-1, 3),
        normals=normals[corner.ravel()[first]].astype(np.float32),
        uv=uv,
        colours=colours,
        material=mesh.material if kept else without_pictures(mesh.material),
        face_groups=None if mesh.face_groups is None else mesh.face_groups[found.face_of],
        name=mesh.name,
    )


def _attributes(source: _Source, found: Collapsed, wedge: Ints, row: Ints) -> tuple[Array | None, Array | None]:
    """(UVs, colours) of each vertex of the result: as they were, or as they are best where vertices have moved."""
    mesh, columns = source.mesh, source.columns
    if not source.free or not columns.values.shape[1]:
        return (mesh.uv[row] if mesh.uv is not None and columns.uv else None), (
            None if mesh.colours is None else mesh.colours[row]
        )
    values = (found.attributes[wedge] / columns.scale).astype(np.float32)
    colours = np.clip(values[:, columns.uv :], 0, 1) if columns.colour else None
    return values[:, :2] if columns.uv else None, colours


def _normals(found: Collapsed) -> tuple[Array, Array]:
    """(unit normals (K, 3), (T, 3) which one each corner has): smooth but across hard edges."""
    if not found.hard.any():
        return grouped_normals(found.points, found.faces, found.faces, len(found.points)), found.faces
    edges = edges_of(found.faces)
    soft = edges.pairs[~found.hard.ravel()[edges.pairs[:, 0]]]
    count, fan = fans(edges, found.faces, soft)
    return grouped_normals(found.points, found.faces, fan, count), fan


def without_pictures(material: Material | None) -> Material | None:
    """Without UVs textures have no place."""
    return None if material is None or material.has_pictures() else material
