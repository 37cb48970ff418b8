"""Edge collapse that keeps texture seams, borders and closedness.

Quadrics over position and UV together (Garland and Heckbert 1998), a vertex moves onto a neighbour, so attributes need
no mixing. A vertex on a seam or border moves along it only. Collapses run in passes, cheapest first, each vertex at
most once a pass. A *wedge* is a (position, UV) pair; a seam vertex has two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._topology import Edges, Ints, edges_of

Array = NDArray[Any]
INNER, SEAM, BORDER, LOCKED = 0, 1, 2, 3
BORDER_WEIGHT, SEAM_WEIGHT, UV_WEIGHT = 10.0, 1.0, 0.5
NEVER = 1e300


@kernel
def _error(q: Array, i: int, x: Array, j: int) -> float:
    """Quadric ``i`` (21 numbers: upper half of A, b, c) at point ``j`` in five dimensions."""
    total, at = q[i, 20], 0
    for r in range(5):
        total += 2.0 * q[i, 15 + r] * x[j, r]
        for s in range(r, 5):
            total += q[i, at] * x[j, r] * x[j, s] * (1.0 if r == s else 2.0)
            at += 1
    return float(total)


@kernel
def _corners_at(v: int, w: int, faces: Array, first: Array, after: Array, alive: Array, out: Array) -> int:
    """How many living faces hold both ends; ``out`` becomes the corners of v in the first two."""
    count, c = 0, first[v]
    while c >= 0:
        f = c // 3
        if alive[f] and (faces[f, 0] == w or faces[f, 1] == w or faces[f, 2] == w):
            if count < 2:
                out[count] = c
            count += 1
        c = after[c]
    return count


@kernel
def _wedge_of(w: int, f: int, faces: Array, wedges: Array) -> int:
    k = 0 if faces[f, 0] == w else (1 if faces[f, 1] == w else 2)
    return int(wedges[f, k])


@kernel
def _mapped(v: int, w: int, kind: int, faces: Array, wedges: Array, first: Array, after: Array, alive: Array,
            pair: Array, move: Array) -> int:  # fmt: skip
    """Which wedges of v go where when v moves onto w: rows of ``move``; 0 when the move is not allowed."""
    count = _corners_at(v, w, faces, first, after, alive, pair)
    if count != (1 if kind == BORDER else 2):
        return 0
    for i in range(count):
        f = pair[i] // 3
        move[i, 0], move[i, 1] = wedges[f, pair[i] % 3], _wedge_of(w, f, faces, wedges)
    if kind == SEAM:
        return 2 if move[0, 0] != move[1, 0] else 0
    if kind == INNER and (move[0, 1] != move[1, 1] or move[0, 0] != move[1, 0]):
        return 0
    return 1


@kernel
def _rate(v: int, kind: Array, faces: Array, wedges: Array, first: Array, after: Array, alive: Array, q: Array,
          x: Array, pair: Array, move: Array) -> tuple[float, int]:  # fmt: skip
    """(least error, neighbour) of moving v, or (NEVER, -1)."""
    best, to, c = NEVER, -1, first[v]
    while c >= 0:
        f = c // 3
        for step in range(1, 3 if alive[f] else 1):
            if step == 2 and kind[v] != BORDER:
                break
            w = faces[f, (c % 3 + step) % 3]
            count = _mapped(v, w, kind[v], faces, wedges, first, after, alive, pair, move)
            cost = 0.0 if count > 0 else NEVER
            for i in range(count):
                cost += _error(q, move[i, 0], x, move[i, 1]) + _error(q, move[i, 1], x, move[i, 1])
            if cost < best:
                best, to = cost, w
        c = after[c]
    return max(best, 0.0), to


@kernel
def _ring(v: int, faces: Array, first: Array, after: Array, alive: Array, mark: Array, stamp: int) -> None:
    c = first[v]
    while c >= 0:
        if alive[c // 3]:
            mark[faces[c // 3, (c % 3 + 1) % 3]] = stamp
            mark[faces[c // 3, (c % 3 + 2) % 3]] = stamp
        c = after[c]


@kernel
def _linked(v: int, w: int, count: int, faces: Array, first: Array, after: Array, alive: Array, mark: Array,
            stamp: int) -> bool:  # fmt: skip
    """The link condition (Dey et al. 1999): the ends share as many neighbours as they share faces, and no face of w
    lies where one of v would come to lie."""
    _ring(v, faces, first, after, alive, mark, stamp)
    shared, c = 0, first[w]
    while c >= 0:
        f = c // 3
        if alive[f]:
            a, b = faces[f, (c % 3 + 1) % 3], faces[f, (c % 3 + 2) % 3]
            for u in (a, b):
                if mark[u] == stamp:
                    mark[u] = stamp + 1
                    shared += 1
            both = a != v and b != v and mark[a] == stamp + 1 and mark[b] == stamp + 1
            if both and _holds(v, a, b, faces, first, after, alive):
                return False
        c = after[c]
    return shared == count


@kernel
def _holds(v: int, a: int, b: int, faces: Array, first: Array, after: Array, alive: Array) -> bool:
    c = first[v]
    while c >= 0:
        f = c // 3
        one, two = faces[f, (c % 3 + 1) % 3], faces[f, (c % 3 + 2) % 3]
        if alive[f] and ((one == a and two == b) or (one == b and two == a)):
            return True
        c = after[c]
    return False


@kernel
def _cross(x: Array, i: int, j: int, k: int, out: Array) -> None:
    ux, uy, uz = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1], x[j, 2] - x[i, 2]
    vx, vy, vz = x[k, 0] - x[i, 0], x[k, 1] - x[i, 1], x[k, 2] - x[i, 2]
    out[0], out[1], out[2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@kernel
def _turn(x: Array, i: int, j: int, k: int) -> float:
    return float((x[j, 3] - x[i, 3]) * (x[k, 4] - x[i, 4]) - (x[j, 4] - x[i, 4]) * (x[k, 3] - x[i, 3]))


@kernel
def _goes_to(wedge: int, move: Array, count: int) -> int:
    for i in range(count):
        if move[i, 0] == wedge:
            return int(move[i, 1])
    return -1


@kernel
def _unfolded(v: int, w: int, count: int, move: Array, faces: Array, wedges: Array, first: Array, after: Array,
              alive: Array, x: Array, was: Array, now: Array) -> bool:  # fmt: skip
    """Whether every face that stays keeps looking the same way, on the surface and in UV space."""
    c = first[v]
    while c >= 0:
        f, k = c // 3, c % 3
        a, b = faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]
        if alive[f] and a != w and b != w:
            old, one, two = wedges[f, k], wedges[f, (k + 1) % 3], wedges[f, (k + 2) % 3]
            new = _goes_to(old, move, count)
            if new < 0:
                return False
            _cross(x, old, one, two, was)
            _cross(x, new, one, two, now)
            dot = was[0] * now[0] + was[1] * now[1] + was[2] * now[2]
            lengths = np.sqrt((was**2).sum() * (now**2).sum())
            if dot <= 0.2 * lengths or _turn(x, old, one, two) * _turn(x, new, one, two) < 0.0:
                return False
        c = after[c]
    return True


@kernel
def _move(v: int, w: int, count: int, move: Array, faces: Array, wedges: Array, first: Array, last: Array,
          after: Array, alive: Array, q: Array) -> int:  # fmt: skip
    """Carry it out; returns how many faces vanished."""
    gone, c = 0, first[v]
    while c >= 0:
        f, k = c // 3, c % 3
        if alive[f]:
            if faces[f, 0] == w or faces[f, 1] == w or faces[f, 2] == w:
                alive[f] = False
                gone += 1
            else:
                faces[f, k], wedges[f, k] = w, _goes_to(wedges[f, k], move, count)
        c = after[c]
    for i in range(count):
        q[move[i, 1]] += q[move[i, 0]]
    after[last[w]] = first[v]
    last[w], first[v] = last[v], -1
    return gone


@kernel
def _rate_all(kind: Array, faces: Array, wedges: Array, first: Array, after: Array, alive: Array, q: Array, x: Array,
              cost: Array, to: Array) -> None:  # fmt: skip
    pair, move = np.empty(2, np.int64), np.empty((2, 2), np.int64)
    for v in range(len(kind)):
        cost[v], to[v] = NEVER, -1
        if kind[v] != LOCKED and first[v] >= 0:
            cost[v], to[v] = _rate(v, kind, faces, wedges, first, after, alive, q, x, pair, move)


@kernel
def _apply(order: Array, to: Array, kind: Array, faces: Array, wedges: Array, first: Array, last: Array, after: Array,
           alive: Array, q: Array, x: Array, mark: Array, goal: int) -> int:  # fmt: skip
    """Carry out the moves of ``order`` whose ends nothing has touched yet, until ``goal`` faces are gone."""
    pair, move = np.empty(2, np.int64), np.empty((2, 2), np.int64)
    was, now = np.empty(3), np.empty(3)
    touched, gone, stamp = np.zeros(len(kind), np.bool_), 0, 1
    mark[:] = 0
    for v in order:
        w = to[v]
        if gone >= goal or touched[v] or touched[w]:
            continue
        count = _mapped(v, w, kind[v], faces, wedges, first, after, alive, pair, move)
        stamp += 2
        joint = 1 if kind[v] == BORDER else 2
        if count == 0 or not _linked(v, w, joint, faces, first, after, alive, mark, stamp):
            continue
        if _unfolded(v, w, count, move, faces, wedges, first, after, alive, x, was, now):
            gone += _move(v, w, count, move, faces, wedges, first, last, after, alive, q)
            touched[v] = touched[w] = True
    return gone


@kernel
def _lists(faces: Array, first: Array, last: Array, after: Array) -> None:
    for c in range(faces.size):
        v = faces[c // 3, c % 3]
        if first[v] < 0:
            first[v] = c
        else:
            after[last[v]] = c
        last[v] = c


def collapse(
    points: Array, uv: Array, wedge_place: Ints, wedge_faces: Ints, target: int, check: Callable[[], None]
) -> tuple[Ints, Ints]:
    """((T, 3) int32 faces over the same wedges, (T,) which faces they were), T at most ``target`` where it can be.

    ``points``: (V, 3) float64. ``uv``: (W, 2). ``wedge_place``: (W,) the position of each wedge. ``wedge_faces``:
    (M, 3) wedges, none with two corners at one position. ``check``: called between passes.
    """
    faces = np.ascontiguousarray(wedge_place[wedge_faces].astype(np.int64))
    wedges = wedge_faces.astype(np.int64)
    edges = edges_of(faces.astype(np.int32))
    seam = _seams(edges, wedges)
    x = _coordinates(points, uv, wedge_place, wedge_faces)
    q = _quadrics(x, wedges, edges, seam)
    kind = _kinds(len(points), len(uv), edges, seam, faces, wedges)
    first, last = np.full(len(points), -1, np.int64), np.full(len(points), -1, np.int64)
    after, alive = np.full(faces.size, -1, np.int64), np.ones(len(faces), np.bool_)
    _lists(faces, first, last, after)
    cost, to, mark = np.empty(len(points)), np.empty(len(points), np.int64), np.zeros(len(points), np.int64)
    left, slack = len(faces), 1.5
    while left > target:
        check()
        _rate_all(kind, faces, wedges, first, after, alive, q, x, cost, to)
        order = np.argsort(cost, kind="stable")[: int((cost < NEVER).sum())]
        if not len(order):
            break
        limit = cost[order[min(len(order) - 1, (left - target) // 2)]] * slack
        order = order[: max(1, int(np.searchsorted(cost[order], limit, side="right")))]
        gone = _apply(order, to, kind, faces, wedges, first, last, after, alive, q, x, mark, left - target)
        left -= gone
        if gone < 0.01 * left:
            if slack > 1e6:
                break
            slack *= 10
    return wedges[alive].astype(np.int32), np.flatnonzero(alive).astype(np.int32)


def _seams(edges: Edges, wedges: Array) -> Array:
    """(E,) bool: the two faces of the edge have different wedges at one end at least."""
    a, b = edges.pairs.T
    flat = wedges.ravel()
    ahead = np.roll(wedges, -1, axis=1).ravel()
    way = edges.forward.ravel()
    low = [np.where(way[s], flat[s], ahead[s]) for s in (a, b)]
    high = [np.where(way[s], ahead[s], flat[s]) for s in (a, b)]
    seam = np.zeros(len(edges.ends), bool)
    seam[edges.sides.ravel()[a]] = (low[0] != low[1]) | (high[0] != high[1])
    return seam


def _kinds(places: int, wedge_count: int, edges: Edges, seam: Array, faces: Array, wedges: Array) -> Array:
    """(V,) int64: how each vertex may move."""

    def around(marked: Array) -> Array:
        return np.bincount(edges.ends[marked].ravel(), minlength=places)

    seams, borders, crowds = around(seam), around(edges.boundary), around(edges.crowded)
    place = np.zeros(wedge_count, np.int64)
    place[wedges.ravel()] = faces.ravel()
    own = np.bincount(place[np.unique(wedges)], minlength=places)
    kind = np.full(places, LOCKED, np.int64)
    kind[(seams == 0) & (borders == 0) & (own == 1)] = INNER
    kind[(seams == 2) & (borders == 0) & (own == 2)] = SEAM
    kind[(seams == 0) & (borders == 2) & (own == 1)] = BORDER
    kind[crowds > 0] = LOCKED
    return kind


def _coordinates(points: Array, uv: Array, wedge_place: Ints, wedge_faces: Ints) -> Array:
    """(W, 5) float64: position about the middle, and UV scaled to the size it has on the surface."""
    at = points - (points.min(axis=0) + points.max(axis=0)) / 2
    one, two = (uv[wedge_faces[:, k]] - uv[wedge_faces[:, 0]] for k in (1, 2))
    laid = float(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum())
    corner = at[wedge_place[wedge_faces]]
    area = float(np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1).sum())
    scale = UV_WEIGHT * np.sqrt(area / laid) if laid > 0 else 0.0
    return np.concatenate([at[wedge_place], uv * scale], axis=1).astype(np.float64)


def _packed(a: Array, b: Array, c: Array) -> Array:
    """(K, 21) from (K, 5, 5), (K, 5), (K,)."""
    row, column = np.triu_indices(5)
    return np.concatenate([a[:, row, column], b, c[:, None]], axis=1)


def _quadrics(x: Array, wedges: Array, edges: Edges, seam: Array) -> Array:
    """(W, 21): squared distance to the planes of the faces, weighted by area, and to walls on borders and seams."""
    p, one, two = (x[wedges[:, k]] for k in range(3))
    u, v = one - p, two - p
    normal = np.cross(u[:, :3], v[:, :3])
    area = np.linalg.norm(normal, axis=1) / 2
    e = u / np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-30)
    f = v - e * np.einsum("ij,ij->i", v, e)[:, None]
    f /= np.maximum(np.linalg.norm(f, axis=1, keepdims=True), 1e-30)
    a = np.eye(5) - e[:, :, None] * e[:, None] - f[:, :, None] * f[:, None]
    pe, pf = np.einsum("ij,ij->i", p, e), np.einsum("ij,ij->i", p, f)
    b = pe[:, None] * e + pf[:, None] * f - p
    face = _packed(a, b, np.einsum("ij,ij->i", p, p) - pe**2 - pf**2) * area[:, None]
    q = np.zeros((len(x), 21))
    for k in range(3):
        np.add.at(q, wedges[:, k], face)
    _add_walls(q, x, wedges, edges, seam, normal)
    return q


def _add_walls(q: Array, x: Array, wedges: Array, edges: Edges, seam: Array, normal: Array) -> None:
    weight = np.where(edges.boundary, BORDER_WEIGHT, np.where(seam, SEAM_WEIGHT, 0.0))[edges.sides]
    face, side = np.nonzero(weight)
    tail, head = wedges[face, side], wedges[face, (side + 1) % 3]
    along = x[head, :3] - x[tail, :3]
    wall = np.cross(along, normal[face])
    wall /= np.maximum(np.linalg.norm(wall, axis=1, keepdims=True), 1e-30)
    gap = -np.einsum("ij,ij->i", wall, x[tail, :3])
    a, b = np.zeros((len(face), 5, 5)), np.zeros((len(face), 5))
    a[:, :3, :3] = wall[:, :, None] * wall[:, None]
    b[:, :3] = wall * gap[:, None]
    extra = _packed(a, b, gap**2) * (weight[face, side] * np.einsum("ij,ij->i", along, along))[:, None]
    np.add.at(q, tail, extra)
    np.add.at(q, head, extra)
