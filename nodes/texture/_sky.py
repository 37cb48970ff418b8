"""Rays over a hemisphere, traced as they are made: how open a point is and whereto, and how deep the body is below it.

Directions are denser along the normal by its cosine: stratified in elevation, golden-ratio steps in azimuth, both
shifted by two numbers of each point's own. Frame around the normal after Duff et al. 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bundle import BUNDLE, QUEUE, send
from nodes.mesh._eight import EIGHT
from nodes.mesh._jit import kernel
from nodes.mesh._wide import STACK, Wide, aim, first_met
from nodes.texture._loops import scramble

Array = NDArray[Any]
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Sky:
    """``tree``: of the source. ``rays``: per sample. ``lift``: metres off the surface where rays start.

    ``reach``: metres that rays look for what hides the sky; ``near``: the same for crevices; ``deep``: the largest
    thickness.
    """

    tree: Wide
    rays: int
    lift: float
    reach: float
    near: float
    deep: float


@kernel
def _frame(normal: Array, r: int, sign: float, axes: Array) -> None:
    """``axes`` (3, 3): two directions square to ``sign`` times the unit normal, and that."""
    nx, ny, nz = sign * normal[r, 0], sign * normal[r, 1], sign * normal[r, 2]
    turn = 1.0 if nz >= 0.0 else -1.0
    a = -1.0 / (turn + nz)
    b = nx * ny * a
    axes[0, 0], axes[0, 1], axes[0, 2] = 1.0 + turn * nx * nx * a, turn * b, -turn * nx
    axes[1, 0], axes[1, 1], axes[1, 2] = b, turn + ny * ny * a, -ny
    axes[2, 0], axes[2, 1], axes[2, 2] = nx, ny, nz


@kernel
def _turns(rays: int) -> Array:
    """(2, rays) cosine and sine of the azimuth of each direction before it is shifted."""
    turn = np.empty((2, rays))
    for k in range(rays):
        turn[0, k], turn[1, k] = math.cos(2.0 * math.pi * k * GOLDEN), math.sin(2.0 * math.pi * k * GOLDEN)
    return turn


@kernel
def _fan(
    axes: Array, turn: Array, one: float, two: float, flat: Array, r: int, sign: float, first: int,
    way: Array, inverse: Array,
) -> int:  # fmt: skip
    """Fill ``way``, ``inverse`` (3, 64) with the directions from ``first`` on; those above the face itself, as bits."""
    rays = turn.shape[1]
    many, c, s = min(BUNDLE, rays - first), math.cos(2.0 * math.pi * two), math.sin(2.0 * math.pi * two)
    for k in range(many):
        u = (first + k + one) / rays
        radius, z = math.sqrt(u), math.sqrt(1.0 - u)
        x = radius * (turn[0, first + k] * c - turn[1, first + k] * s)
        y = radius * (turn[1, first + k] * c + turn[0, first + k] * s)
        for axis in range(3):
            way[axis, k] = axes[0, axis] * x + axes[1, axis] * y + axes[2, axis] * z
    above, a, b, c = 0, sign * flat[r, 0], sign * flat[r, 1], sign * flat[r, 2]
    for k in range(many):
        above |= int(a * way[0, k] + b * way[1, k] + c * way[2, k] > 1e-6) << k
        for axis in range(3):
            part = way[axis, k]
            inverse[axis, k] = np.float32(1) / part if abs(part) > np.float32(1e-30) else np.float32(1e30)
    return above


@kernel
def _open(
    box: Array, below: Array, corner: Array, more: Array, start: Array, normal: Array, flat: Array, seed: Array,
    rays: int, reach: float, share: Array, bent: Array,
) -> None:  # fmt: skip
    queue, table, lane = np.empty((QUEUE, 2), np.int64), np.empty(BUNDLE, np.uint8), np.empty(EIGHT, np.int64)
    way, inverse = np.empty((3, BUNDLE), np.float32), np.empty((3, BUNDLE), np.float32)
    origin, axes, turn = np.empty(3, np.float32), np.empty((3, 3)), _turns(rays)
    limit = np.full(BUNDLE, reach, np.float32)
    for r in range(len(start)):
        _frame(normal, r, 1.0, axes)
        one, two = scramble(seed[r])
        sent, free, x, y, z = 0, 0, 0.0, 0.0, 0.0
        origin[0], origin[1], origin[2] = start[r, 0], start[r, 1], start[r, 2]
        for first in range(0, rays, BUNDLE):
            above = _fan(axes, turn, one, two, flat, r, 1.0, first, way, inverse)
            met = send(
                box, below, corner, more, origin, way, inverse, above, limit, False, queue, table, lane
            )  # fmt: skip
            for k in range(BUNDLE):
                sent += (above >> k) & 1
                if ((above & ~met) >> k) & 1:
                    free += 1
                    x, y, z = x + way[0, k], y + way[1, k], z + way[2, k]
        share[r] = free / sent if sent else 1.0
        long = math.sqrt(x * x + y * y + z * z)
        if long > 1e-6:
            bent[r, 0], bent[r, 1], bent[r, 2] = x / long, y / long, z / long
        else:
            bent[r] = normal[r]


@kernel
def _deep(
    box: Array, below: Array, corner: Array, more: Array, start: Array, normal: Array, flat: Array, seed: Array,
    rays: int, lift: float, reach: float, depth: Array,
) -> None:  # fmt: skip
    queue, table, lane = np.empty((QUEUE, 2), np.int64), np.empty(BUNDLE, np.uint8), np.empty(EIGHT, np.int64)
    way, inverse = np.empty((3, BUNDLE), np.float32), np.empty((3, BUNDLE), np.float32)
    origin, axes, turn = np.empty(3, np.float32), np.empty((3, 3)), _turns(rays)
    rise, far = np.empty(BUNDLE), np.empty(BUNDLE, np.float32)
    for r in range(len(start)):
        _frame(normal, r, -1.0, axes)
        one, two = scramble(seed[r])
        sent, total = 0, 0.0
        origin[0], origin[1], origin[2] = start[r, 0], start[r, 1], start[r, 2]
        for first in range(0, rays, BUNDLE):
            above = _fan(axes, turn, one, two, flat, r, -1.0, first, way, inverse)
            for k in range(min(BUNDLE, rays - first)):
                rise[k] = math.sqrt(1.0 - (first + k + one) / rays)
                far[k] = min(1e30, 1.00001 * reach / rise[k])
            send(box, below, corner, more, origin, way, inverse, above, far, True, queue, table, lane)
            for k in range(BUNDLE):
                if (above >> k) & 1:
                    sent += 1
                    total += min(reach, far[k] * rise[k] + lift)
        depth[r] = total / sent if sent else 0.0


def openness(sky: Sky, points: Array, normal: Array, flat: Array, seed: Array, reach: float) -> tuple[Array, Array]:
    """((N,) share of rays that meet nothing within ``reach`` metres, (N, 3) unit mean direction of those).

    ``points``, unit ``normal`` and ``flat`` (of the faces): (N, 3). ``seed``: (N,) int64. Rays that would start below
    the face itself do not count. Where all is hidden, the mean direction is the normal.
    """
    share, bent = np.empty(len(points)), np.empty((len(points), 3))
    start = points + flat * sky.lift
    _open(*sky.tree.arrays, start, normal, flat, seed, sky.rays, float(reach), share, bent)
    return share, bent


def thickness(sky: Sky, points: Array, normal: Array, flat: Array, seed: Array) -> Array:
    """(N,) metres: the mean depth below each point at which rays inward leave the body, at most ``sky.deep``.

    Depth is measured along the normal, so that a slab has the same thickness for slanting rays too. A ray that leaves
    nowhere counts as the largest depth.
    """
    depth = np.empty(len(points))
    start = points - flat * sky.lift
    _deep(*sky.tree.arrays, start, normal, flat, seed, sky.rays, float(sky.lift), float(sky.deep), depth)
    return depth


@kernel
def _first(
    box: Array, below: Array, corner: Array, more: Array, start: Array, way: Array, reach: Array, face: Array,
    hit_face: Array, at: Array,
) -> None:  # fmt: skip
    stack, near, found = np.empty(STACK, np.int64), np.empty(EIGHT, np.float32), np.empty(3 * EIGHT, np.float32)
    gap, hit = np.empty(STACK, np.float32), np.empty(4)
    ray, side = np.empty(9, np.float32), np.empty(6, np.int64)
    for r in range(len(start)):
        for axis in range(3):
            ray[axis], ray[3 + axis] = start[r, axis], way[r, axis]
        aim(ray, side)
        limit = np.float32(reach[r])
        t = first_met(
            box, below, corner, more, ray, side, np.float32(0), limit, -1.0, stack, gap, near, found, hit
        )  # fmt: skip
        hit_face[r] = face[int(hit[0]), int(hit[1])] if t < limit else -1
        at[r, 0], at[r, 1], at[r, 2] = t, hit[2], hit[3]


def first_from(tree: Wide, start: Array, way: Array, reach: Array) -> tuple[Array, Array]:
    """The first face that looks against each ray: (N,) int64 or -1, and (N, 3) distance, u, v.

    ``start``, unit ``way``: (N, 3). ``reach``: (N,) metres.
    """
    hit, at = np.empty(len(start), np.int64), np.zeros((len(start), 3))
    _first(*tree.arrays, start, way, np.asarray(reach, np.float64), tree.face, hit, at)
    return hit, at
