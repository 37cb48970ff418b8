"""Close the flat openings that a cut leaves: find their rims, see which rim lies in which, triangulate between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ASKED = 15


def rim_of(faces: Array, flat: Array) -> Array:
    """(E, 2) edges of (M, 3) welded faces between two points in the plane that have no face on their other side.

    They run as the faces of a cap have to.
    """
    faces = faces[flat[faces].sum(axis=1) > 1]
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    sides = sides[flat[sides].all(axis=1)]
    count = len(flat)
    there, back = sides[:, 0] * count + sides[:, 1], sides[:, 1] * count + sides[:, 0]
    names, uses = np.unique(there, return_counts=True)
    known, others = np.unique(back, return_counts=True)
    at = np.minimum(np.searchsorted(known, names), max(len(known) - 1, 0))
    spare = uses - np.where(known[at] == names, others[at], 0) if len(known) else uses
    names = np.repeat(names, np.maximum(spare, 0))
    return np.stack([names % count, names // count], axis=1)


def loops_of(edges: Array, at: Array) -> tuple[list[Array], int]:
    """(closed loops of point numbers, edges that are in none). ``at``: (N, 2) points in the plane.

    Where several loops meet in a point, each turns as far to its right as it can, so that none crosses another.
    """
    ahead: dict[int, list[int]] = defaultdict(list)
    for one, other in edges.tolist():
        ahead[one].append(other)
    loops, spare = [], 0
    for start in edges[:, 0].tolist():
        while ahead[start]:
            found, lost = _walk(ahead, start, at)
            loops += found
            spare += lost
    return loops, spare


def _walk(ahead: dict[int, list[int]], start: int, at: Array) -> tuple[list[Array], int]:
    loops, path, place = [], [start], {start: 0}
    while ahead[path[-1]]:
        here = path[-1]
        options = ahead[here]
        k = 0 if len(options) == 1 or len(path) < 2 else _rightmost(at, path[-2], here, options)
        step = options.pop(k)
        if step in place:
            first = place[step]
            loops.append(np.array(path[first:], np.int64))
            for gone in path[first + 1 :]:
                del place[gone]
            del path[first + 1 :]
        else:
            place[step] = len(path)
            path.append(step)
    return loops, len(path) - 1


def _rightmost(at: Array, before: int, here: int, options: list[int]) -> int:
    back = at[before] - at[here]
    way = at[options] - at[here]
    turn = np.arctan2(back[0] * way[:, 1] - back[1] * way[:, 0], way @ back)
    return int(np.where(turn <= 1e-12, turn + 2 * np.pi, turn).argmin())


def caps_of(loops: list[Array], at: Array) -> Array:
    """(T, 3) point numbers of triangles that fill the loops; those that run clockwise are holes in the one around."""
    from manifold3d import triangulate

    filled = []
    for outer, holes in _nested([loop for loop in loops if len(loop) > 2], at):
        names = np.concatenate([outer, *holes])
        polygons = [np.ascontiguousarray(at[ring]) for ring in (outer, *holes)]
        triangles = np.asarray(triangulate(polygons), np.int64).reshape(-1, 3)
        filled.append(names[triangles])
    return np.concatenate(filled) if filled else np.zeros((0, 3), np.int64)


def _nested(loops: list[Array], at: Array) -> Iterator[tuple[Array, list[Array]]]:
    """Each outer loop with the holes that lie in no smaller one."""
    areas = [_area(at[loop]) for loop in loops]
    outers = [k for k, area in enumerate(areas) if area >= 0]
    holes: dict[int, list[Array]] = defaultdict(list)
    for k, area in enumerate(areas):
        if area < 0:
            around = [j for j in outers if areas[j] > -area and _holds(at[loops[j]], at[loops[k]])]
            if around:
                holes[min(around, key=lambda j: areas[j])].append(loops[k])
            else:
                yield loops[k], []
    for k in outers:
        yield loops[k], holes[k]


def _area(ring: Array) -> float:
    x, y = (ring - ring[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def _holds(ring: Array, others: Array) -> bool:
    """Whether most of some points of one ring lie in another."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    if (others.min(axis=0) < low).any() or (others.max(axis=0) > high).any():
        return False
    asked = others[:: max(1, len(others) // ASKED)]
    a, b = ring[None], np.roll(ring, -1, axis=0)[None]
    x, y = asked[:, None, 0], asked[:, None, 1]
    spans = (a[..., 1] > y) != (b[..., 1] > y)
    rise = np.where(spans, b[..., 1] - a[..., 1], 1.0)
    right = a[..., 0] + (y - a[..., 1]) / rise * (b[..., 0] - a[..., 0]) > x
    return bool(((spans & right).sum(axis=1) % 2).mean() > 0.5)
