"""Which UV chart the filling of a hole belongs to, where the rim of the hole runs through several."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._mending import Sheet
from nodes.mesh._topology import joined, weld_rows

Array = NDArray[Any]


def charted(mesh: Mesh, sheet: Sheet) -> Sheet:
    """Each face of a filling takes the attributes of all its corners from one chart, the one most of them lie in.

    A corner that is not in it takes those of a corner that is: such a face has no area in UV space, and so shows the
    colour at the seam, where it would else smear the texture between two charts.
    """
    which = np.flatnonzero(sheet.patch)
    if mesh.uv is None or not len(which):
        return sheet
    chart = _charts(mesh, sheet)
    at = np.isin(sheet.faces, sheet.faces[which]) & ~sheet.patch[:, None]
    there: dict[int, dict[int, int]] = defaultdict(dict)
    for vertex, source in zip(sheet.faces[at].tolist(), sheet.origin[at].tolist(), strict=True):
        there[vertex].setdefault(int(chart[source]), source)
    origin = sheet.origin.copy()
    for face in which.tolist():
        origin[face] = _alike([there[v] for v in sheet.faces[face].tolist()], sheet.origin[face].tolist())
    return replace(sheet, origin=origin)


def _charts(mesh: Mesh, sheet: Sheet) -> Array:
    """(stock + blends,) the chart of each origin: faces that share a corner by place and UV are in one chart."""
    assert mesh.uv is not None
    alike = weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1))
    names = np.concatenate([alike.ids, alike.count + np.arange(len(sheet.blend), dtype=np.int32)])
    corner = names[sheet.origin[~sheet.patch]]
    pairs = np.concatenate([corner[:, :2], corner[:, 1:]])
    return np.asarray(joined(len(names), pairs)[1][names])


def _alike(there: list[dict[int, int]], before: list[int]) -> list[int]:
    """``there``: for each corner, which charts it lies in and as what."""
    found = Counter(chart for corner in there for chart in corner)
    if not found:
        return before
    best = min(found, key=lambda chart: (-found[chart], chart))
    known = next(corner[best] for corner in there if best in corner)
    return [corner.get(best, known) for corner in there]
