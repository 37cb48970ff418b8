"""The plane in which a surface mirrors itself best.

A plane is tried by mirroring points of the surface and looking for the nearest ones on it. From such pairs the best
plane has a closed form: with p the points and q the nearest ones to their pictures, both about their means, its normal
is the eigenvector to the least eigenvalue of the sum of p qᵀ + q pᵀ, and it lies halfway between the means. Repeated,
it is iterative closest points (Besl and McKay 1992) for a mirror. The worst pairs do not count: few assets are even.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._metrics import Surface, nearest_on, sample
from nodes.mesh._threads import side_by_side

Array = NDArray[Any]
ROUNDS = ((200, 4, 6), (500, 10, 3), (1200, 15, 3))
LAST = (5000, 30)
DIRECTIONS = 60
COUNTED = 0.85
SETTLED = 1e-6


@dataclass(frozen=True)
class Plane:
    """Where ``normal`` @ x = ``offset``. ``apart``: mean metres between the surface and its picture; ``most``: of the
    nearer 99 % of it."""

    normal: Array
    offset: float
    apart: float
    most: float


def best_plane(surface: Surface, seed: int, told: Callable[[float], None]) -> Plane:
    """From the axes, the principal axes and 60 even directions. Of equal ones that across X, then Z, is taken."""
    told(0.0)
    _ = surface.tree, surface.middle  # made once, before threads ask for it
    spread = sample(surface, 4000, seed).points
    centre = spread.mean(axis=0)
    principal = np.linalg.eigh(np.cov((spread - centre).T))[1].T
    tries = [(normal, float(normal @ centre)) for normal in (*np.eye(3), *principal, *_half_sphere())]
    found: list[Plane] = []
    for number, (count, steps, kept) in enumerate(ROUNDS):
        points = sample(surface, count, seed).points
        found = side_by_side(
            lambda plane: fitted(surface, points, *plane, steps, turn=True),  # noqa: B023
            tries,
            lambda done: told(0.9 * (number + done) / len(ROUNDS)),  # noqa: B023
        )
        order = np.argsort([plane.apart for plane in found], kind="stable")[:kept]
        chosen = [*order, *(k for k in range(3) if number == 0 and k not in order)]
        tries = [(found[k].normal, found[k].offset) for k in chosen]
    least = min(plane.apart for plane in found)
    good = [plane for plane in found if plane.apart <= 1.02 * least + 1e-5 * surface.diagonal]
    best = max(good, key=lambda plane: (round(abs(plane.normal[0]), 2), round(abs(plane.normal[2]), 2)))
    told(0.9)
    return fitted(surface, sample(surface, LAST[0], seed).points, best.normal, best.offset, LAST[1], turn=True)


def fitted(surface: Surface, points: Array, normal: Array, offset: float, steps: int, turn: bool) -> Plane:
    """The plane near a given one; without ``turn`` only its place is looked for. ``normal`` comes out forward."""
    best, at = np.inf, (normal, offset)
    for _ in range(steps):
        near = nearest_on(surface, _picture(points, normal, offset))
        good = near.distance <= np.quantile(near.distance, COUNTED)
        score = float(near.distance[good].mean())
        if not score < best * (1 - SETTLED):
            break
        best, at = score, (normal, offset)
        p, q = points[good], near.point[good]
        middle, other = p.mean(axis=0), q.mean(axis=0)
        if turn:
            mixed = (p - middle).T @ (q - other)
            normal = np.linalg.eigh(mixed + mixed.T)[1][:, 0]
        offset = float(normal @ (middle + other) / 2)
    return measured(surface, points, *at)


def measured(surface: Surface, points: Array, normal: Array, offset: float) -> Plane:
    far = nearest_on(surface, _picture(points, normal, offset)).distance
    if normal[int(np.abs(normal).argmax())] < 0:
        normal, offset = -normal, -offset
    return Plane(np.asarray(normal), offset, float(far.mean()), float(np.quantile(far, 0.99)))


def _picture(points: Array, normal: Array, offset: float) -> Array:
    return np.asarray(points - 2 * (points @ normal - offset)[:, None] * normal)


def _half_sphere() -> Array:
    k = np.arange(DIRECTIONS) + 0.5
    up, turn = k / DIRECTIONS, k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - up**2)
    return np.stack([flat * np.cos(turn), up, flat * np.sin(turn)], axis=1)
