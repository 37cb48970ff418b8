"""Loops of ball pivoting: a ball rolls over points, and where it rests on three, they become a triangle."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
FACES, HEAD, TAIL, NEXT = 0, 1, 2, 3
ROUNDING = 1e-6
FLAT = 1e-8
MOST_TRIED = 40
MOST_NEAR = 4096


class Ground(NamedTuple):
    """``at``, ``way``: (N, 3) float64 points and normals. ``members``: (N,) int32, the points sorted by cell.

    Cells have sides of ``step`` from ``low`` (3,) on; ``starts``: (S + 1,) where each slot of the table begins. Rows of
    cells along z stay together in it; ``rows`` is how many rows it tells apart.
    """

    at: Array
    way: Array
    members: Array
    starts: Array
    rows: int
    low: Array
    step: float


class Front(NamedTuple):
    """Side k of face f has the number 3 f + k and runs from corner k to corner k + 1.

    ``faces``: (F, 3) int32. ``first``: (N,) the newest side that leaves each point, ``after``: (3 F,) the next older
    one, or -1. ``open``: (N,) how many sides at a point have no partner. ``queue``: (3 F,) sides to roll over.
    ``state``: faces so far, where the queue begins and ends, the next point to start from.
    """

    faces: Array
    first: Array
    after: Array
    open: Array
    queue: Array
    state: Array


@kernel
def rests(at: Array, a: int, b: int, c: int, radius: float, centre: Array) -> bool:
    """Whether a ball can lie on three points, where they run counter-clockwise; ``centre``: (3,) becomes its middle."""
    ux, uy, uz = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    vx, vy, vz = at[c, 0] - at[a, 0], at[c, 1] - at[a, 1], at[c, 2] - at[a, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    square, uu, vv = nx * nx + ny * ny + nz * nz, ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz
    if square <= FLAT * uu * vv:
        return False
    x = (vv * (ny * uz - nz * uy) + uu * (vy * nz - vz * ny)) / (2.0 * square)
    y = (vv * (nz * ux - nx * uz) + uu * (vz * nx - vx * nz)) / (2.0 * square)
    z = (vv * (nx * uy - ny * ux) + uu * (vx * ny - vy * nx)) / (2.0 * square)
    rise = radius * radius - x * x - y * y - z * z
    if rise < 0.0:
        return False
    rise = math.sqrt(rise / square)
    centre[0], centre[1], centre[2] = at[a, 0] + x + rise * nx, at[a, 1] + y + rise * ny, at[a, 2] + z + rise * nz
    return True


@inlined
def _faces_alike(at: Array, way: Array, a: int, b: int, c: int) -> bool:
    """Whether the normals of three points look to the side that they run counter-clockwise on."""
    ux, uy, uz = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    vx, vy, vz = at[c, 0] - at[a, 0], at[c, 1] - at[a, 1], at[c, 2] - at[a, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    one = nx * way[a, 0] + ny * way[a, 1] + nz * way[a, 2]
    two = nx * way[b, 0] + ny * way[b, 1] + nz * way[b, 2]
    three = nx * way[c, 0] + ny * way[c, 1] + nz * way[c, 2]
    return bool(one > 0.0 and two > 0.0 and three > 0.0)


@inlined
def _cell(ground: Ground, x: float, axis: int) -> int:
    cell: int = math.floor((x - ground.low[axis]) / ground.step)
    return cell


@kernel
def _near(ground: Ground, spot: Array, out: Array) -> int:
    """Fill ``out`` with the points within a step of ``spot``, as many as fit; returns how many."""
    at, count, last = ground.at, 0, len(ground.starts) - 1
    x, y, z = _cell(ground, spot[0], 0), _cell(ground, spot[1], 1), _cell(ground, spot[2], 2)
    for i in range(x - 1, x + 2):
        for j in range(y - 1, y + 2):
            slot = ((i * 73856093 ^ j * 19349663) & (ground.rows - 1)) + z
            for m in range(ground.starts[max(slot - 1, 0)], ground.starts[min(slot + 2, last)]):
                p = ground.members[m]
                gap = (at[p, 0] - spot[0]) ** 2 + (at[p, 1] - spot[1]) ** 2 + (at[p, 2] - spot[2]) ** 2
                if gap > ground.step**2 or count == len(out):
                    continue
                # rows of cells may share slots, and no point may come twice
                if _cell(ground, at[p, 0], 0) == i and _cell(ground, at[p, 1], 1) == j:
                    out[count] = p
                    count += 1
    return count


@inlined
def _side(front: Front, a: int, b: int) -> int:
    """The side from a to b, or -1."""
    e = front.first[a]
    while e >= 0 and front.faces[e // 3, (e % 3 + 1) % 3] != b:
        e = front.after[e]
    return int(e)


@kernel
def _add(front: Front, a: int, b: int, c: int) -> None:
    """A new face; its sides without a partner join the queue."""
    state, faces, f = front.state, front.faces, front.state[FACES]
    state[FACES] += 1
    faces[f, 0], faces[f, 1], faces[f, 2] = a, b, c
    for k in range(3):
        p, q = faces[f, k], faces[f, (k + 1) % 3]
        front.after[3 * f + k] = front.first[p]
        front.first[p] = 3 * f + k
        change = -1
        if _side(front, q, p) < 0:
            change = 1
            front.queue[state[TAIL]] = 3 * f + k
            state[TAIL] += 1
        front.open[p] += change
        front.open[q] += change


@kernel
def _empty(ground: Ground, a: int, b: int, c: int, centre: Array, near: Array) -> bool:
    """Whether no point that looks the same way lies in the ball that rests on a, b and c."""
    at, way = ground.at, ground.way
    least = (0.5 * ground.step * (1.0 - ROUNDING)) ** 2
    for m in range(_near(ground, centre, near)):
        p = near[m]
        if p in (a, b, c):
            continue
        gap = (at[p, 0] - centre[0]) ** 2 + (at[p, 1] - centre[1]) ** 2 + (at[p, 2] - centre[2]) ** 2
        if gap < least and way[p, 0] * way[a, 0] + way[p, 1] * way[a, 1] + way[p, 2] * way[a, 2] > 0.0:
            return False
    return True


@kernel
def _hit(ground: Ground, a: int, b: int, o: int, centre: Array, near: Array, count: int) -> int:
    """The point that the ball meets first when it rolls over the side a-b away from ``o``, or -1."""
    at = ground.at
    tx, ty, tz = at[b, 0] - at[a, 0], at[b, 1] - at[a, 1], at[b, 2] - at[a, 2]
    long = math.sqrt(tx * tx + ty * ty + tz * tz)
    tx, ty, tz = tx / long, ty / long, tz / long
    mx, my, mz = 0.5 * (at[a, 0] + at[b, 0]), 0.5 * (at[a, 1] + at[b, 1]), 0.5 * (at[a, 2] + at[b, 2])
    ux, uy, uz = centre[0] - mx, centre[1] - my, centre[2] - mz
    least, found, place = 7.0, -1, np.empty(3)
    for m in range(count):
        p = near[m]
        if p in (a, b, o) or not _faces_alike(at, ground.way, b, a, p):
            continue
        if not rests(at, b, a, p, 0.5 * ground.step, place):
            continue
        wx, wy, wz = place[0] - mx, place[1] - my, place[2] - mz
        turned = (uy * wz - uz * wy) * tx + (uz * wx - ux * wz) * ty + (ux * wy - uy * wx) * tz
        angle = math.atan2(turned, ux * wx + uy * wy + uz * wz)
        if angle < -ROUNDING:
            angle += 2.0 * math.pi
        if angle < least:
            least, found = angle, p
    return found


@kernel
def roll(ground: Ground, front: Front, many: int) -> None:
    """Let the ball roll over up to ``many`` sides of the queue."""
    near, centre, spot, state = np.empty(MOST_NEAR, np.int64), np.empty(3), np.empty(3), front.state
    while state[HEAD] < state[TAIL] and many > 0 and state[FACES] < len(front.faces):
        f, k = front.queue[state[HEAD]] // 3, front.queue[state[HEAD]] % 3
        state[HEAD] += 1
        many -= 1
        a, b, o = front.faces[f, k], front.faces[f, (k + 1) % 3], front.faces[f, (k + 2) % 3]
        if _side(front, b, a) >= 0 or not rests(ground.at, a, b, o, 0.5 * ground.step, centre):
            continue
        for c in range(3):
            spot[c] = 0.5 * (ground.at[a, c] + ground.at[b, c])
        v = _hit(ground, a, b, o, centre, near, _near(ground, spot, near))
        if v < 0 or (front.first[v] >= 0 and front.open[v] == 0):
            continue
        if _side(front, a, v) < 0 and _side(front, v, b) < 0:
            _add(front, b, a, v)


@kernel
def _begin(ground: Ground, front: Front, a: int, near: Array, other: Array) -> bool:
    """A first face with ``a`` and two points near it that have none either; whether there is one."""
    at, centre = ground.at, np.empty(3)
    count = _near(ground, at[a], near)
    gap = np.empty(count)
    for m in range(count):
        p = near[m]
        free = front.first[p] < 0 and p != a
        gap[m] = (
            (at[p, 0] - at[a, 0]) ** 2 + (at[p, 1] - at[a, 1]) ** 2 + (at[p, 2] - at[a, 2]) ** 2 if free else np.inf
        )
    order = np.argsort(gap)[:MOST_TRIED]
    for i in range(len(order)):
        for j in range(i):
            if gap[order[i]] == np.inf:
                return False
            b, c = near[order[i]], near[order[j]]
            if not _faces_alike(at, ground.way, a, b, c):
                b, c = c, b
            if not _faces_alike(at, ground.way, a, b, c) or not rests(at, a, b, c, 0.5 * ground.step, centre):
                continue
            if _empty(ground, a, b, c, centre, other):
                _add(front, a, b, c)
                return True
    return False


@kernel
def begin(ground: Ground, front: Front, many: int) -> bool:
    """Look for a first face from up to ``many`` points on; whether one was found."""
    near, other, state = np.empty(MOST_NEAR, np.int64), np.empty(MOST_NEAR, np.int64), front.state
    while state[NEXT] < len(ground.at) and many > 0 and state[FACES] < len(front.faces):
        a = state[NEXT]
        state[NEXT] += 1
        many -= 1
        if front.first[a] < 0 and _begin(ground, front, a, near, other):
            return True
    return False


@kernel
def wake(ground: Ground, front: Front) -> None:
    """Queue the sides without a partner that a larger ball can rest beside without touching another point."""
    near, centre, state = np.empty(MOST_NEAR, np.int64), np.empty(3), front.state
    state[HEAD] = state[TAIL] = state[NEXT] = 0
    for f in range(state[FACES]):
        for k in range(3):
            a, b, o = front.faces[f, k], front.faces[f, (k + 1) % 3], front.faces[f, (k + 2) % 3]
            if _side(front, b, a) >= 0 or not rests(ground.at, a, b, o, 0.5 * ground.step, centre):
                continue
            if _empty(ground, a, b, o, centre, near):
                front.queue[state[TAIL]] = 3 * f + k
                state[TAIL] += 1
