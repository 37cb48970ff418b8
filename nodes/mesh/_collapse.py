"""Fewer faces by edge collapse: seams, hard edges, borders of groups and open borders stay, closed stays closed.

Quadrics over position and attributes say what a collapse costs (:mod:`nodes.mesh._quadric`), the cheapest goes first
(:mod:`nodes.mesh._contract`). A vertex on a line of features moves along that line only, and where lines meet it stays.
While many faces are left, edges are taken in small neighbourhoods up to a common cost, so that the work stays within
the processor's cache, and regions side by side; what cheap edges remain between them goes in a later round. The last
round is one queue.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_steps import tidy
from nodes.mesh._collapse_tables import (
    BORDER,
    BUCKETS,
    CROWD,
    EMPTY,
    FACES,
    FEATURE,
    FULL,
    GONE,
    GROUP,
    HARD,
    PAUSE,
    SEAM,
)
from nodes.mesh._contract import contract, line_up, weigh_all
from nodes.mesh._net import SOFT_SHIFT, Net, Surface, kinds, net_of, soften
from nodes.mesh._quadric import FIRST, gather
from nodes.mesh._regions import Regions, cuts_of

Array = NDArray[Any]
Told = Callable[[float], None]
APART, LOOKS, BANDS = 3, 30_000, 8
GENTLE, FIRM, BLUNT = 0.7, 0.2, 0.02


@dataclass(frozen=True)
class Rules:
    """``free``: vertices move to where the error is least, else onto old ones, which keeps every attribute exact.

    The weights hold lines in place, each against faces of weight 1; 0 lets a line drift. ``hard_degrees``: faces that
    meet at more than this and have normals of their own make a hard edge.
    """

    free: bool = True
    border: float = 10.0
    seam: float = 1.0
    hard: float = 1.0
    group: float = 1.0
    hard_degrees: float = 30.0


class Collapsed(NamedTuple):
    """``points``: (V, 3) float64. ``faces``, ``wedges``: (T, 3) int32. ``attributes``: (W, m).

    ``face_of``: (T,) the old number of each face. ``wedge_of``: (W,) old wedges. ``hard``: (T, 3) bool, its sides that
    are hard edges.
    """

    points: Array
    faces: Array
    wedges: Array
    attributes: Array
    face_of: Array
    wedge_of: Array
    hard: Array


def collapse(surface: Surface, target: int, rules: Rules, told: Told) -> Collapsed:
    """At most ``target`` faces, or as few as the shape allows. ``told``: called with the share done, for stopping."""
    net = net_of(surface, rules.hard_degrees)
    told(0.05)
    work = _Work(net, target, rules, surface.uv, told)
    work.run()
    return _result(net)


def _result(net: Net) -> Collapsed:
    alive = net.tri[:, 0] >= 0
    tri = net.tri[alive]
    used, faces = np.unique(tri[:, :3], return_inverse=True)
    kept, wedges = np.unique(tri[:, 3:6], return_inverse=True)
    flags = net.edge[tri[:, 6:9], 3]
    return Collapsed(
        points=net.at[used] * net.size + net.middle,
        faces=faces.reshape(-1, 3).astype(np.int32),
        wedges=wedges.reshape(-1, 3).astype(np.int32),
        attributes=net.s[kept] if len(net.s) else net.s,
        face_of=net.face_of[alive],
        wedge_of=net.wedge_of[kept],
        hard=(flags & (HARD | HARD << SOFT_SHIFT)) != 0,
    )


class _Work:
    """The rounds of one reduction."""

    def __init__(self, net: Net, target: int, rules: Rules, uv: bool, told: Told) -> None:
        self.net, self.target, self.free, self.uv, self.told = net, target, rules.free, uv, told
        many = net.s.shape[1]
        self.q = np.zeros((len(net.s) if many else len(net.at), FIRST + 4 * many))
        gather(net.tri, net.at, net.s, net.edge, _walls(rules), self.q)
        self.cost = np.empty(len(net.edge), np.float32)
        self.heads = np.full(BUCKETS, -1, np.int32)
        self.cuts = cuts_of(net)
        self.start, self.least, self.lines = int(net.lot[FACES]), GENTLE, FEATURE ^ SEAM

    @property
    def left(self) -> int:
        return int(self.net.lot[FACES])

    def run(self) -> None:
        """Until the target is reached or nothing more can go: first as gently as asked, then with less care."""
        self.sweep()
        if self.left > self.target and soften(self.net.edge):
            kinds(self.net.edge, self.net.vert)
            self.sweep()
        for least, lines in ((FIRM, self.lines), (BLUNT, BORDER | CROWD)):
            self.least, self.lines = least, lines
            self.sweep()

    def sweep(self) -> None:
        """Weigh all edges and collapse; again while that helps, since a collapse can make room for its neighbours."""
        before = self.left + 1
        while self.target < self.left < before:
            before = self.left
            self.weigh()
            while self.left > APART * self.target and self.blocks():
                pass
            if self.left > self.target:
                self.rest()

    def weigh(self) -> None:
        """The cost of every edge, in bands side by side."""
        net, cuts = self.net, np.linspace(0, len(self.net.edge), 1 + BANDS).astype(int)

        def band(i: int) -> None:
            tables = net.tri, net.vert, net.edge, net.at, self.q, net.s, net.refs
            weigh_all(cuts[i], cuts[i + 1], self.free, *tables, self.cost)

        with ThreadPoolExecutor() as pool:
            list(pool.map(band, range(BANDS)))

    def blocks(self) -> bool:
        """One round over neighbourhoods, up to the middle of the costs; whether it took away a good part."""
        self.tell()
        net, before = self.net, self.left
        here = np.flatnonzero((net.edge[:, 3] & GONE) == 0)
        limit = float(np.median(self.cost[here[::7]]))
        tidy(net.tri, net.vert, net.refs, net.lot)
        regions = Regions(net, self.cuts, self.target)

        def fell(region: int, low: int, high: int) -> bool:
            return self._fell(regions, region, low, high, _bucket_of(limit))

        regions.each(here, fell, lambda left: self.tell(before - left))
        return self.left < 0.9 * before

    def _fell(self, regions: Regions, region: int, low: int, high: int, last: int) -> bool:
        """Collapse the cheap edges of one neighbourhood; whether the region has room for more."""
        net, lot, heads, state = self.net, regions.lots[region], regions.heads[region], PAUSE
        line_up(low, high, last, self.cost, net.edge, heads, lot)
        while state == PAUSE and not regions.stopped:
            state = self._contract(regions.goals[region], last, heads, lot)
        return bool(state == EMPTY)

    def tell(self, gone: int = 0) -> None:
        """``gone``: faces of the present round that are not counted yet."""
        done = (self.start - self.left + gone) / max(1, self.start - self.target)
        self.told(0.1 + 0.9 * min(1.0, max(0.0, done)))

    def rest(self) -> None:
        """All edges in one queue, to the end."""
        net, state = self.net, PAUSE
        self.heads[:] = -1
        line_up(0, len(self.cost), BUCKETS, self.cost, net.edge, self.heads, net.lot)
        while state in (PAUSE, FULL):
            self.tell()
            state = self._contract(self.target, BUCKETS, self.heads, net.lot)
            if state == FULL:
                tidy(net.tri, net.vert, net.refs, net.lot)

    def _contract(self, goal: int, last: int, heads: Array, lot: Array) -> int:
        net = self.net
        how = goal, last, LOOKS, self.free, self.uv, self.least, self.lines
        return int(contract(*how, net.tri, net.vert, net.edge, net.at, self.q, net.s, net.refs, heads, self.cost, lot))


def _bucket_of(cost: float) -> int:
    return int(np.float32(cost).view(np.int32)) >> 17


def _walls(rules: Rules) -> Array:
    """(256,) the weight of each combination of flags: the strongest of its lines."""
    weights = ((BORDER, rules.border), (SEAM, rules.seam), (HARD, rules.hard), (GROUP, rules.group), (CROWD, 1.0))
    return np.array([max([w for flag, w in weights if flags & flag], default=0.0) for flags in range(256)])
