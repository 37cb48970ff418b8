"""Reduce a mesh as far as a bound on the distance allows. The distance is measured, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._metrics import Surface, nearest_on, sample, surface_of

Array = NDArray[Any]
POINTS = 40_000
FEWEST = 4
FINE = 1.1


@dataclass(frozen=True)
class Apart:
    """Shares of the diagonal of the reference: ``mean`` is the larger of the two ways, ``most`` the largest found."""

    mean: float
    most: float


class Gauge:
    """Measures meshes against one reference, both ways."""

    def __init__(self, reference: Mesh) -> None:
        self.reference = surface_of(reference)
        self.points = sample(self.reference, POINTS, 0).points

    def __call__(self, mesh: Mesh) -> Apart:
        """From points spread over both surfaces and the corners of ``mesh``."""
        other = surface_of(mesh)
        there = nearest_on(other, self.points).distance
        spread = nearest_on(self.reference, sample(other, POINTS, 1).points).distance
        corners = nearest_on(self.reference, _corners(other)).distance
        most = max(there.max(), spread.max(), corners.max())
        return Apart(float(max(there.mean(), spread.mean())) / self.size, float(most) / self.size)

    @property
    def size(self) -> float:
        """Diagonal of the reference, metres."""
        return self.reference.diagonal


def _corners(surface: Surface) -> Array:
    used = np.unique(surface.faces)
    return np.asarray(surface.vertices[used[:: max(1, len(used) // POINTS)]])


def within(
    mesh: Mesh, gauge: Gauge, bound: float, fewer: Callable[[Mesh, int], Mesh], told: Callable[[float], None]
) -> tuple[Mesh, Apart]:
    """(the mesh with the fewest faces found that stays within ``bound``, how far it is from the gauge's reference).

    ``bound``: largest distance, share of the diagonal. ``fewer``: (mesh, faces) to a mesh with at most so many. Halves
    the faces until the bound is broken, then halves the step between the two until they are 10 % apart.
    """
    good, apart, low = mesh, Apart(0.0, 0.0), 0
    while len(good.faces) > FEWEST and low == 0:
        told(_done(len(mesh.faces), len(good.faces)))
        trial = fewer(good, max(FEWEST, len(good.faces) // 2))
        found = gauge(trial)
        if found.most > bound:
            low = len(trial.faces)
        elif len(trial.faces) >= len(good.faces):
            return good, apart
        else:
            good, apart = trial, found
    start = good
    while low and len(good.faces) > FINE * low + 1:
        told(0.9)
        trial = fewer(start, int(np.sqrt(low * len(good.faces))))
        found = gauge(trial)
        if found.most > bound or len(trial.faces) >= len(good.faces):
            low = max(low + 1, len(trial.faces))
        else:
            good, apart = trial, found
    return good, apart


def _done(start: int, now: int) -> float:
    return 0.9 * (1 - now / max(start, 1))
