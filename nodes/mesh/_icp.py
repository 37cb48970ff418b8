"""Lay a mesh onto another one, of which it may cover a part only.

Points of the mesh are pulled to the planes of the nearest faces again and again (Chen and Medioni 1992), each step by
least squares over small turns; the worst pairs do not count (trimmed, Chetverikov et al. 2002). Without a start it is
tried from the principal axes of both and from quarter turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._align import full, quarter_turns
from nodes.mesh._metrics import Surface, nearest_on, sample
from nodes.mesh._principal import area_moments, principal_axes
from nodes.mesh._rigid import STAY, Motion

Array = NDArray[Any]
ROUNDS = ((250, 8, 6), (800, 20, 2))
LAST = (5000, 60)
SETTLED = 1e-9


@dataclass(frozen=True)
class Laid:
    """``apart``: mean metres of the pairs that counted. ``all_apart``: of all."""

    motion: Motion
    apart: float
    all_apart: float


def laid_onto(
    one: Surface, other: Surface, anywhere: bool, share: float, scaled: bool, seed: int, told: Callable[[float], None]
) -> Laid:
    """``share``: of the points that count, 0..1. ``scaled``: evenly to the other's size, too."""
    starts = [STAY]
    if anywhere:
        starts = [full(one, other, seed, lambda done: told(0.3 * done))] if scaled else _starts(one, other)
    for number, (count, steps, kept) in enumerate(ROUNDS if len(starts) > 1 else ()):
        points = sample(one, count, seed).points
        found = []
        for done, start in enumerate(starts):
            told(0.3 + 0.25 * (number + done / len(starts)))
            found.append(settled(other, points, start, steps, share, scaled=False))
        found.sort(key=lambda laid: laid.apart)
        starts = [laid.motion for laid in found[:kept]]
    told(0.8)
    points = sample(one, LAST[0], seed).points
    return min((settled(other, points, start, LAST[1], share, scaled) for start in starts), key=lambda laid: laid.apart)


def _starts(one: Surface, other: Surface) -> list[Motion]:
    """Centre onto centre of area: turned not at all, by quarters, and so that principal axes meet."""
    centre, target = (area_moments(s.vertices, s.faces)[0] for s in (one, other))
    mine, theirs = (principal_axes(s.vertices, s.faces) for s in (one, other))
    mine[2], theirs[2] = np.cross(mine[0], mine[1]), np.cross(theirs[0], theirs[1])
    quarters = quarter_turns()
    turns = [*quarters, *(theirs.T @ quarter @ mine for quarter in quarters)]
    return [Motion(turn, target - turn @ centre) for turn in turns]


def settled(other: Surface, points: Array, start: Motion, steps: int, share: float, scaled: bool) -> Laid:
    """Where (N, 3) points come to rest from ``start``."""
    best, motion = Laid(start, np.inf, np.inf), start
    for _ in range(steps):
        at = motion.of(points)
        near = nearest_on(other, at)
        good = near.distance <= np.quantile(near.distance, share)
        apart = float(near.distance[good].mean())
        if not apart < best.apart * (1 - SETTLED):
            break
        best = Laid(motion, apart, float(near.distance.mean()))
        motion = motion.then(_step(at[good], near.point[good], other.normals[near.face[good]], scaled))
    return best


def _step(at: Array, target: Array, normal: Array, scaled: bool) -> Motion:
    """The small motion that brings the points nearest to the planes."""
    centre = at.mean(axis=0)
    size = max(float(np.sqrt(((at - centre) ** 2).sum(axis=1).mean())), 1e-30)
    arm = (at - centre) / size
    columns = [np.cross(arm, normal), normal]
    if scaled:
        columns.append(np.einsum("ij,ij->i", arm, normal)[:, None])
    off = np.einsum("ij,ij->i", target - at, normal) / size
    found = np.linalg.lstsq(np.concatenate(columns, axis=1), off, rcond=1e-6)[0]
    turn = _rotation(found[:3])
    scale = float(np.clip(1 + found[6], 0.5, 2)) if scaled else 1.0
    return Motion(turn, centre + size * found[3:6] - scale * turn @ centre, scale)


def _rotation(way: Array) -> Array:
    """(3, 3) by |way| radians about ``way`` (Rodrigues)."""
    angle = float(np.linalg.norm(way))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = way / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
