"""Triangles of even size over a surface: isotropic remeshing (Botsch and Kobbelt 2004), smaller where it is more bent
(Dunyach, Vanderhaeghe, Barthe and Botsch 2013) when that is asked for.

Closed stays closed, handles stay, features and borders stay where they are. Where more than two faces meet, where
faces wind against each other and where the surface touches itself in a point, edges and vertices stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh import _evening, _isotropic
from nodes.mesh._bent import sizes
from nodes.mesh._blend import blend
from nodes.mesh._bvh import Tree, build, nearest
from nodes.mesh._held import areas, kinds, marks
from nodes.mesh._sides import CORNER, FREE, LINE, SHARP, link, packed
from nodes.mesh._topology import edges_of, fans

Array = NDArray[Any]
GROWTH = 1.5
FEW = 0.01
EQUILATERAL = np.sqrt(3) / 4
RESPONSE = 0.7  # edges between too short and too long do not follow the length: a little more than the square root


@dataclass(frozen=True)
class Order:
    """``count``: triangles wanted. ``sharp``: degrees from which an edge is a feature. ``bent``: how many times shorter
    and longer edges may get by curvature, 1: not at all. ``rounds``: of all _evening."""

    count: int
    sharp: float = 40.0
    bent: float = 0.0
    rounds: int = 10


@dataclass
class Net:
    """The arrays of :mod:`nodes.mesh._sides` and :mod:`nodes.mesh._isotropic`, with room at their ends."""

    org: Array
    opp: Array
    mark: Array
    group: Array
    at: Array
    out: Array
    kind: Array
    size: Array
    lot: Array

    def grow(self) -> None:
        sides, vertices = int(len(self.org) * GROWTH) // 3 * 3 + 3000, int(len(self.at) * GROWTH) + 1000
        for name in ("org", "opp", "mark", "group", "at", "out", "kind", "size"):
            old = getattr(self, name)
            rows = sides if name in ("org", "opp", "mark") else sides // 3 if name == "group" else vertices
            new = np.zeros((rows, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def room(self) -> int:
        """Places for the faces around one vertex: twice what there are."""
        used = self.org[: 3 * self.lot[0]]
        return 64 + 2 * int(np.bincount(used[used >= 0]).max())

    def pack(self) -> None:
        sides = 3 * self.lot[0]
        rename, keep = np.empty(self.lot[1], np.int32), np.empty(self.lot[1], np.int32)
        self.lot[0] = packed(self.org[:sides], self.opp, self.mark, self.group, self.out, rename, keep)
        used = keep[: int(self.org[: 3 * self.lot[0]].max()) + 1]
        for name in ("at", "kind", "size"):
            old = getattr(self, name)
            old[: len(used)] = old[used]
        self.lot[1] = len(used)


@dataclass(frozen=True)
class Ground:
    """The surface that was, to come back to. ``line``: its features and borders, or None. ``wish``: (V,) lengths."""

    points: Array
    faces: Array
    tree: Tree
    ends: Array
    line: Tree | None
    wish: Array


@dataclass(frozen=True)
class Even:
    """``points``: (V, 3) float64. ``faces``: (M, 3) int32. ``groups``: (M,) int32. ``sharp``: (M, 3) features
    that are sharp edges, by side."""

    points: Array
    faces: Array
    groups: Array
    sharp: Array


def remeshed(points: Array, faces: Array, groups: Array | None, order: Order, told: Callable[[float], None]) -> Even:
    """``points``: (V, 3) float64, welded. ``faces``: (M, 3) int32 with area in sum. ``groups``: borders stay."""
    low, high = points[faces].reshape(-1, 3).min(axis=0), points[faces].reshape(-1, 3).max(axis=0)
    middle, scale = (low + high) / 2, float(np.linalg.norm(high - low))
    at = (points - middle) / scale
    length = float(np.sqrt(areas(at, faces).sum() / EQUILATERAL / order.count))
    net, ground = _made(at, faces, groups, order, length)
    _collapse(net)
    for turn in range(order.rounds):
        told(turn / order.rounds)
        _round(net, ground)
        if turn < order.rounds - 1:
            change = (net.lot[0] / order.count) ** RESPONSE
            net.size[: net.lot[1]] *= change
            ground.wish[:] *= change
    count, sides = int(net.lot[1]), 3 * int(net.lot[0])
    found = net.at[:count] * scale + middle
    return Even(
        found,
        net.org[:sides].reshape(-1, 3).copy(),
        net.group[: sides // 3].copy(),
        (net.mark[:sides] & SHARP != 0).reshape(-1, 3),
    )


def _wishes(at: Array, faces: Array, held: Array, order: Order, length: float) -> Array:
    """(V,) lengths that fill the surface with as many triangles as are wanted, all equilateral."""
    wish = sizes(at, faces, held, length, order.bent)
    if order.bent <= 0:
        return wish
    each = areas(at, faces) / wish[faces].mean(axis=1) ** 2
    return np.asarray(wish * np.sqrt(each.sum() / EQUILATERAL / order.count))


def _made(at: Array, faces: Array, groups: Array | None, order: Order, length: float) -> tuple[Net, Ground]:
    edges = edges_of(faces)
    a, b = edges.pairs.T
    forward = edges.forward.ravel()
    pairs = np.ascontiguousarray(edges.pairs[forward[a] != forward[b]])
    count, fan = fans(edges, faces, pairs)
    org = fan.astype(np.int32).ravel()
    place = np.empty(count, np.int64)
    place[org] = faces.ravel()
    mark = marks(at, faces, groups, edges, pairs, order.sharp, length)
    kind = kinds(at[place], org, mark, pairs, order.sharp)
    kind[(np.bincount(place, minlength=len(at)) > 1)[place]] = CORNER
    wish = _wishes(at, faces, mark.reshape(-1, 3) != 0, order, length)
    group = np.zeros(len(faces), np.int32) if groups is None else groups.astype(np.int32)
    lot, opp, out = np.array([len(faces), count], np.int64), np.empty(len(org), np.int32), np.empty(count, np.int32)
    link(pairs, opp, org, out)
    ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)[(mark != 0) | (opp < 0)]
    net = Net(org, opp, mark, group, at[place], out, kind, wish[place], lot)
    return net, Ground(at, faces, build(at.astype(np.float32), faces), ends, _lines(at, ends), wish)


def _lines(at: Array, ends: Array) -> Tree | None:
    """Segments as triangles without area, for the nearest place on them."""
    return build(at.astype(np.float32), ends[:, [0, 1, 1]].astype(np.int32)) if len(ends) else None


def _round(net: Net, ground: Ground) -> None:
    n = net
    _split(n)
    _collapse(n)
    excess = np.empty(n.lot[1], np.int64)
    _evening.valences(n.org, n.opp, n.at[: n.lot[1]], n.kind, n.lot, excess)
    _evening.flip(n.org, n.opp, n.mark, n.at, n.out, n.lot, excess, n.room())
    _evening.even_out(n.org, n.opp, n.mark, n.at, n.out, n.kind, n.size, n.lot, n.room())
    _back(n, ground)


def _split(n: Net) -> None:
    while True:
        done = _isotropic.split_long(n.org, n.opp, n.mark, n.at, n.out, n.kind, n.size, n.group, n.lot)
        if done == 0:
            break
        if done < 0:
            n.grow()


def _collapse(n: Net) -> None:
    stamp, done = np.empty(n.lot[1], np.int64), n.lot[0]
    while done > FEW * n.lot[0]:
        stamp[:] = -1
        done = _isotropic.collapse_short(n.org, n.opp, n.mark, n.at, n.out, n.kind, n.size, n.lot, stamp, n.room())
    n.pack()


def _back(net: Net, ground: Ground) -> None:
    """Every vertex to the nearest place of the surface that faces its way; those on lines to the nearest line."""
    count = int(net.lot[1])
    at, kind = net.at[:count], net.kind[:count]
    free = np.flatnonzero(kind == FREE)
    way = np.empty((count, 3))
    _evening.directions(net.org, net.at, net.lot, way)
    face, place = nearest(ground.tree, at[free], way[free], 0.2)
    lost = np.flatnonzero(face < 0)
    if len(lost):
        face[lost], place[lost] = nearest(ground.tree, at[free[lost]])
    _evening.settle(
        free, blend(ground.points, ground.faces, face, place), net.org, net.opp, net.at, net.out, net.room()
    )
    net.size[free] = blend(ground.wish[:, None], ground.faces, face, place)[:, 0]
    on = np.flatnonzero(kind == LINE)
    if len(on) and ground.line is not None:
        rows = ground.ends[:, [0, 1, 1]]
        face, place = nearest(ground.line, at[on])
        goal = blend(ground.points, rows, face, place)
        _evening.settle(on, goal, net.org, net.opp, net.at, net.out, net.room())
        net.size[on] = blend(ground.wish[:, None], rows, face, place)[:, 0]
