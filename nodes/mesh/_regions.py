"""Parts of a mesh that are worked on side by side without touching each other.

Vertices, edges and faces are numbered along the surface, so a region is a range of vertices. A collapse whose
neighbourhood reaches out of its region waits for the last round. Regions depend on the mesh only, never on the machine:
the result is the same on any number of processors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_tables import BUCKETS, FACES, HIGH, LOW, ROOM, STAMP, TAIL
from nodes.mesh._net import Net

Array = NDArray[Any]
FACES_EACH, MOST = 50_000, 8
BLOCK, SPARE, PATIENCE_S = 12_000, 1.2, 0.05


class Cuts(NamedTuple):
    """Where regions begin and end: (R + 1,) vertices, (R + 1,) edges."""

    vertices: Array
    edges: Array


def cuts_of(net: Net) -> Cuts:
    """For a net of which nothing has collapsed yet."""
    count = int(np.clip(round(len(net.tri) / FACES_EACH), 1, MOST))
    ends = np.linspace(0, len(net.tri), count + 1).astype(int)
    parts = [net.tri[low:high] for low, high in pairwise(ends)]
    vertices, edges = (
        np.maximum.accumulate([part[:, columns].max(initial=-1) + 1 for part in parts])
        for columns in (slice(3), slice(6, 9))
    )
    return Cuts(np.concatenate([[0], vertices]), np.concatenate([[0], edges]))


class Regions:
    """One round. ``lots``, ``heads``: tables of each region. ``goals``: faces at which each has to end."""

    def __init__(self, net: Net, cuts: Cuts, target: int) -> None:
        """Lists of faces have just been packed: what is free behind them is shared out."""
        self.net, self.cuts, self.stopped = net, cuts, False
        count = len(cuts.edges) - 1
        self.lots = np.tile(net.lot, (count, 1))
        self.heads = np.full((count, BUCKETS), -1, np.int32)
        corners = np.concatenate([[0], np.cumsum(net.vert[:, 1])])[cuts.vertices]
        room = np.linspace(int(net.lot[TAIL]), len(net.refs), count + 1).astype(int)
        self.lots[:, TAIL], self.lots[:, ROOM] = room[:-1], room[1:]
        self.lots[:, LOW], self.lots[:, HIGH] = cuts.vertices[:-1], cuts.vertices[1:]
        self.before = np.diff(corners) // 3
        self.lots[:, FACES] = self.before
        share = min(1.0, SPARE * target / max(1, int(net.lot[FACES])))
        self.goals = [int(n) for n in np.ceil(self.before * share)]

    @property
    def left(self) -> int:
        """Faces of the whole net."""
        return int(self.net.lot[FACES] - (self.before - self.lots[:, FACES]).sum())

    def each(self, here: Array, fell: Callable[[int, int, int], bool], told: Callable[[int], None]) -> None:
        """Call ``fell`` (region, first edge, last edge) for every neighbourhood, until it returns false.

        ``here``: living edges, rising. ``told``: called now and then with the faces left, from this thread.
        """

        def work(region: int) -> None:
            low, high = self.cuts.edges[region], self.cuts.edges[region + 1]
            own = here[np.searchsorted(here, low) : np.searchsorted(here, high)]
            for first, last in pairwise([*own[::BLOCK].tolist(), int(high)]):
                if self.stopped or not fell(region, first, last):
                    return

        with ThreadPoolExecutor(min(len(self.lots), os.cpu_count() or 1)) as pool:
            jobs = [pool.submit(work, region) for region in range(len(self.lots))]
            try:
                while wait(jobs, PATIENCE_S).not_done:
                    told(self.left)
            finally:
                self.stopped = True
        for job in jobs:
            job.result()
        self._settle()

    def _settle(self) -> None:
        self.net.lot[FACES] = self.left
        self.before = self.lots[:, FACES].copy()
        self.net.lot[STAMP] = self.lots[:, STAMP].max()
        self.net.lot[TAIL] = len(self.net.refs)
