"""The steps of Repair, each from one :class:`Sheet` to the next. Nothing is ever left non-manifold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import (
    Edges,
    Ints,
    by_bands,
    collapsed,
    diagonal,
    edges_of,
    face_vectors,
    fans,
    joined,
    turned,
    weld_bits,
    weld_points,
)

Array = NDArray[Any]
APART = 1e-5
STRUT = 4.0


@dataclass(frozen=True)
class Sheet:
    """``points``: (K, 3) float64. ``faces``: (M, 3) into them. ``source``: (M,) face of the input, or -1 for a new one.

    ``origin``: (M, 3) where each corner has its attributes from: a vertex of the input, or ``stock`` (how many those
    are) plus the row of ``blend``, (B, 3): from this origin, to this one, by this share. ``patch``: (M,) bool, faces
    that fill a hole.
    """

    points: Array
    faces: Ints
    origin: Ints
    source: Ints
    patch: Array
    stock: int
    blend: Array

    def only(self, keep: Array) -> Sheet:
        return replace(
            self, faces=self.faces[keep], origin=self.origin[keep], source=self.source[keep], patch=self.patch[keep]
        )

    def with_faces(self, faces: Array, origin: Array, source: Array, patch: bool = False) -> Sheet:
        """With more faces behind the others."""
        return replace(
            self,
            faces=np.concatenate([self.faces, faces]).astype(np.int32),
            origin=np.concatenate([self.origin, origin]).astype(np.int32),
            source=np.concatenate([self.source, source]).astype(np.int32),
            patch=np.concatenate([self.patch, np.full(len(faces), patch)]),
        )

    @property
    def area(self) -> Array:
        return np.asarray(np.linalg.norm(face_vectors(self.points, self.faces), axis=1) / 2)

    @property
    def extent(self) -> float:
        """Diagonal of the box around all faces, metres."""
        used = np.zeros(len(self.points), bool)
        used[self.faces] = True
        return float(np.linalg.norm(np.ptp(self.points[used], axis=0))) if len(self.faces) else 0.0


def sheet_of(points: Array, faces: Ints) -> Sheet:
    """Faces as they are, each its own source."""
    source, patch = np.arange(len(faces), dtype=np.int32), np.zeros(len(faces), bool)
    return Sheet(points.astype(np.float64), faces, faces, source, patch, len(points), np.zeros((0, 3)))


def opened(mesh: Mesh, tolerance: float) -> tuple[Sheet, int, int, int]:
    """(sheet, faces dropped for positions that are not finite, positions welded, faces that collapsed).

    ``tolerance``: share of the diagonal of the bounding box within which positions become one.
    """
    finite = np.asarray(np.isfinite(mesh.vertices).all(axis=1))
    kept = np.asarray(finite[mesh.faces].all(axis=1))
    faces = mesh.faces[kept]
    points = np.where(finite[:, None], mesh.vertices, np.float32(0))
    used = np.zeros(len(points), bool)
    used[faces] = True
    exact = weld_points(points)
    extent = diagonal(Mesh.of(points[used], np.zeros((0, 3))))
    weld = weld_points(points, tolerance * extent) if tolerance > 0 and extent > 0 else exact
    welded = weld.ids[faces]
    real = ~collapsed(welded)
    sheet = replace(
        sheet_of(points[weld.first], welded[real]),
        origin=faces[real],
        source=np.flatnonzero(kept)[real].astype(np.int32),
        stock=len(points),
    )
    return sheet, int((~kept).sum()), exact.count - weld.count, int((~real).sum())


def without_duplicates(sheet: Sheet) -> Sheet:
    return sheet.only(np.sort(weld_bits(np.sort(sheet.faces, axis=1)).first))


def without_fins(sheet: Sheet) -> Sheet:
    """Drop faces that hang with a free side on an edge of more than two faces, until there are none, and struts."""
    for _ in range(32):
        edges = edges_of(sheet.faces)
        free = edges.boundary[edges.sides].sum(axis=1)
        fin = _struts(sheet, edges, free)
        order, start = _by_edge(edges)
        for e in np.flatnonzero(edges.crowded).tolist():
            sides = order[start[e] : start[e + 1]]
            fin[_hanging(sheet, sides, free[sides // 3])] = True
        if not fin.any():
            break
        sheet = sheet.only(~fin)
    return sheet


def _hanging(sheet: Sheet, sides: Array, free: Array) -> Array:
    """Which faces at a crowded edge go: the loose ones where two others stay, else the loosest, else the steepest."""
    for least in (1, 2):
        loose = free >= least
        if loose.any() and (~loose).sum() >= 2:
            return np.asarray(sides[loose] // 3)
    pair = _flattest(sheet, sides)
    return np.asarray(sides[(free > 0) & ~np.isin(sides, pair)] // 3)


def _struts(sheet: Sheet, edges: Edges, free: Array) -> Array:
    """(M,) bool: long faces from the border to a vertex of the surface somewhere else."""
    side = ~edges.boundary[edges.sides]
    foot = side.argmax(axis=1)
    rows = np.arange(len(free))
    a, b, tip = (sheet.faces[rows, (foot + k) % 3] for k in range(3))
    shared = np.bincount(sheet.faces.ravel(), minlength=len(sheet.points))[tip] > 1
    at = sheet.points
    length = np.minimum(np.linalg.norm(at[tip] - at[a], axis=1), np.linalg.norm(at[tip] - at[b], axis=1))
    return np.asarray((free == 2) & shared & (length > STRUT * np.linalg.norm(at[b] - at[a], axis=1)))


def _by_edge(edges: Edges) -> tuple[Array, Array]:
    """(sides in the order of their edges, where each edge begins)."""
    return np.argsort(edges.sides.ravel(), kind="stable"), np.concatenate([[0], np.cumsum(edges.uses)])


def paired(sheet: Sheet, edges: Edges) -> Ints:
    """(P, 2) sides to be joined: those of ordinary edges, and on crowded edges the two that continue each other."""
    crowded = np.flatnonzero(edges.crowded)
    if not len(crowded):
        return edges.pairs
    order, start = _by_edge(edges)
    extra = [_flattest(sheet, order[start[e] : start[e + 1]]) for e in crowded]
    return np.concatenate([edges.pairs, np.array(extra, np.int32)])


def _flattest(sheet: Sheet, sides: Array) -> tuple[int, int]:
    face, corner = sides // 3, sides % 3
    at = sheet.points[sheet.faces[face]]
    a, b, c = (at[np.arange(len(sides)), (corner + k) % 3] for k in range(3))
    along = (b - a) / max(float(np.linalg.norm(b[0] - a[0])), 1e-30)
    into = (c - a) - along * np.einsum("ij,ij->i", c - a, along)[:, None]
    into /= np.maximum(np.linalg.norm(into, axis=1, keepdims=True), 1e-30)
    cosine = into @ into.T + 4 * np.eye(len(sides))
    i, j = np.unravel_index(int(cosine.argmin()), cosine.shape)
    return int(sides[i]), int(sides[j])


def wound(sheet: Sheet) -> tuple[Sheet, int, int]:
    """Faces of each part wound alike and every vertex split until the faces around it form one fan.

    Returns the sheet, the number of faces turned, and of sides cut open because the part has one side only (as a
    Möbius strip) or one place was used twice.
    """
    from nodes.mesh._winding import wind

    edges = edges_of(sheet.faces)
    pairs = paired(sheet, edges)
    flip, torn = wind(sheet.faces, pairs, sheet.area, edges.forward.ravel())
    pairs = pairs[~torn]
    _, fan = fans(edges, sheet.faces, pairs)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(fan.ravel()), prepend=np.int32(-1)))
    points = sheet.points[sheet.faces.ravel()[first]]
    split = replace(sheet, points=points, faces=turned(fan, flip), origin=turned(sheet.origin, flip))
    return split, int(flip.sum()), int(torn.sum())


def without_crowds(sheet: Sheet) -> Sheet:
    """Drop what still shares an edge with more than one other face; the gaps are holes like any other."""
    edges = edges_of(sheet.faces)
    return sheet.only(~edges.at(edges.crowded))


def unstuck(sheet: Sheet) -> tuple[Sheet, int]:
    """(sheet, vertices moved): vertices at one place that are not one vertex step apart, each towards its own faces,
    but for the one with the most faces.

    Otherwise whoever welds equal positions would join again what was cut.
    """
    place = weld_points(sheet.points.astype(np.float32)).ids
    used = np.zeros(len(place), bool)
    used[sheet.faces] = True
    stuck = (np.bincount(place[used], minlength=len(place))[place] > 1) & used
    if not stuck.any():
        return sheet, 0
    flat, count = sheet.faces.ravel(), len(sheet.points)
    stuck[_staying(place, np.where(stuck, np.bincount(flat, minlength=count), 0))] = False
    centre = by_bands(lambda faces: sheet.points[faces].mean(axis=1), sheet.faces)
    mean = np.stack([np.bincount(flat, np.repeat(centre[:, k], 3), minlength=count) for k in range(3)], axis=1)
    way = mean / np.maximum(np.bincount(flat, minlength=count), 1)[:, None] - sheet.points
    length = np.linalg.norm(way, axis=1, keepdims=True)
    step = np.minimum(APART * sheet.extent / np.maximum(length, 1e-30), 0.25)
    points = np.where(stuck[:, None], sheet.points + way * step, sheet.points)
    return replace(sheet, points=points), int(stuck.sum())


def _staying(place: Ints, faces: Array) -> Array:
    """For each place with ``faces`` at it, the vertex with the most, the first of them."""
    order = np.lexsort((np.arange(len(place)), -faces, place))
    order = order[faces[order] > 0]
    return np.asarray(order[np.unique(place[order], return_index=True)[1]])


def part_of(sheet: Sheet, edges: Edges | None = None) -> tuple[int, Ints]:
    """``edges``: of its faces, where they are at hand."""
    return joined(len(sheet.faces), (edges or edges_of(sheet.faces)).pairs // 3)


def without_crumbs(sheet: Sheet, share: float, most: int = 0) -> tuple[Sheet, int]:
    """(sheet, parts dropped): parts with less than ``share`` of the largest part's area, and all but the ``most``
    largest, where that is not 0."""
    count, part = part_of(sheet)
    area = np.bincount(part, sheet.area, minlength=count)
    keep = area >= share * area.max()
    if 0 < most < count:
        keep &= np.isin(np.arange(count), np.argsort(-area, kind="stable")[:most])
    return sheet.only(keep[part]), int((~keep).sum())
