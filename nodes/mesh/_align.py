"""Lay one surface over another by turning, moving and evenly scaling it.

The nearest points of both surfaces on each other are pulled together again and again (iterative closest points, Besl
and McKay 1992), by the closed form of the best similarity (Umeyama 1991). Pairs go both ways: with one way alone a
surface could shrink into the other. It starts from the 24 turns that map the axes onto each other; few points and steps
tell which of them deserve more (``ROUNDS``: points on each surface, steps, how many are kept).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._metrics import Surface, nearest_on, sample, surface
from nodes.mesh._rigid import Motion

Array = NDArray[Any]
ROUNDS = ((400, 8, 4), (1200, 30, 1), (4000, 40, 1))
SETTLED = 1e-7


def moved(one: Surface, by: Motion) -> Surface:
    return surface(by.of(one.vertices), one.faces)


def by_centre_and_scale(one: Surface, other: Surface) -> Motion:
    """Equal centres of area, and equal root mean square distances of the surface from them."""
    (centre, size), (target, wanted) = _moments(one), _moments(other)
    scale = wanted / size
    return Motion(np.eye(3), target - scale * centre, scale)


def full(one: Surface, other: Surface, seed: int, told: Callable[[float], None] = lambda _: None) -> Motion:
    """The best turn, size and place that was found. ``told``: called with the fraction done, for stopping."""
    start = by_centre_and_scale(one, other)
    target = _moments(other)[0]
    turns = quarter_turns()
    places = [Motion(turn, target - turn @ (target - start.move), start.scale) for turn in turns]
    for number, (count, steps, kept) in enumerate(ROUNDS):
        points = sample(one, count, seed).points, sample(other, count, seed).points
        found = []
        for done, placed in enumerate(places):
            told((number + done / len(places)) / len(ROUNDS))
            found.append(_refined(one, other, placed, points, steps))
        found.sort(key=lambda pair: pair[0])
        places = [placed for _, placed in found[:kept]]
    return places[0]


def quarter_turns() -> list[Array]:
    """The 24 rotations by quarter turns; the one that turns nothing comes first."""
    turns = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        turn = np.zeros((3, 3))
        turn[range(3), order] = signs
        if np.linalg.det(turn) > 0:
            turns.append(turn)
    return turns


def best_similarity(points: Array, targets: Array) -> Motion:
    """The one with the least sum of squared distances between (N, 3) points and their (N, 3) targets."""
    centre, target = points.mean(axis=0), targets.mean(axis=0)
    a, b = points - centre, targets - target
    left, spread, right = np.linalg.svd(b.T @ a)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    turn = (left * flip) @ right
    scale = float((spread * flip).sum() / max(float((a**2).sum()), 1e-300))
    return Motion(turn, target - scale * turn @ centre, scale)


def _refined(
    one: Surface, other: Surface, placed: Motion, points: tuple[Array, Array], steps: int
) -> tuple[float, Motion]:
    """(mean squared distance both ways, where it came to rest)."""
    mine, theirs = points
    best, at = np.inf, placed
    for _ in range(steps):
        there, back = nearest_on(other, placed.of(mine)), nearest_on(one, placed.back.of(theirs))
        score = float((there.distance**2).mean() + (back.distance**2).mean() * placed.scale**2)
        if not score < best * (1 - SETTLED):
            break
        best, at = score, placed
        placed = best_similarity(np.concatenate([mine, back.point]), np.concatenate([there.point, theirs]))
        if not placed.scale > 0:
            break
    return best, at


def _moments(one: Surface) -> tuple[Array, float]:
    """(centre of area, root mean square distance from it), exact for flat triangles."""
    at = one.vertices[one.faces]
    middle, weight = at.mean(axis=1), one.areas / one.areas.sum()
    centre = weight @ middle
    at = at - centre
    squares = (at**2).sum(axis=(1, 2)) + (at.sum(axis=1) ** 2).sum(axis=1)
    return centre, float(np.sqrt(weight @ squares / 12))
