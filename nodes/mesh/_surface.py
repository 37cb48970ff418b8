"""A surface that is cut into charts, and the charts laid flat.

``label``: (M,) int32 chart of each face, a connected piece each. Positions in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._topology import Edges, fans, joined

Array = NDArray[Any]


@dataclass(frozen=True)
class Surface:
    """``at``: (M, 3, 3) float64 corner positions, metres. ``faces``: (M, 3) welded vertices. ``edges``: over them.

    ``across``: (M, 3) int32 neighbour over each side or -1 at borders and seams. ``facing``: (M, 3) unit normals.
    ``area``: (M,) m², > 0. ``side``: (M, 3) lengths. ``mate``: (M,) int32 the other triangle of its quad or itself,
    where the mesh was made of quads.
    """

    at: Array
    faces: Array
    edges: Edges
    across: Array
    facing: Array
    area: Array
    side: Array
    mate: Array | None = None

    def inside(self, label: Array) -> Array:
        """(M, 3) neighbours of the same chart, else -1."""
        return np.where((self.across >= 0) & (label[self.across] == label[:, None]), self.across, -1).astype(np.int32)

    def pieces(self, label: Array) -> Array:
        """``label`` numbered anew so that each chart is connected."""
        face, k = np.nonzero(self.inside(label) >= 0)
        return joined(len(label), np.stack([face, self.across[face, k]], axis=1))[1]

    def whole(self, label: Array, charts: int = 0) -> Array:
        """:meth:`pieces` with both triangles of a quad in one chart, as long as that leaves more than ``charts``."""
        if self.mate is None:
            return self.pieces(label)
        together = self.pieces(label[np.minimum(self.mate, np.arange(len(label)))])
        return together if int(together.max(initial=-1)) + 1 > charts else self.pieces(label)

    def vertices(self, across: Array) -> Array:
        """(M, 3) chart vertices: corners at one place belong together when one can walk between them in the chart."""
        pairs = self.edges.pairs
        return fans(self.edges, self.faces, pairs[across.ravel()[pairs[:, 0]] >= 0])[1]


@dataclass(frozen=True)
class Flat:
    """``corners``: (M, 3) chart vertices. ``placed``: (M, 3, 2) metres. ``label``: (M,). ``misfit``: (C,) m²."""

    corners: Array
    placed: Array
    label: Array
    misfit: Array


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


def numbered(surface: Surface, label: Array) -> Numbered:
    across = surface.inside(label)
    corners = surface.vertices(across)
    order, count = np.argsort(label, kind="stable"), int(label.max()) + 1
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))])
    total = int(corners.max()) + 1
    renamed, place = np.full(total, -1, np.int64), np.empty((total, 3))
    bounds = np.zeros(count + 1, np.int64)
    _named(corners, order, label, surface.at, renamed, bounds, place)
    return Numbered(renamed[corners], place, order, start, bounds, across)


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
