"""Charts that lie flat put away, so that the work goes on with the others alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._surface import Flat, Surface, Tried, numbered
from nodes.mesh._topology import edges_of

Array = NDArray[Any]
WORTH = 0.1


class Lying:
    """What of a surface lies flat already. The faces of ``part`` are those that are left to do."""

    def __init__(self, surface: Surface) -> None:
        self.surface = self.part = surface
        self.face = np.arange(len(surface.area))
        self.label = np.full(len(surface.area), -1, np.int64)
        self.placed = np.zeros((len(surface.area), 3, 2))
        self.misfit: list[Array] = []

    def put_away(self, label: Array, tried: Tried) -> tuple[Array, Tried]:
        """Keep the sound charts of ``tried``; ``label`` and ``tried`` of the others, over the ``part`` that is left.

        Nothing is put away where it would save little, or where quads are kept whole over borders of charts.
        """
        flat, sound = tried.flat, (tried.state == 0)[tried.flat.label]
        if self.part.mate is not None or sound.mean() < WORTH:
            return label, tried
        self._keep(sound, flat)
        left = np.flatnonzero(~sound)
        self.part, self.face = part_of(self.part, left), self.face[left]
        names, was = np.unique(flat.label[left], return_inverse=True)
        now = np.unique(label[left], return_inverse=True)[1].astype(np.int32)
        rest = Flat(flat.corners[left], flat.placed[left], was, flat.misfit[names])
        return now, Tried(rest, tried.state[names], tried.wrong[left])

    def joined(self, flat: Flat) -> Flat:
        """All that was put away with ``flat``, the rest."""
        if not self.misfit:
            return flat
        self._keep(np.ones(len(self.face), bool), flat)
        label = self.surface.pieces(self.label)
        misfit = np.zeros(int(label.max()) + 1)
        misfit[label] = np.concatenate(self.misfit)[self.label]
        return Flat(numbered(self.surface, label).corners, self.placed, label, misfit)

    def _keep(self, which: Array, flat: Flat) -> None:
        rows = self.face[which]
        self.label[rows] = flat.label[which] + sum(map(len, self.misfit))
        self.placed[rows] = flat.placed[which]
        self.misfit.append(flat.misfit)


def part_of(surface: Surface, left: Array) -> Surface:
    """The faces ``left`` (K,) of a surface without quads, cut from the others."""
    new = np.full(len(surface.area), -1, np.int32)
    new[left] = np.arange(len(left), dtype=np.int32)
    beside, faces = surface.across[left], surface.faces[left]
    across = np.where(beside >= 0, new[beside], np.int32(-1))
    edges = edges_of(np.ascontiguousarray(faces))
    at, facing, area, side = (rows[left] for rows in (surface.at, surface.facing, surface.area, surface.side))
    return Surface(at, faces, edges, across, facing, area, side)
