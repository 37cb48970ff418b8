"""Texture coordinates from charts: by direction, by box, or as they were; flattened, packed, and put on the mesh."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.mesh._cuts import Seams, surface_of
from nodes.mesh._topology import Edges, edges_of, face_vectors, weld_bits, weld_points

if TYPE_CHECKING:
    from nodes.mesh._packing import Rough
    from nodes.mesh._places import Lot, Order
    from nodes.mesh._surface import Flat, Surface

Array = NDArray[Any]
GOAL, WORTH, RAGGED, CUTS = 0.605, 0.005, 0.005, 3


@dataclass(frozen=True)
class Plan:
    """What is asked of a layout. ``size``, ``padding``: px. ``density``: px/m, or 0 for as large as fits.

    ``tiles``: UDIM tiles there may be. ``even``: scale every chart to one density. ``strain``: the root mean square
    change of lengths above which a chart is cut.
    """

    size: int
    padding: int
    density: float = 0.0
    tiles: int = 1
    even: bool = True
    strain: float = 0.1
    seams: Seams = field(default_factory=Seams)


@dataclass(frozen=True)
class Laid:
    """``mesh`` with UVs; tile n is shifted by (n % 10, n // 10). ``density``: px/m. ``tiles``: how many are in use."""

    mesh: Mesh
    density: float
    tiles: int


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


def by_normals(run: Run, mesh: Mesh, cut: Mesh, plan: Plan) -> Laid:
    """Charts of similar direction. ``cut``: the mesh as it came, for its seams."""
    from nodes.mesh._charts import lay_flat
    from nodes.mesh._segment import by_direction
    from nodes.mesh._stitch import stitched

    surface = surface_of(cut, plan.seams)
    run.progress(0.1, "cutting into charts")
    label, _ = by_direction(surface.across, surface.facing, surface.area, surface.side)
    run.progress(0.3, "flattening")
    flat = lay_flat(run, surface, surface.whole(label), strain=plan.strain)
    surface, flat = stitched(run, surface, flat, plan.strain)
    return _finished(run, mesh, surface, _small_enough(surface, flat, plan), plan, cut=True)


def by_box(run: Run, mesh: Mesh, cut: Mesh, plan: Plan) -> Laid:
    """Charts that look along the same one of the six axis directions."""
    from nodes.mesh._charts import PROJECTED, lay_flat

    surface = surface_of(cut, plan.seams)
    facing = surface.facing
    towards = np.abs(facing).argmax(axis=1)
    towards = towards * 2 + (np.take_along_axis(facing, towards[:, None], axis=1)[:, 0] < 0)
    flat = lay_flat(run, surface, surface.whole(towards), way=PROJECTED)
    return _finished(run, mesh, surface, _small_enough(surface, flat, plan), plan)


def as_given(run: Run, mesh: Mesh, given: Mesh, plan: Plan) -> Laid:
    """The charts of the ``given`` UVs: turned back where mirrored, flattened anew where they do not lie flat."""
    from nodes.mesh._charts import lay_flat

    assert given.uv is not None
    surface = surface_of(given, replace(plan.seams, old=True))
    label = surface.pieces(np.zeros(len(given.faces), np.int32))
    flat = lay_flat(run, surface, label, given=given.uv[given.faces].astype(np.float64))
    return _finished(run, mesh, surface, flat, plan)


def _finished(run: Run, mesh: Mesh, surface: Surface, flat: Flat, plan: Plan, cut: bool = False) -> Laid:
    """Charts packed and put on the mesh, whose vertices are split where charts meet.

    ``cut``: large ragged charts may be cut in halves where too little of the texture would be filled.
    """
    from nodes.mesh._packing import packed, roughly

    run.progress(0.6, "packing")
    lot = _lot(surface, flat, plan)
    rough = roughly(run, lot, _order(plan))
    if cut and rough and not plan.density:
        flat, lot, rough = _filled(run, surface, flat, lot, rough, plan)
    result = packed(run, lot, _order(plan), rough)
    if result.full:
        run.warn(_too_full(plan, result.scale * plan.size))
    run.progress(0.95, "seams")
    weld = weld_bits(np.stack([mesh.faces.ravel(), flat.corners.ravel()], axis=1))
    uv = result.uv.reshape(-1, 2)[weld.first]
    laid = with_uv(mesh, mesh.faces.ravel()[weld.first], weld.ids.reshape(-1, 3), uv)
    return Laid(laid, result.scale * plan.size, result.tiles)


def _filled(run: Run, surface: Surface, flat: Flat, lot: Lot, rough: Rough, plan: Plan) -> tuple[Flat, Lot, Rough]:
    """The charts with the most ragged ones cut, as long as the texture is too empty and that fills it better."""
    from nodes.mesh._packing import roughly

    for _ in range(CUTS):
        other = _less_ragged(surface, flat, lot) if rough.coverage(lot) < GOAL else None
        if other is None:
            break
        less = _lot(surface, other, plan)
        found = roughly(run, less, _order(plan))
        if found is None or found.coverage(less) < rough.coverage(lot) + WORTH:
            break
        flat, lot, rough = other, less, found
    return flat, lot, rough


def _order(plan: Plan) -> Order:
    from nodes.mesh._places import Order

    return Order(plan.size, plan.padding, plan.density, plan.tiles)


def _lot(surface: Surface, flat: Flat, plan: Plan) -> Lot:
    """The charts, scaled to one density where the plan asks for it."""
    from nodes.mesh._places import Lot

    corners = flat.placed
    if plan.even:
        corners = corners * _evened(corners, flat.label, surface.area)[flat.label][:, None, None]
    return Lot.of(corners, flat.label)


def _less_ragged(surface: Surface, flat: Flat, lot: Lot) -> Flat | None:
    """The charts that waste most room in their boxes cut in halves, which lie as they lay; None: there are none."""
    waste = lot.size.prod(axis=1) - lot.area
    ragged = (waste >= np.quantile(waste, 0.7)) & (waste > RAGGED * lot.total)
    return _halved(surface, flat, ragged) if ragged.any() else None


def _small_enough(surface: Surface, flat: Flat, plan: Plan) -> Flat:
    """Charts cut in halves until each fits into a tile at the density that is asked for, or that the tiles allow.

    A density at which not even the tiles' whole area would do is lowered anyway, and asks for no cuts.
    """
    fullest = plan.size * np.sqrt(plan.tiles / surface.area.sum())
    density = min(plan.density, fullest)
    if plan.tiles > 1 and not density:
        density = fullest * np.sqrt(GOAL)
    room = 0.98 * (plan.size - plan.padding) / density if density else np.inf
    while (large := (_lot(surface, flat, plan).size.max(axis=1) > room) & (np.bincount(flat.label) > 1)).any():
        flat = _halved(surface, flat, large)
    return flat


def _halved(surface: Surface, flat: Flat, which: Array) -> Flat:
    """The charts ``which`` (C,) in halves."""
    from nodes.mesh._halves import halves
    from nodes.mesh._surface import numbered

    order = np.argsort(flat.label, kind="stable")
    half = halves(surface.inside(flat.label), order, flat.label, which)
    label = surface.whole(flat.label * 2 + half, len(flat.misfit))
    return replace(flat, corners=numbered(surface, label).corners, label=label)


def _evened(corners: Array, label: Array, area: Array) -> Array:
    """(C,) factor that gives each flat chart the area it has in space."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    flat = np.bincount(label, np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2)
    real = np.bincount(label, area)
    return np.asarray(np.sqrt(real / np.maximum(flat, real * 1e-6)))


def _too_full(plan: Plan, density: float) -> str:
    room = f"{plan.tiles} tile" + "s" * (plan.tiles > 1)
    return (
        f"{plan.density:g} px/m does not fit into {room} of {plan.size} px; it became {density:.4g} px/m. "
        "Allow more tiles or a larger texture."
    )


def _shape(mesh: Mesh) -> tuple[Edges, Array, Array]:
    """Edges over equal positions, (M, 3) unit face normals (up where a face has no area), and (M,) areas > 0."""
    crossed = face_vectors(mesh.vertices, mesh.faces)
    length = np.linalg.norm(crossed, axis=1)
    facing = np.where(length[:, None] > 1e-30, crossed / np.maximum(length, 1e-30)[:, None], (0.0, 1.0, 0.0))
    least = max(float(length.sum()) * 1e-12, 1e-30)
    return edges_of(weld_points(mesh.vertices).ids[mesh.faces]), facing, np.maximum(length / 2, least)
