"""Fewer faces by edge collapse: seams, hard edges, borders of groups and open borders stay, closed stays closed.

Quadrics over position and attributes say what a collapse costs (:mod:`nodes.mesh._quadric`), the cheapest goes first
(:mod:`nodes.mesh._contract`). A vertex on a line of features moves along that line only, and where lines meet it stays.
While many faces are left, parts of the mesh go down to a common cost side by side and are joined again
(:mod:`nodes.mesh._levels`). The last level is one queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_tables import BORDER, BUCKETS, CROWD, FACES, FEATURE, GROUP, HARD, SEAM
from nodes.mesh._ground import Ground, Upper, Whole, packed
from nodes.mesh._levels import Queue, Way, level, parts_of
from nodes.mesh._net import SOFT_SHIFT, Net, Surface, soften
from nodes.mesh._topology import compacted

Array = NDArray[Any]
Told = Callable[[float], None]
APART, DEEP, BANDS = 2, 5, 8
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
    ground = Ground(surface, _walls(rules), float(np.cos(np.radians(rules.hard_degrees))))
    told(0.05)
    work = _Work(ground, target, Way(rules.free, surface.uv, GENTLE, FEATURE ^ SEAM), told)
    work.run()
    return _result(work.net, ground)


def _result(net: Net, ground: Ground) -> Collapsed:
    alive = net.tri[:, 0] >= 0
    tri = net.tri[alive]
    used, faces = compacted(tri[:, :3], len(net.at))
    kept, wedges = compacted(tri[:, 3:6], len(net.q))
    flags = net.edge[tri[:, 6:9], 3]
    return Collapsed(
        points=net.at[used] * ground.size + ground.middle,
        faces=faces,
        wedges=wedges,
        attributes=net.s[kept] if len(net.s) else net.s,
        face_of=net.face_of[alive],
        wedge_of=net.wedge_of[kept],
        hard=(flags & (HARD | HARD << SOFT_SHIFT)) != 0,
    )


class _Work:
    """The levels of one reduction."""

    def __init__(self, ground: Ground, target: int, way: Way, told: Told) -> None:
        self.target, self.way, self.told, self.start = target, way, told, ground.count
        self.net = self.lowered(ground)

    @property
    def left(self) -> int:
        return int(self.net.lot[FACES])

    def run(self) -> None:
        """Until the target is reached or nothing more can go: first as gently as asked, then with less care."""
        self.sweep()
        if self.left > self.target and soften(self.net.edge):
            self.net = self.lowered(Upper(packed(self.net)))
            self.sweep()
        for least, lines in ((FIRM, FEATURE ^ SEAM), (BLUNT, BORDER | CROWD)):
            self.way = self.way._replace(least=least, lines=lines)
            self.sweep()

    def lowered(self, whole: Whole) -> Net:
        """Level by level, until one queue can do the rest."""
        while whole.count > APART * self.target and parts_of(whole.count) > 1:
            goal, before = max(int(APART * self.target), int(whole.count / DEEP)), whole.count
            whole = Upper(level(whole, goal, self.target, self.way, self.tell))
            if whole.count > 0.9 * before:
                break
        return whole.uncut()

    def sweep(self) -> None:
        """Weigh all edges and collapse; again while that helps, since a collapse can make room for its neighbours."""
        before = self.left + 1
        while self.target < self.left < before:
            before = self.left
            queue = Queue(self.net, self.way)
            queue.weigh(BANDS)
            queue.line_up(BUCKETS)
            queue.until(self.target, BUCKETS, lambda: self.tell(self.left))

    def tell(self, left: float) -> None:
        done = (self.start - left) / max(1, self.start - self.target)
        self.told(0.1 + 0.9 * min(1.0, max(0.0, done)))


def _walls(rules: Rules) -> Array:
    """(256,) the weight of each combination of flags: the strongest of its lines."""
    weights = ((BORDER, rules.border), (SEAM, rules.seam), (HARD, rules.hard), (GROUP, rules.group), (CROWD, 1.0))
    return np.array([max([w for flag, w in weights if flags & flag], default=0.0) for flags in range(256)])
