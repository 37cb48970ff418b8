"""A mesh and its attributes on a finer net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._finer import Net, cut
from nodes.mesh._loop import corners, halfway, limit, refined, sharp_edges
from nodes.mesh._shading import grouped_normals
from nodes.mesh._topology import Bools, Ints, by_bands, collapsed, weld_points, weld_rows

Array = NDArray[Any]


@dataclass(frozen=True)
class Sheet:
    """``mesh``: what it began as, without faces that name one place twice. ``places``, ``vertices``: nets.

    ``points``: (K, 3) float64 of the places. ``rows``: (N, C) float64 of the vertices, in the order of
    :func:`_columns`. ``source``: (M,) the face of ``mesh`` that each is a piece of. ``dropped``: faces left out.
    """

    mesh: Mesh
    places: Net
    vertices: Net
    points: Array
    rows: Array
    source: Array
    dropped: int = 0

    @property
    def sides(self) -> Array:
        """(M, 3) metres."""
        return by_bands(lambda faces: np.linalg.norm(_ways(self.points[faces]), axis=2), self.places.faces)

    @property
    def uv_sides(self) -> Array:
        """(M, 3, 2) how far each side goes on the texture."""
        uv = self.rows[:, _columns(self.mesh)["uv"]]
        return by_bands(lambda faces: _ways(uv[faces]), self.vertices.faces)


def _ways(at: Array) -> Array:
    """From each corner of (n, 3, C) to the next."""
    return np.asarray(np.roll(at, -1, axis=1) - at)


def _columns(mesh: Mesh) -> dict[str, slice]:
    """Where each attribute that the mesh has stands in the rows."""
    out, start = {}, 0
    for name, width in (("uv", 2), ("colours", 4), ("normals", 3)):
        if getattr(mesh, name) is not None:
            out[name] = slice(start, start + width)
            start += width
    return out


def sheet_of(mesh: Mesh) -> Sheet:
    weld = weld_points(mesh.vertices)
    real = ~collapsed(weld.ids[mesh.faces])
    dropped = int(len(real) - real.sum())
    if dropped:
        groups = None if mesh.face_groups is None else mesh.face_groups[real]
        mesh = replace(mesh, faces=mesh.faces[real], face_groups=groups)
    values = [getattr(mesh, name).astype(np.float64) for name in _columns(mesh)]
    rows = np.concatenate(values, axis=1) if values else np.zeros((len(mesh.vertices), 0))
    places = Net.of(weld.ids[mesh.faces], weld.count)
    points = mesh.vertices[weld.first].astype(np.float64)
    vertices = Net.of(mesh.faces, len(mesh.vertices))
    return Sheet(mesh, places, vertices, points, rows, np.arange(len(mesh.faces)), dropped)


def quartered(sheet: Sheet) -> Sheet:
    """Every face becomes four, and nothing moves."""
    return replace(
        sheet,
        places=sheet.places.quartered(),
        vertices=sheet.vertices.quartered(),
        points=np.concatenate([sheet.points, halfway(sheet.points, sheet.places)]),
        rows=np.concatenate([sheet.rows, halfway(sheet.rows, sheet.vertices)]),
        source=np.repeat(sheet.source, 4),
    )


def bisected(
    sheet: Sheet, length: Callable[[Sheet], Array], longest: float, most: int, told: Callable[[], None]
) -> tuple[Sheet, bool]:
    """(sheet, whether the budget sufficed): sides of which ``length``, (M, 3), is above ``longest`` are cut in halves.

    The longest side of a face first, until none is too long (Rivara 1984), so that angles stay at least half as wide
    as the narrowest was. ``most``: faces; a round that would pass it is not begun.
    """
    while True:
        told()
        long = length(sheet)
        marked = sheet.places.marked(long > longest)[sheet.places.sides]
        if not marked.any():
            return sheet, True
        if len(marked) + int(marked.sum()) > most:
            return sheet, False
        first = np.where(marked, long, -1.0).argmax(axis=1)
        places, new, source = cut(sheet.places, marked, first)
        vertices, doubled, _ = cut(sheet.vertices, marked, first)
        points = np.concatenate([sheet.points, halfway(sheet.points, sheet.places)[new]])
        rows = np.concatenate([sheet.rows, halfway(sheet.rows, sheet.vertices)[doubled]])
        sheet = replace(sheet, places=places, vertices=vertices, points=points, rows=rows, source=sheet.source[source])


@dataclass(frozen=True)
class Rules:
    """``angle``: degrees; sharper edges stay sharp, 180: none. ``keep_corners``: of borders and sharp lines.

    ``smooth_uv``: UVs follow the surface inside their charts. ``onto_limit``: vertices end on the limit surface.
    """

    angle: float
    keep_corners: bool
    smooth_uv: bool
    onto_limit: bool


def looped(sheet: Sheet, levels: int, rules: Rules, told: Callable[[int], None]) -> Sheet:
    """Loop subdivision of a whole sheet. ``told``: called with the number of each level."""
    sharp = sharp_edges(sheet.points, sheet.places, rules.angle)
    kept = corners(sheet.points, sheet.places.ends[sharp], len(sheet.points)) & rules.keep_corners
    chart = _chart(sheet, sharp) if rules.smooth_uv and sheet.mesh.uv is not None else None
    for level in range(levels):
        told(level)
        points = refined(sheet.points, sheet.places, sharp, kept)
        sharp, kept = sheet.places.halves(sharp), _longer(kept, len(points))
        chart = None if chart is None else chart.finer()
        sheet = replace(quartered(sheet), points=points)
    if rules.onto_limit:
        sheet = replace(sheet, points=limit(sheet.points, sheet.places, sharp, kept))
        chart = None if chart is None else replace(chart, uv=limit(chart.uv, chart.net, chart.sharp, chart.fixed))
    return sheet if chart is None else with_uv(sheet, chart.net.faces, chart.uv)


@dataclass(frozen=True)
class _Chart:
    """``net``: over texture coordinates, cut at seams. ``uv``: (K, 2). ``sharp``: edges that are so in space, too.

    ``outline``: edges of charts, ``fixed``: vertices on them.
    """

    net: Net
    uv: Array
    sharp: Bools
    outline: Bools
    fixed: Bools

    def finer(self) -> _Chart:
        uv = refined(self.uv, self.net, self.sharp, self.fixed)
        fixed = _longer(self.fixed, len(uv))
        fixed[self.net.count :] = self.outline
        return _Chart(self.net.quartered(), uv, self.net.halves(self.sharp), self.net.halves(self.outline), fixed)


def _chart(sheet: Sheet, sharp: Bools) -> _Chart:
    mesh = sheet.mesh
    assert mesh.uv is not None
    weld = weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1))
    net = Net.of(weld.ids[mesh.faces], weld.count)
    outline = np.not_equal(net.uses, 2)
    fixed = np.zeros(net.count, np.bool_)
    fixed[net.ends[outline]] = True
    sharp = outline | net.marked(sharp[sheet.places.sides])
    return _Chart(net, mesh.uv[weld.first].astype(np.float64), sharp, outline, fixed)


def _longer(marks: Bools, count: int) -> Bools:
    return np.concatenate([marks, np.zeros(count - len(marks), np.bool_)])


def with_uv(sheet: Sheet, faces: Array, values: Array) -> Sheet:
    """The sheet with other UVs. ``values``: (K, 2), ``faces``: (M, 3) those of its corners."""
    rows = sheet.rows.copy()
    uv = rows[:, _columns(sheet.mesh)["uv"]].copy()
    uv[sheet.vertices.faces.ravel()] = values[faces.ravel()]
    rows[:, _columns(sheet.mesh)["uv"]] = uv
    return replace(sheet, rows=rows)


def place_of(sheet: Sheet) -> Ints:
    """(N,) the place of each vertex."""
    place = np.zeros(sheet.vertices.count, np.int32)
    place[: len(sheet.mesh.vertices)] = weld_points(sheet.mesh.vertices).ids
    place[sheet.vertices.faces.ravel()] = sheet.places.faces.ravel()
    return place


def mesh_of(sheet: Sheet, new_normals: bool) -> Mesh:
    """Back to a mesh. ``new_normals``: from the new shape; where the old ones were split they are split again."""
    mesh, columns = sheet.mesh, _columns(sheet.mesh)
    vertices = sheet.points[place_of(sheet)]
    parts: dict[str, Any] = {name: sheet.rows[:, where] for name, where in columns.items()}
    if "normals" in parts:
        parts["normals"] = _shaded(sheet, vertices) if new_normals else _unit(parts["normals"])
    return replace(
        mesh,
        vertices=vertices.astype(np.float32),
        faces=sheet.vertices.faces,
        face_groups=None if mesh.face_groups is None else mesh.face_groups[sheet.source],
        **{name: np.ascontiguousarray(values, np.float32) for name, values in parts.items()},  # type: ignore[arg-type]
    )


def _shaded(sheet: Sheet, vertices: Array) -> Array:
    """Normals anew: vertices at one place between the same old normals share one."""
    rows = sheet.rows[:, _columns(sheet.mesh)["normals"]]
    alike = weld_rows(np.concatenate([place_of(sheet)[:, None], rows.astype(np.float32)], axis=1))
    return grouped_normals(vertices, sheet.vertices.faces, alike.ids[sheet.vertices.faces], alike.count)[alike.ids]


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), (0.0, 1.0, 0.0))
