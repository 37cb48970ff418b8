"""Take out faces that run through one another, with a ring around them, and close the gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh import _holes as holes
from nodes.mesh import _mending as mending
from nodes.mesh._mending import Sheet
from nodes.mesh._topology import edges_of, joined

Array = NDArray[Any]
Told = Callable[[float], None]
RINGS = (1, 2, 4)
LARGEST_AREA = 0.1
LARGEST_EXTENT = 0.25
CRUMB = 0.001


def untangled(sheet: Sheet, told: Told) -> tuple[Sheet, int | None, int | None]:
    """(sheet, pairs of crossing faces before, pairs after); None where they were too many to count.

    Each group of crossing faces is removed with one ring of neighbours, then two, then four, until what fills the gap
    crosses nothing. Groups with more than a tenth of the area or a quarter of the extent are no fold in a surface but
    bodies that run through each other: they stay. So does everything when the result has no fewer crossings.
    """
    before = now = pairs_of(sheet, lambda done: told(0.4 * done))
    if before is None:
        return sheet, None, None
    was = len(before)
    for number, rings in enumerate(RINGS):
        if now is None or not len(now):
            break
        tried = _refilled(sheet, now, rings)
        found = pairs_of(tried, lambda done, n=number: told(0.4 + 0.2 * (n + done)))  # type: ignore[misc]
        if found is not None and len(found) < len(now):
            sheet, now = tried, found
    return sheet, was, None if now is None else len(now)


def pairs_of(sheet: Sheet, told: Told) -> Array | None:
    """(P, 2) faces that run through one another, or None when the search was given up."""
    from nodes.mesh._crossing import crossings

    found = crossings(sheet.points, sheet.faces, told)
    return found.pairs if found.whole else None


def _refilled(sheet: Sheet, pairs: Array, rings: int) -> Sheet:
    bad = np.zeros(len(sheet.faces), bool)
    bad[pairs.ravel()] = True
    for _ in range(rings):
        bad = _touching(sheet, bad)
    bad = _folds(sheet, bad, pairs)
    open_before = _bits(sheet.points[_border(sheet)])
    rest = _without_islands(sheet, bad)
    rest, _, _ = mending.wound(rest)
    fresh = ~np.isin(_bits(rest.points), open_before)
    rest, _ = mending.unstuck(rest)
    return holes.closed_up(rest, np.inf, fresh)[0]


def _border(sheet: Sheet) -> Array:
    edges = edges_of(sheet.faces)
    return np.unique(edges.ends[edges.boundary])


def _touching(sheet: Sheet, bad: Array) -> Array:
    at = np.zeros(len(sheet.points), bool)
    at[sheet.faces[bad]] = True
    return np.asarray(at[sheet.faces].any(axis=1))


def _folds(sheet: Sheet, bad: Array, pairs: Array) -> Array:
    """Those groups of marked faces that are small."""
    which = np.flatnonzero(bad)
    corner = sheet.faces[which].ravel()
    first = np.full(len(sheet.points), -1)
    owner = np.repeat(which, 3)
    first[corner[::-1]] = owner[::-1]
    same = np.concatenate([np.stack([first[corner], owner], axis=1), pairs])
    count, group = joined(len(sheet.faces), same)
    area = np.bincount(group[which], sheet.area[which], minlength=count)
    at = sheet.points[sheet.faces[which]]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, group[which], at.min(axis=1))
    np.maximum.at(high, group[which], at.max(axis=1))
    small = area <= LARGEST_AREA * sheet.area.sum()
    small &= np.linalg.norm(np.where(np.isfinite(high), high - low, 0), axis=1) <= LARGEST_EXTENT * sheet.extent
    return np.asarray(bad & small[group])


def _without_islands(sheet: Sheet, bad: Array) -> Sheet:
    """Without the marked faces, and without small pieces that this cuts off."""
    fresh = np.zeros(len(sheet.points), bool)
    fresh[sheet.faces[bad]] = True
    rest = sheet.only(~bad)
    count, part = mending.part_of(rest)
    area = np.bincount(part, rest.area, minlength=count)
    cut = np.bincount(part, fresh[rest.faces].any(axis=1), minlength=count) > 0
    return rest.only(~(cut & (area < CRUMB * area.max(initial=0.0)))[part])


def _bits(points: Array) -> Array:
    """One number for each distinct position; equal positions have equal numbers."""
    rows = np.ascontiguousarray(points + 0.0).view(np.uint64)
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key
