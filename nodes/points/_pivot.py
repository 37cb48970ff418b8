"""Ball pivoting (Bernardini et al. 1999): a triangle wherever a ball rests on three points, for growing balls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._topology import edges_of, fans
from nodes.points._ball import FACES, HEAD, NEXT, TAIL, Front, Ground, begin, roll, wake
from nodes.points._near import Told

Array = NDArray[Any]
AT_ONCE = 20_000
ROOM = 4


def pivoted(points: Array, normals: Array, radii: Sequence[float], told: Told) -> Array:
    """(M, 3) int32 faces between (N, 3) float64 points, wound as their normals look; every edge and vertex manifold.

    ``radii``: metres, from small to large. A larger ball only goes on where the smaller ones found nothing.
    """
    count = len(points)
    order = np.lexsort(np.floor((points - points.min(axis=0)) / (4 * radii[0])).astype(np.int64).T)
    at, way = np.ascontiguousarray(points[order]), np.ascontiguousarray(normals[order], np.float64)
    front = Front(
        faces=np.empty((ROOM * count, 3), np.int32),
        first=np.full(count, -1, np.int32),
        after=np.empty(3 * ROOM * count, np.int32),
        open=np.zeros(count, np.int32),
        queue=np.empty(3 * ROOM * count, np.int32),
        state=np.zeros(4, np.int64),
    )
    for k, radius in enumerate(radii):
        ground = _ground(at, way, 2 * radius)
        if k:
            wake(ground, front)
        _rolled(ground, front, lambda done: told((k + done) / len(radii)))  # noqa: B023
    return _fanned(order[front.faces[: front.state[FACES]]].astype(np.int32))


def _rolled(ground: Ground, front: Front, told: Told) -> None:
    """Roll until the queue is empty and no point is left to start from."""
    state, count = front.state, len(ground.at)
    while state[FACES] < len(front.faces):
        told(min(1.0, state[FACES] / (2 * count)))
        if state[HEAD] < state[TAIL]:
            roll(ground, front, AT_ONCE)
        elif not begin(ground, front, AT_ONCE) and state[NEXT] >= count:
            break


def _ground(at: Array, way: Array, step: float) -> Ground:
    low = at.min(axis=0)
    x, y, z = np.floor((at - low) / step).astype(np.int64).T
    rows = 1 << max(4, len(at).bit_length())
    slot = ((x * 73856093 ^ y * 19349663) & (rows - 1)) + z
    members = np.argsort(slot, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(slot, minlength=rows + int(z.max()) + 3))])
    return Ground(at, way, members, starts, rows, low, float(step))


def _fanned(faces: Array) -> Array:
    """Where several fans of faces meet in one point, only the largest stays."""
    while len(faces):
        count, fan = fans(edges_of(faces), faces)
        vertex = np.zeros(count, np.int64)
        vertex[fan.ravel()] = faces.ravel()
        size = np.bincount(fan.ravel(), minlength=count)
        best = np.lexsort((size, vertex))
        last = np.append(vertex[best][1:] != vertex[best][:-1], True)
        spare = np.ones(count, bool)
        spare[best[last]] = False
        bad = spare[fan].any(axis=1)
        if not bad.any():
            break
        faces = faces[~bad]
    return faces
