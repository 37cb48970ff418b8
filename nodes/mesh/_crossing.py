"""Which triangles of a mesh run through one another, exactly, by a bounding volume hierarchy.

Two triangles count when they have a point in common that is no corner or edge they share: those without a common corner
when they touch at all, those with one common corner when the far side of one meets the other, those with a common edge
when they lie folded upon each other in one plane. A corner on the inside of a neighbour's edge counts, too.
Triangles without area and triangles over the same three corners are left to other counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree, build
from nodes.mesh._exact import side_2d, side_3d
from nodes.mesh._jit import kernel
from nodes.mesh._topology import Ints

Array = NDArray[Any]
AT_ONCE = 8_192
TESTS_A_FACE = 400
TESTS_AT_LEAST = 20_000_000


@dataclass(frozen=True)
class Crossings:
    """``pairs``: (P, 2) int64 faces, lower number first, sorted. ``whole``: False when the search was given up."""

    pairs: Array
    whole: bool = True

    def faces(self, count: int) -> Array:
        """(count,) bool: the faces that occur."""
        marked = np.zeros(count, bool)
        marked[self.pairs.ravel()] = True
        return marked


@kernel
def _flat_axes(p: Array, a: int, b: int, c: int) -> tuple[int, int]:
    """The two coordinates in which triangle a, b, c has the largest picture."""
    ux, uy, uz = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1], p[b, 2] - p[a, 2]
    vx, vy, vz = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1], p[c, 2] - p[a, 2]
    x, y, z = abs(uy * vz - uz * vy), abs(uz * vx - ux * vz), abs(ux * vy - uy * vx)
    if x >= y and x >= z:
        return 1, 2
    return (2, 0) if y >= z else (0, 1)


@kernel
def _between(p: Array, s: int, t: int, q: int, u: int, v: int) -> bool:
    """Whether q, which lies on the line through s and t, lies between them."""
    for k in (u, v):  # noqa: SIM110
        if p[q, k] < min(p[s, k], p[t, k]) or p[q, k] > max(p[s, k], p[t, k]):
            return False
    return True


@kernel
def _segments_meet(p: Array, s: int, t: int, a: int, b: int, u: int, v: int) -> bool:
    one, two = side_2d(p, s, t, a, u, v), side_2d(p, s, t, b, u, v)
    three, four = side_2d(p, a, b, s, u, v), side_2d(p, a, b, t, u, v)
    if one * two < 0 and three * four < 0:
        return True
    if one == 0 and _between(p, s, t, a, u, v):
        return True
    if two == 0 and _between(p, s, t, b, u, v):
        return True
    if three == 0 and _between(p, a, b, s, u, v):
        return True
    return four == 0 and _between(p, a, b, t, u, v)


@kernel
def _flat_meet(p: Array, s: int, t: int, a: int, b: int, c: int) -> bool:
    """Whether a side meets a triangle in whose plane it lies."""
    u, v = _flat_axes(p, a, b, c)
    one, two, three = side_2d(p, a, b, s, u, v), side_2d(p, b, c, s, u, v), side_2d(p, c, a, s, u, v)
    if (one >= 0 and two >= 0 and three >= 0) or (one <= 0 and two <= 0 and three <= 0):
        return True
    for i, j in ((a, b), (b, c), (c, a)):  # noqa: SIM110
        if _segments_meet(p, s, t, i, j, u, v):
            return True
    return False


@kernel
def _side_meets(p: Array, s: int, t: int, a: int, b: int, c: int) -> bool:
    """Whether the side from s to t meets the triangle a, b, c, rims counted in."""
    from_s, from_t = side_3d(p, a, b, c, s), side_3d(p, a, b, c, t)
    if from_s * from_t > 0:
        return False
    if from_s == 0 and from_t == 0:
        return _flat_meet(p, s, t, a, b, c)
    one = side_3d(p, s, t, a, b)
    two = side_3d(p, s, t, b, c)
    if one * two < 0:
        return False
    three = side_3d(p, s, t, c, a)
    return one * three >= 0 and two * three >= 0


@kernel
def _apart(p: Array, f: Array, i: int, j: int) -> bool:
    """Whether all corners of face ``j`` lie strictly on one side of face ``i``."""
    first = side_3d(p, f[i, 0], f[i, 1], f[i, 2], f[j, 0])
    if first == 0 or side_3d(p, f[i, 0], f[i, 1], f[i, 2], f[j, 1]) != first:
        return False
    return side_3d(p, f[i, 0], f[i, 1], f[i, 2], f[j, 2]) == first


@kernel
def _strangers_meet(p: Array, f: Array, i: int, j: int) -> bool:
    if _apart(p, f, i, j) or _apart(p, f, j, i):
        return False
    for k in range(3):
        if _side_meets(p, f[i, k], f[i, (k + 1) % 3], f[j, 0], f[j, 1], f[j, 2]):
            return True
        if _side_meets(p, f[j, k], f[j, (k + 1) % 3], f[i, 0], f[i, 1], f[i, 2]):
            return True
    return False


@kernel
def _folded(p: Array, f: Array, i: int, j: int, own: int, other: int) -> bool:
    """Whether two faces with a common edge lie upon each other; ``own``, ``other``: their corners off that edge."""
    a, b, c = f[i, own], f[i, (own + 1) % 3], f[i, (own + 2) % 3]
    d = f[j, other]
    if side_3d(p, a, b, c, d) != 0:
        return False
    u, v = _flat_axes(p, a, b, c)
    return side_2d(p, b, c, a, u, v) * side_2d(p, b, c, d, u, v) > 0


@kernel
def _meet(p: Array, f: Array, i: int, j: int) -> bool:
    shared, own, other, seen = 0, 3, 3, 0
    for k in range(3):
        for m in range(3):
            if f[i, k] == f[j, m]:
                shared, own, other, seen = shared + 1, own - k, other - m, k
    if shared == 0:
        return _strangers_meet(p, f, i, j)
    if shared == 1:
        m = 3 - other
        if _side_meets(p, f[i, (seen + 1) % 3], f[i, (seen + 2) % 3], f[j, 0], f[j, 1], f[j, 2]):
            return True
        return _side_meets(p, f[j, (m + 1) % 3], f[j, (m + 2) % 3], f[i, 0], f[i, 1], f[i, 2])
    return shared == 2 and _folded(p, f, i, j, own, other)


@kernel
def _overlap(low: Array, high: Array, i: int, other_low: Array, other_high: Array, k: int) -> bool:
    for axis in range(3):  # noqa: SIM110
        if low[i, axis] > other_high[k, axis] or high[i, axis] < other_low[k, axis]:
            return False
    return True


@kernel
def _search(
    node_low: Array, node_high: Array, child: Array, start: Array, count: Array, low: Array, high: Array,
    p: Array, f: Array, solid: Array, near: Array, whole: bool, first: int, last: int, budget: int,
) -> tuple[Array, int]:  # fmt: skip
    """(pairs in tree order, box tests made, or -1 when they were more than ``budget``).

    Unless ``whole``, pairs with at least one face in ``near``, (M,) bool.
    """
    found, n, tests, stack = np.empty((64, 2), np.int64), 0, 0, np.empty(256, np.int32)
    for i in range(first, last):
        stack[0], top = 0, 1 if solid[i] and (whole or near[i]) else 0
        while top > 0:
            top -= 1
            node = stack[top]
            end = start[node] + count[node]
            tests += 1
            if (whole and end <= i + 1) or not _overlap(low, high, i, node_low, node_high, node):
                continue
            if child[node] >= 0:
                stack[top], stack[top + 1] = child[node], child[node] + 1
                top += 2
                continue
            for j in range(max(start[node], i + 1) if whole else start[node], end):
                tests += 1
                if not whole and j <= i and (j == i or near[j]):
                    continue
                if solid[j] and _overlap(low, high, i, low, high, j) and _meet(p, f, i, j):
                    if n == len(found):
                        wider = np.empty((2 * n, 2), np.int64)
                        wider[:n] = found
                        found = wider
                    found[n, 0], found[n, 1] = i, j
                    n += 1
        if tests > budget:
            return found[:n], -1
    return found[:n], tests


def crossings(
    points: Array,
    faces: Ints,
    told: Callable[[float], None] = lambda _: None,
    tree: Tree | None = None,
    least_budget: int = TESTS_AT_LEAST,
    near: Array | None = None,
) -> Crossings:
    """All pairs of triangles that run through one another.

    ``points``: (N, 3) single precision positions, each place named once, so that equal corners have equal numbers.
    ``faces``: (M, 3), those without area are passed over. ``told``: called with the fraction done, for stopping.
    ``tree``: over these faces, where it is at hand. The search is given up after 400 tests a face, but not before
    ``least_budget``: only heaps on one spot need so many. ``near``: (M,) bool, only pairs with one of these faces.
    """
    if len(faces) < 2:
        return Crossings(np.zeros((0, 2), np.int64))
    single = points.astype(np.float32)
    tree = tree or build(single, faces)
    exact = single.astype(np.float64)
    corner = faces[tree.order].astype(np.int32)
    solid = _solid(exact, corner)
    a, b, c = corner.T
    low, high = (end(end(single[a], single[b]), single[c]) for end in (np.minimum, np.maximum))
    budget = max(least_budget, TESTS_A_FACE * len(faces))
    boxes = (tree.low, tree.high, tree.child, tree.start, tree.count)
    some = np.zeros(0, bool) if near is None else near[tree.order]
    found, spent = [], 0

    def part(first: int) -> tuple[Array, int]:
        end = min(first + AT_ONCE, len(faces))
        return _search(*boxes, low, high, exact, corner, solid, some, near is None, first, end, budget)

    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        waiting = [pool.submit(part, first) for first in range(0, len(faces), AT_ONCE)]
        try:
            for number, job in enumerate(waiting):
                told(number / len(waiting))
                pairs, tests = job.result()
                found.append(tree.order[pairs])
                spent += tests
                if tests < 0 or spent > budget:
                    return Crossings(_sorted(found), whole=False)
        finally:
            for job in waiting:
                job.cancel()
    return Crossings(_sorted(found))


def _sorted(found: list[Array]) -> Array:
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))])


@kernel
def _solid(p: Array, f: Array) -> Array:
    """(M,) bool, exact: in one of the three planes of coordinates the corners do not lie on a line."""
    solid = np.zeros(len(f), np.bool_)
    for i in range(len(f)):
        for u, v in ((0, 1), (1, 2), (2, 0)):
            if side_2d(p, f[i, 0], f[i, 1], f[i, 2], u, v) != 0:
                solid[i] = True
    return solid
