"""Flatten all charts of a surface, in threads, and cut what does not lie flat without overlap."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Run
from nodes.mesh._halves import halves
from nodes.mesh._isometric import misfit_of, relax, rest_shapes
from nodes.mesh._jit import kernel
from nodes.mesh._lying import Lying
from nodes.mesh._sound import STRAINED, TURNED, faults
from nodes.mesh._surface import Flat, Surface, Tried, numbered
from nodes.mesh._unroll import alone, begin

Array = NDArray[Any]
PROJECTED, FRESH, RELAXED = 0, 1, 2


@kernel
def _flatten(
    charts: Array, order: Array, start: Array, bounds: Array, at: Array, corners: Array, across: Array, uv: Array,
    misfit: Array, state: Array, wrong: Array, way: int,
) -> None:  # fmt: skip
    """Flatten the named charts; ``state`` (C,) becomes what is wrong with each. ``RELAXED`` begins with ``uv``."""
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
        if way != RELAXED:
            begin(at, tri, rest, pull, corners, across, faces, uv, low, high, way == FRESH)
        misfit[chart] = misfit_of(tri, rest, pull, uv, low, high)
        if way != PROJECTED:
            misfit[chart] = relax(tri, rest, pull, uv, low, high)
        state[chart] = faults(corners, faces, across, uv, low, high, wrong)


def flattened(
    run: Run, surface: Surface, label: Array, way: int, before: Tried | None = None, anew: Array | None = None
) -> Tried:
    """All charts flat, each for itself.

    ``before``: what was there. Of that, the charts of the faces ``anew`` (M,) are flattened again, by default those
    that were not sound; the others stay as they were. ``way``: PROJECTED, FRESH, or RELAXED from where they are.
    """
    chart = numbered(surface, label)
    count = len(chart.start) - 1
    uv, misfit, state = np.zeros((len(chart.place), 2)), np.zeros(count), np.zeros(count, np.int64)
    wrong, todo = np.zeros(len(label), bool), np.arange(count)
    if before is not None:
        flat = before.flat
        anew = before.state[flat.label] > 0 if anew is None else anew
        uv[chart.corners] = flat.placed
        misfit[label] = flat.misfit[flat.label]
        todo = np.unique(label[anew])

    def work(some: Array) -> None:
        _flatten(
            some, chart.order, chart.start, chart.bounds, chart.place, chart.corners, chart.across, uv, misfit, state,
            wrong, way,
        )  # fmt: skip

    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        for _ in pool.map(work, _tasks(todo, np.diff(chart.start))):
            run.check()
    return Tried(Flat(chart.corners, uv[chart.corners], label, misfit), state, wrong)


def _tasks(charts: Array, sizes: Array) -> list[Array]:
    """Chart numbers in lots of about equal work, the largest charts first."""
    largest = charts[np.argsort(-sizes[charts], kind="stable")]
    lot = np.cumsum(sizes[largest]) // max(2_000, int(sizes.sum()) // 64)
    return np.split(largest, np.flatnonzero(np.diff(lot)) + 1)


def lay_flat(
    run: Run,
    surface: Surface,
    label: Array,
    way: int = FRESH,
    strain: float = math.inf,
    given: Array | None = None,
) -> Flat:
    """Charts that cover nothing twice and have no turned face; what cannot lie so is cut until it does.

    ``strain``: root mean square change of lengths, above which a chart is cut too. ``given``: (M, 3, 2) corners that
    are kept, but for scale and mirroring, in charts where they are sound.
    """
    label = surface.pieces(label)
    tried = None if given is None else _taken(surface, label, given)
    lying = Lying(surface)
    while tried is None or tried.state.any():
        tried = flattened(run, lying.part, label, way, tried)
        area = np.bincount(label, lying.part.area)
        tried.state[(tried.flat.misfit > strain**2 * area) & (np.bincount(label) > 1)] |= STRAINED
        if tried.state.any():
            label, tried = lying.put_away(lying.part.whole(_cut(lying.part, tried, area), len(area)), tried)
    return lying.joined(tried.flat)


def _taken(surface: Surface, label: Array, given: Array) -> Tried:
    """Charts as given, turned back where mirrored, all scaled so that together they have the area in space."""
    chart = numbered(surface, label)
    one, two = given[:, 1] - given[:, 0], given[:, 2] - given[:, 0]
    twice = np.bincount(label, one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    size = math.sqrt(float(surface.area.sum()) / max(float(np.abs(twice).sum()) / 2, 1e-300))
    given = given * np.stack([np.where(twice < 0, -size, size), np.full(len(twice), size)], axis=1)[label][:, None, :]
    uv, count = np.zeros((len(chart.place), 2)), len(twice)
    uv[chart.corners] = given
    state, wrong = np.zeros(count, np.int64), np.zeros(len(label), bool)
    _check(chart.order, chart.start, chart.bounds, chart.corners, chart.across, uv, state, wrong)
    return Tried(Flat(chart.corners, given, label, np.zeros(count)), state, wrong)


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
