"""Flatten all charts of a surface, in threads, and cut what does not lie flat without overlap.

``label``: (M,) int32 chart of each face, a connected piece each. Positions in metres.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._isometric import alone, misfit_of, project, relax, rest_shapes, unroll
from nodes.mesh._jit import kernel
from nodes.mesh._sound import STRAINED, TURNED, faults
from nodes.mesh._topology import Edges, fans, joined

Array = NDArray[Any]


@dataclass(frozen=True)
class Surface:
    """``at``: (M, 3, 3) float64 corner positions, metres. ``faces``: (M, 3) welded vertices. ``edges``: over them.

    ``across``: (M, 3) int32 neighbour over each side or -1 at borders and seams. ``facing``: (M, 3) unit normals.
    ``area``: (M,) m², > 0. ``side``: (M, 3) lengths.
    """

    at: Array
    faces: Array
    edges: Edges
    across: Array
    facing: Array
    area: Array
    side: Array

    def inside(self, label: Array) -> Array:
        """(M, 3) neighbours of the same chart, else -1."""
        return np.where((self.across >= 0) & (label[self.across] == label[:, None]), self.across, -1).astype(np.int32)

    def pieces(self, label: Array) -> Array:
        """``label`` numbered anew so that each chart is connected."""
        face, k = np.nonzero(self.inside(label) >= 0)
        return joined(len(label), np.stack([face, self.across[face, k]], axis=1))[1]

    def vertices(self, across: Array) -> Array:
        """(M, 3) chart vertices: corners at one place belong together when one can walk between them in the chart."""
        pairs = self.edges.pairs
        return fans(self.edges, self.faces, pairs[across.ravel()[pairs[:, 0]] >= 0])[1]


@dataclass(frozen=True)
class Flat:
    """``corners``: (M, 3) chart vertices. ``uv``: (V, 2) metres. ``label``: (M,). ``misfit``: (C,) m²."""

    corners: Array
    uv: Array
    label: Array
    misfit: Array

    @property
    def placed(self) -> Array:
        """(M, 3, 2) corners in metres."""
        return np.asarray(self.uv[self.corners])


@kernel
def _named(corners: Array, order: Array, label: Array, at: Array, renamed: Array, bounds: Array, place: Array) -> None:
    """Number the chart vertices chart by chart: ``renamed`` (V,) new numbers, ``bounds`` (C + 1,) first of each chart.

    ``place``: (V, 3) becomes their positions.
    """
    count, chart = 0, -1
    for i in range(len(order)):
        f = order[i]
        while chart < label[f]:
            chart += 1
            bounds[chart] = count
        for k in range(3):
            if renamed[corners[f, k]] < 0:
                renamed[corners[f, k]] = count
                place[count] = at[f, k]
                count += 1
    bounds[chart + 1] = count


@kernel
def _flatten(
    charts: Array, order: Array, start: Array, bounds: Array, at: Array, corners: Array, across: Array, uv: Array,
    misfit: Array, state: Array, wrong: Array, relaxed: bool,
) -> None:  # fmt: skip
    """Flatten the named charts; ``state`` (C,) becomes what is wrong with each."""
    for i in range(len(charts)):
        chart = charts[i]
        faces = order[start[chart] : start[chart + 1]]
        low, high = bounds[chart], bounds[chart + 1]
        tri = corners[faces]
        rest, pull = np.empty((len(tri), 3)), np.empty((len(tri), 3))
        rest_shapes(at, tri, rest, pull)
        if len(tri) == 1:
            alone(tri, rest, uv)
            continue
        project(at, tri, low, high, uv)
        seen = uv[low:high].copy()
        misfit[chart] = misfit_of(tri, rest, pull, uv, low, high)
        if relaxed:
            unroll(at, corners, across, faces, uv, low, high)
            if not misfit_of(tri, rest, pull, uv, low, high) < misfit[chart]:
                uv[low:high] = seen
            misfit[chart] = relax(tri, rest, pull, uv, low, high)
        state[chart] = faults(corners, faces, across, uv, low, high, wrong)


@dataclass(frozen=True)
class Tried:
    """``flat``, and what is wrong: ``state`` (C,) as in :mod:`nodes.mesh._sound`, ``wrong`` (M,) faces."""

    flat: Flat
    state: Array
    wrong: Array


@dataclass(frozen=True)
class Numbered:
    """Vertices and faces chart by chart. ``corners``: (M, 3) chart vertices at ``place`` (V, 3). ``order``: (M,) faces.

    ``start``, ``bounds``: (C + 1,) first face and first vertex of each chart. ``across``: (M, 3) as in the chart.
    """

    corners: Array
    place: Array
    order: Array
    start: Array
    bounds: Array
    across: Array


def _vertices(surface: Surface, label: Array) -> Numbered:
    across = surface.inside(label)
    corners = surface.vertices(across)
    order, count = np.argsort(label, kind="stable"), int(label.max()) + 1
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))])
    total = int(corners.max()) + 1
    renamed, place = np.full(total, -1, np.int64), np.empty((total, 3))
    bounds = np.zeros(count + 1, np.int64)
    _named(corners, order, label, surface.at, renamed, bounds, place)
    return Numbered(renamed[corners], place, order, start, bounds, across)


def flattened(run: Run, surface: Surface, label: Array, relaxed: bool, before: Tried | None = None) -> Tried:
    """All charts flat, each for itself; those that were sound in ``before`` and have not changed stay as they were."""
    chart = _vertices(surface, label)
    count = len(chart.start) - 1
    uv, misfit, state = np.zeros((len(chart.place), 2)), np.zeros(count), np.zeros(count, np.int64)
    wrong, todo = np.zeros(len(label), bool), np.arange(count)
    if before is not None:
        kept = before.state[before.flat.label] == 0
        uv[chart.corners[kept]] = before.flat.placed[kept]
        misfit[label[kept]] = before.flat.misfit[before.flat.label[kept]]
        todo = np.unique(label[~kept])

    def work(some: Array) -> None:
        _flatten(
            some, chart.order, chart.start, chart.bounds, chart.place, chart.corners, chart.across, uv, misfit, state,
            wrong, relaxed,
        )  # fmt: skip

    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        for _ in pool.map(work, _tasks(todo, np.diff(chart.start))):
            run.check()
    return Tried(Flat(chart.corners, uv, label, misfit), state, wrong)


def _tasks(charts: Array, sizes: Array) -> list[Array]:
    """Chart numbers in lots of about equal work, the largest charts first."""
    largest = charts[np.argsort(-sizes[charts], kind="stable")]
    lot = np.cumsum(sizes[largest]) // max(2_000, int(sizes.sum()) // 64)
    return np.split(largest, np.flatnonzero(np.diff(lot)) + 1)


def lay_flat(
    run: Run,
    surface: Surface,
    label: Array,
    relaxed: bool = True,
    strain: float = math.inf,
    given: Array | None = None,
) -> Flat:
    """Charts that cover nothing twice and have no turned face; what cannot lie so is cut until it does.

    ``strain``: root mean square change of lengths, above which a chart is cut too. ``given``: (M, 3, 2) corners that
    are kept, but for scale and mirroring, in charts where they are sound.
    """
    label = surface.pieces(label)
    tried = None if given is None else _taken(surface, label, given)
    while tried is None or tried.state.any():
        tried = flattened(run, surface, label, relaxed, tried)
        area = np.bincount(label, surface.area)
        tried.state[(tried.flat.misfit > strain**2 * area) & (np.bincount(label) > 1)] |= STRAINED
        if tried.state.any():
            label = surface.pieces(_cut(surface, tried, area))
    return tried.flat


def _taken(surface: Surface, label: Array, given: Array) -> Tried:
    """Charts as given, turned back where mirrored, all scaled so that together they have the area in space."""
    chart = _vertices(surface, label)
    one, two = given[:, 1] - given[:, 0], given[:, 2] - given[:, 0]
    twice = np.bincount(label, one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    size = math.sqrt(float(surface.area.sum()) / max(float(np.abs(twice).sum()) / 2, 1e-300))
    given = given * np.stack([np.where(twice < 0, -size, size), np.full(len(twice), size)], axis=1)[label][:, None, :]
    uv, count = np.zeros((len(chart.place), 2)), len(twice)
    uv[chart.corners] = given
    state, wrong = np.zeros(count, np.int64), np.zeros(len(label), bool)
    _check(chart.order, chart.start, chart.bounds, chart.corners, chart.across, uv, state, wrong)
    return Tried(Flat(chart.corners, uv, label, np.zeros(count)), state, wrong)


@kernel
def _check(
    order: Array, start: Array, bounds: Array, corners: Array, across: Array, uv: Array, state: Array, wrong: Array
) -> None:
    for chart in range(len(state)):
        faces = order[start[chart] : start[chart + 1]]
        state[chart] = faults(corners, faces, across, uv, bounds[chart], bounds[chart + 1], wrong)


def _cut(surface: Surface, tried: Tried, area: Array) -> Array:
    """Labels in which few wrong faces are charts of their own, and a chart with many is in halves."""
    label, state = tried.flat.label, tried.state
    share = np.bincount(label, surface.area * tried.wrong, minlength=len(area)) / area
    few = (state == TURNED) & (share < 0.05)
    half = halves(surface.inside(label), np.argsort(label, kind="stable"), label, (state > 0) & ~few)
    return np.asarray(label * 4 + half + 2 * (tried.wrong & few[label]))


@kernel
def _spread(faces: Array, across: Array, seeds: Array, mark: Array, queue: Array) -> int:
    """Number the faces 1, 2, … by the seed they are nearest to, in steps; returns the face reached last."""
    for f in faces:
        mark[f] = 0
    head, tail = 0, len(seeds)
    for i in range(len(seeds)):
        queue[i], mark[seeds[i]] = seeds[i], i + 1
    while head < tail:
        f = queue[head]
        head += 1
        for k in range(3):
            g = across[f, k]
            if g >= 0 and mark[g] == 0:
                mark[g] = mark[f]
                queue[tail] = g
                tail += 1
    return int(queue[tail - 1])


@kernel
def _halved(order: Array, start: Array, across: Array, cut: Array, mark: Array) -> None:
    queue, one, two = np.empty(len(order), np.int64), np.empty(1, np.int64), np.empty(2, np.int64)
    for chart in range(len(cut)):
        if cut[chart]:
            faces = order[start[chart] : start[chart + 1]]
            one[0] = faces[0]
            two[0] = one[0] = _spread(faces, across, one, mark, queue)
            two[1] = _spread(faces, across, one, mark, queue)
            _spread(faces, across, two, mark, queue)


def halves(across: Array, order: Array, label: Array, cut: Array) -> Array:
    """(M,) 0 or 1: which half a face of the charts in ``cut`` (C,) is in, nearer to one of its two far ends."""
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=len(cut)))])
    mark = np.ones(len(label), np.int64)
    _halved(order, start, across, cut, mark)
    return np.asarray(mark - 1)
