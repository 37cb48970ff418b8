"""How thick the body is behind each face: a ray from the face inward to the wall on the other side."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import FAR, Tree, _faces_along, _invert, _meet, _push, _span
from nodes.mesh._jit import kernel
from nodes.mesh._measure import Skin
from nodes.mesh._topology import edges_of, face_vectors, parts

Array = NDArray[Any]
AT_ONCE = 16_384
SPOT = 3.0


@kernel
def _ahead(
    low: Array, high: Array, child: Array, start: Array, count: Array, corner: Array,
    origin: Array, direction: Array, own: Array, least: float, found: Array,
) -> None:  # fmt: skip
    stack, near, inv = np.empty(128, np.int32), np.empty(128), np.empty(3)
    for r in range(len(origin)):
        o, d, best = origin[r].astype(np.float64), direction[r].astype(np.float64), np.inf
        _invert(d, inv)
        stack[0], near[0], top = 0, _span(low, high, 0, o, inv, 0.0, FAR), 1
        while top > 0:
            top -= 1
            node = stack[top]
            if near[top] >= best:
                continue
            first = child[node]
            if first >= 0:
                reach = min(best, FAR)
                a = _span(low, high, first, o, inv, 0.0, reach)
                b = _span(low, high, first + 1, o, inv, 0.0, reach)
                top = _push(stack, near, top, first, a, b, reach)
                continue
            for k in range(start[node], start[node] + count[node]):
                t, _, _ = _meet(corner, k, o, d)
                if k != own[r] and least < t < best and t < FAR and _faces_along(corner, k, d, 0.5):
                    best = t
        found[r] = best


def thickness(tree: Tree, told: Callable[[float], None] = lambda _: None) -> Array:
    """(M,) float64 metres for the faces of ``tree``, in their own order: from each centre straight inward.

    Only walls that look away, within 60 degrees, count: neither a gap between two walls nor the sides of a sharp edge
    are taken for a wall. Infinite where nothing lies
    behind the face.
    """
    least = 1e-6 * float(np.linalg.norm(tree.high[0].astype(np.float64) - tree.low[0]))
    found = np.full(len(tree.corner), np.inf)

    def part(first: int) -> None:
        own = np.arange(first, min(first + AT_ONCE, len(found)))
        corner = tree.corner[own].astype(np.float64)
        normal = np.cross(corner[:, 3:6], corner[:, 6:9])
        length = np.linalg.norm(normal, axis=1, keepdims=True)
        inward = np.where(length > 0, -normal / np.maximum(length, 1e-300), 0.0)
        centre = corner[:, :3] + (corner[:, 3:6] + corner[:, 6:9]) / 3
        near = np.full(len(own), np.inf)
        _ahead(tree.low, tree.high, tree.child, tree.start, tree.count, tree.corner, centre, inward, own, least, near)
        found[own] = np.where(length[:, 0] > 0, near, np.inf)

    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(part, first) for first in range(0, len(found), AT_ONCE)]
        try:
            for number, job in enumerate(jobs):
                told(number / len(jobs))
                job.result()
        finally:
            for job in jobs:
                job.cancel()
    result = np.empty(len(found))
    result[tree.order] = found
    return result


def walls_below(skin: Skin, found: Array, least: float) -> Array:
    """(R,) bool: faces on walls that are thinner than ``least``, metres. ``found``: (R,), what :func:`thickness` gives.

    A patch of thin faces is a wall when some of it lies further than ``least`` from all that is thicker and looks the
    same way, and when it covers a square three times as wide as ``least``; so is a part that is thin all over. The
    rest are sharp edges, tips and specks.
    """
    from scipy.spatial import cKDTree

    thin = found < least
    rows = np.flatnonzero(thin)
    if not len(rows):
        return thin
    cross = face_vectors(skin.points, skin.faces).astype(np.float64)
    double = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(double, 1e-300)[:, None]
    place = np.concatenate([skin.points[skin.faces].astype(np.float64).mean(axis=1) / least, normal], axis=1)
    inner = np.ones(len(rows), bool)
    thick = place[~thin & (double > 0)]
    if len(thick):
        inner = np.isinf(cKDTree(thick).query(place[rows], distance_upper_bound=1.0)[0])
    count, patch = parts(skin.faces[rows], edges_of(skin.faces[rows]))
    wall = np.bincount(patch, double[rows] / 2, minlength=count) >= (SPOT * least) ** 2
    wall &= np.bincount(patch, inner, minlength=count) > 0
    bodies, body = skin.groups
    whole = np.bincount(body, ~thin, minlength=bodies) == 0
    thin[rows] = wall[patch] | whole[body[rows]]
    return thin
