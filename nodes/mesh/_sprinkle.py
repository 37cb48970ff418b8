"""Random points on a surface: uniform by area, thinned by a map, apart from each other by a distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._topology import face_vectors

Array = NDArray[Any]
OVER, MOST_OVER = 5, 25
MOST_POINTS = 3_000_000


@dataclass(frozen=True)
class Dots:
    """N points on a mesh. ``face``: (N,). ``weights``: (N, 3) of its corners. ``at``: (N, 3) float64 metres."""

    face: Array
    weights: Array
    at: Array

    def only(self, which: Array) -> Dots:
        return Dots(self.face[which], self.weights[which], self.at[which])

    def value(self, mesh: Mesh, rows: Array) -> Array:
        """(N, C) of an attribute of the vertices."""
        return np.asarray(np.einsum("nk,nkc->nc", self.weights, rows[mesh.faces[self.face]].astype(np.float64)))


@dataclass(frozen=True)
class Wanted:
    """How many points, as ``count`` or, where that is 0, as ``density`` per m². ``distance``: metres apart at least.

    ``chance``: (N,) 0..1 that a point stays, of the points. ``slopes``: degrees from level, lowest and highest.
    """

    count: int
    density: float
    distance: float
    even: bool
    slopes: tuple[float, float]
    chance: Callable[[Dots], Array]


class Ground:
    """The faces of a mesh that are neither too steep nor too flat, by area."""

    def __init__(self, mesh: Mesh, slopes: tuple[float, float]) -> None:
        vectors = face_vectors(mesh.vertices, mesh.faces)
        size = np.linalg.norm(vectors, axis=1)
        slope = np.degrees(np.arccos(np.clip(vectors[:, 1] / np.maximum(size, 1e-300), -1, 1)))
        fits = (slope >= slopes[0] - 1e-3) & (slope <= slopes[1] + 1e-3)
        self.mesh, self.reach = mesh, np.cumsum(np.where(fits, size / 2, 0.0))
        self.area = float(self.reach[-1])
        if not self.area > 0:
            raise BadInput("No part of the ground has such a slope.", "Allow steeper and flatter ground.")

    def dots(self, rng: np.random.Generator, count: int) -> Dots:
        """``count`` points, uniform by area."""
        face = np.searchsorted(self.reach, rng.random(count) * self.area, side="right")
        r, s = np.sqrt(rng.random(count)), rng.random(count)
        weights = np.stack([1 - r, r * (1 - s), r * s], axis=1)
        at = np.einsum("nk,nkj->nj", weights, self.mesh.vertices[self.mesh.faces[face]].astype(np.float64))
        return Dots(face, weights, at)


def sprinkled(run: Run, mesh: Mesh, wanted: Wanted, rng: np.random.Generator) -> Dots:
    """The points, as many as were wanted or as many as there is room for, which is then said.

    Points at a distance are those of a random order that are not too near an earlier one (dart throwing, Cook 1986).
    """
    ground = Ground(mesh, wanted.slopes)
    trial = ground.dots(rng, 20_000)
    share = float(wanted.chance(trial).mean())
    if share <= 0:
        raise BadInput("The mask leaves no part of the ground.", "Paint some of it white, or disconnect it.")
    area = ground.area * share
    count = wanted.count or max(1, round(wanted.density * area))
    if count > MOST_POINTS // OVER:
        raise BadInput(f"{count:,} copies are too many.", f"Ask for at most {MOST_POINTS // OVER:,}.")
    over = OVER if wanted.even or wanted.distance else 1
    dots = _apart(run, _pool(run, ground, wanted, rng, count * over, share), wanted.distance)
    if wanted.distance and len(dots.at) < count:
        many = min(count * MOST_OVER, MOST_POINTS)
        dots = _apart(run, _pool(run, ground, wanted, rng, many, share), wanted.distance)
    if len(dots.at) < count:
        run.warn(f"{len(dots.at):,} of {count:,} copies found room at {wanted.distance:g} m from each other.")
    run.progress(0.3, "spreading evenly")
    if wanted.even and len(dots.at) > count:
        from nodes.points._disk import eliminated

        return dots.only(eliminated(dots.at, count, area, 0))
    return dots.only(np.arange(min(count, len(dots.at))))


def _pool(run: Run, ground: Ground, wanted: Wanted, rng: np.random.Generator, many: int, share: float) -> Dots:
    """``many`` points that pass the chance."""
    found: list[Dots] = []
    have = 0
    for _ in range(1000):
        run.check()
        dots = ground.dots(rng, min(int((many - have) / share * 1.05) + 64, MOST_POINTS))
        chance = wanted.chance(dots)
        dots = dots if (chance >= 1).all() else dots.only(rng.random(len(chance)) < chance)
        found.append(dots)
        have += len(dots.at)
        if have >= many:
            break
    rows = [np.concatenate([getattr(dots, name) for dots in found])[:many] for name in ("face", "weights", "at")]
    return Dots(*rows)


def _apart(run: Run, dots: Dots, distance: float) -> Dots:
    run.progress(0.2, "keeping apart")
    if not distance or not len(dots.at):
        return dots
    from nodes.mesh._grid import near_earlier

    return dots.only(near_earlier(dots.at, distance) == np.arange(len(dots.at)))
