"""Catmull and Clark's subdivision surface (1978) of triangles and quads, with the creases of DeRose et al. 1998."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._finer import Net
from nodes.mesh._loop import corners
from nodes.mesh._paired import quads_of
from nodes.mesh._refine import Rules, Sheet, with_uv
from nodes.mesh._topology import Bools, weld_bits, weld_points, weld_rows

Array = NDArray[Any]


@dataclass(frozen=True)
class Ring:
    """The corners of polygons, one polygon after the other. ``face``: (C,) its polygon, ``after``: (C,) the next corner
    in it, ``source``: (F,) the triangle that a polygon begins with."""

    face: Array
    after: Array
    source: Array

    @property
    def before(self) -> Array:
        out = np.empty_like(self.after)
        out[self.after] = np.arange(len(out))
        return out

    def finer(self) -> Ring:
        """A quad at each corner: the corner, the middle of its side, that of the face, that of the side before."""
        corner = np.arange(4 * len(self.face))
        return Ring(corner // 4, corner - corner % 4 + (corner + 1) % 4, self.source[self.face])


@dataclass(frozen=True)
class Layer:
    """One net over the polygons. ``at``: (C,) vertex of each corner, ``values``: (N, K) float64.

    ``edge``: (C,) edge from each corner to the next, ``ends``: (E, 2), ``sharp``: (E,), ``fixed``: (N,).
    """

    at: Array
    values: Array
    edge: Array
    ends: Array
    sharp: Bools
    fixed: Bools

    @classmethod
    def of(cls, ring: Ring, at: Array, values: Array, sharp: Bools, fixed: Bools) -> Layer:
        """``sharp``: (C,) sides; edges that do not have two faces are sharp, too."""
        ends = np.sort(np.stack([at, at[ring.after]], axis=1), axis=1)
        edges = weld_bits(ends)
        marked = np.bincount(edges.ids, minlength=edges.count) != 2
        marked[edges.ids[sharp]] = True
        return cls(at, values, edges.ids, ends[edges.first], marked, fixed)

    def finer(self, ring: Ring, new: Ring, smooth: bool) -> Layer:
        count, edges = len(self.values), len(self.ends)
        if smooth:
            values = _refined(self, ring)
        else:
            values = np.concatenate([self.values, self.values[self.ends].mean(axis=1), _middles(self, ring)])
        around = (self.at, count + self.edge, count + edges + ring.face, count + self.edge[ring.before])
        none = np.zeros(len(self.at), np.bool_)
        sharp = np.stack([self.sharp[self.edge], none, none, self.sharp[self.edge[ring.before]]], axis=1).ravel()
        fixed = np.concatenate([self.fixed, np.zeros(len(values) - count, np.bool_)])
        return Layer.of(new, np.stack(around, axis=1).ravel(), values, sharp, fixed)


def _sums(place: Array, values: Array, count: int) -> Array:
    out = np.zeros((count, values.shape[1]))
    for k, column in enumerate(values.T):
        out[:, k] = np.bincount(place, column, minlength=count)
    return out


def _middles(layer: Layer, ring: Ring) -> Array:
    total = _sums(ring.face, layer.values[layer.at], len(ring.source))
    return np.asarray(total / np.bincount(ring.face)[:, None])


def _refined(layer: Layer, ring: Ring) -> Array:
    """The values of vertices, edges and faces, in this order."""
    values, ends = layer.values, layer.ends
    count = len(values)
    face, half = _middles(layer, ring), values[ends].mean(axis=1)
    soft = ~layer.sharp
    edge = half.copy()
    edge[soft] = half[soft] / 2 + _sums(layer.edge, face[ring.face], len(ends))[soft] / 4
    degree = np.bincount(ends.ravel(), minlength=count)[:, None]
    around = _sums(layer.at, face[ring.face], count) / np.maximum(np.bincount(layer.at, minlength=count), 1)[:, None]
    beside = _sums(ends.ravel(), np.repeat(half, 2, axis=0), count) / np.maximum(degree, 1)
    free = (around + 2 * beside + (degree - 3) * values) / np.maximum(degree, 1)
    return np.concatenate([_drawn(layer, free, 1 / 8), edge, face])


def _drawn(layer: Layer, free: Array, along: float) -> Array:
    """The vertices where they are ``free``, along their crease, or where they were."""
    count, rim = len(layer.values), layer.ends[layer.sharp]
    lines = np.bincount(rim.ravel(), minlength=count)
    smooth = (lines < 2) & ~layer.fixed & (np.bincount(layer.at, minlength=count) > 0)
    out = np.where(smooth[:, None], free, layer.values)
    line = (lines == 2) & ~layer.fixed
    total = _sums(rim.ravel(), layer.values[rim[:, ::-1]].reshape(-1, layer.values.shape[1]), count)
    out[line] = (1 - 2 * along) * layer.values[line] + along * total[line]
    return out


def _limit(layer: Layer) -> Array:
    """Where the vertices of quads would be after endless subdivision (Halstead et al. 1993)."""
    values, count = layer.values, len(layer.values)
    quad = layer.at.reshape(-1, 4)
    across = _sums(layer.at, values[np.roll(quad, 2, axis=1).ravel()], count)
    beside = _sums(layer.ends.ravel(), values[layer.ends[:, ::-1]].reshape(-1, values.shape[1]), count)
    degree = np.maximum(np.bincount(layer.ends.ravel(), minlength=count), 1)[:, None]
    return _drawn(layer, (degree**2 * values + 4 * beside + across) / (degree * (degree + 5)), 1 / 6)


@dataclass(frozen=True)
class Cage:
    """A sheet as quads and the triangles that are left."""

    sheet: Sheet
    ring: Ring
    corner: Array

    @classmethod
    def of(cls, sheet: Sheet) -> Cage:
        quads, pair = quads_of(sheet.mesh)
        left = np.ones(len(sheet.mesh.faces), np.bool_)
        left[pair.ravel()] = False
        rest = np.flatnonzero(left)
        corner = np.concatenate([quads.ravel(), sheet.mesh.faces[rest].ravel()])
        size = np.repeat([4, 3], [len(quads), len(rest)])
        start = np.cumsum(size) - size
        face = np.repeat(np.arange(len(size)), size)
        step = np.arange(len(corner)) - start[face] + 1
        after = start[face] + np.where(step == size[face], 0, step)
        return cls(sheet, Ring(face, after, np.concatenate([pair.min(axis=1, initial=len(left)), rest])), corner)

    def faces_after(self, levels: int) -> int:
        """Triangles."""
        return int(2 * len(self.corner) * 4 ** (levels - 1)) if levels else len(self.sheet.mesh.faces)


def subdivided(cage: Cage, levels: int, rules: Rules, told: Callable[[int], None]) -> Sheet:
    """``levels`` > 0. Quads are cut along their shorter diagonal in the end."""
    sheet, ring, corner = cage.sheet, cage.ring, cage.corner
    mesh = sheet.mesh
    place = weld_points(mesh.vertices).ids[corner]
    none = np.zeros(len(corner), np.bool_)
    space = Layer.of(ring, place, sheet.points, _folded(ring, place, sheet.points, rules.angle), none[:0])
    kept = corners(space.values, space.ends[space.sharp], len(space.values))
    space = replace(space, fixed=kept & rules.keep_corners)
    rows = Layer.of(ring, corner, sheet.rows, none, none[:0])
    chart = _chart(cage, space) if rules.smooth_uv and mesh.uv is not None else None
    for level in range(levels):
        told(level)
        new = ring.finer()
        space, rows = space.finer(ring, new, True), rows.finer(ring, new, False)
        chart = None if chart is None else _pinned(chart.finer(ring, new, True), chart, ring)
        ring = new
    if rules.onto_limit:
        space = replace(space, values=_limit(space))
        chart = None if chart is None else replace(chart, values=_limit(chart))
    cut = _cut(space)
    nets = [_net(layer.at[cut], len(layer.values)) for layer in (space, rows)]
    done = replace(sheet, places=nets[0], vertices=nets[1], points=space.values, rows=rows.values,
                   source=np.repeat(ring.source, 2))  # fmt: skip
    return done if chart is None else with_uv(done, chart.at[cut], chart.values)


def _folded(ring: Ring, at: Array, points: Array, angle: float) -> Bools:
    """(C,) sides over which the polygons turn by more than ``angle`` degrees."""
    here = points[at]
    normal = _sums(ring.face, np.cross(here, here[ring.after]), len(ring.source))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    ends = np.sort(np.stack([at, at[ring.after]], axis=1), axis=1)
    edges = weld_bits(ends)
    sharp = np.zeros(edges.count, np.bool_)
    pairs = np.flatnonzero(np.bincount(edges.ids, minlength=edges.count) == 2)
    if angle < 180 and len(pairs):
        order = np.argsort(edges.ids, kind="stable")
        start = np.searchsorted(edges.ids[order], pairs)
        one, two = order[start], order[start + 1]
        way = np.where(at[one] == at[two], -1.0, 1.0)
        cosine = way * np.einsum("ij,ij->i", normal[ring.face[one]], normal[ring.face[two]])
        sharp[pairs] = cosine < np.cos(np.radians(angle)) - 1e-6
    return np.asarray(sharp[edges.ids])


def _chart(cage: Cage, space: Layer) -> Layer:
    """Over texture coordinates: the outlines of charts stay."""
    mesh = cage.sheet.mesh
    assert mesh.uv is not None
    weld = weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1))
    sharp = space.sharp[space.edge]
    fixed = np.zeros(weld.count, np.bool_)
    layer = Layer.of(cage.ring, weld.ids[cage.corner], mesh.uv[weld.first].astype(np.float64), sharp, fixed)
    fixed = fixed.copy()
    fixed[layer.ends[_outline(layer)]] = True
    return replace(layer, fixed=fixed)


def _outline(layer: Layer) -> Bools:
    return np.asarray(np.bincount(layer.edge, minlength=len(layer.ends)) != 2)


def _pinned(new: Layer, old: Layer, ring: Ring) -> Layer:
    fixed = new.fixed.copy()
    fixed[len(old.values) + np.flatnonzero(_outline(old))] = True
    return replace(new, fixed=fixed)


def _cut(space: Layer) -> Array:
    """(M, 3) corners of two triangles for each quad."""
    quad = np.arange(len(space.at)).reshape(-1, 4)
    at = space.values[space.at].reshape(-1, 4, 3)
    long = np.linalg.norm(at[:, 0] - at[:, 2], axis=1) > np.linalg.norm(at[:, 1] - at[:, 3], axis=1) * (1 + 1e-6)
    turned = np.where(long[:, None], np.roll(quad, -1, axis=1), quad)
    return turned[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def _net(faces: Array, count: int) -> Net:
    return Net.of(np.ascontiguousarray(faces, np.int32), count)
