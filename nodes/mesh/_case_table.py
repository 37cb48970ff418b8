"""Marching cubes (Lorensen and Cline 1987): the triangles of each of the 256 ways in which a cell's corners can lie.

The table is worked out here, by a rule that looks at one face of the cell at a time: where two inside corners lie
across from each other on a face, they are kept apart. Both cells at a face therefore draw the same lines on it, and
the surface of a whole grid is closed. Corner k of a cell lies at (k & 1, k >> 1 & 1, k >> 2 & 1).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

Loop = tuple[int, ...]
Triangle = tuple[int, int, int]

EDGES = tuple((low, axis) for axis in range(3) for low in range(8) if not low >> axis & 1)


def _faces() -> list[Loop]:
    """The corners of each face, counter-clockwise seen from outside the cell."""
    found: list[Loop] = []
    for axis in range(3):
        a, b = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
        far = 1 << axis
        found += [(far, far + a, far + a + b, far + b), (0, b, a + b, a)]
    return found


def _edge(p: int, q: int) -> int:
    return EDGES.index((min(p, q), (p ^ q).bit_length() - 1))


FACES = _faces()
EDGES_OF_FACE = [{_edge(p, q) for p, q in pairwise((*face, face[0]))} for face in FACES]


def _lines(case: int) -> dict[int, int]:
    """On the faces of one cell: the crossed edge that follows each crossed edge around the surface."""
    after = {}
    for face in FACES:
        ring = [(case >> corner & 1, _edge(corner, face[(i + 1) % 4])) for i, corner in enumerate(face)]
        for i in range(4):
            (before, entry), (here, _) = ring[i - 1], ring[i]
            if here and not before:
                leave = next(ring[(i + n) % 4][1] for n in range(4) if not ring[(i + n + 1) % 4][0])
                after[entry] = leave
    return after


def _loops(case: int) -> list[Loop]:
    after, loops = _lines(case), []
    while after:
        loop = [min(after)]
        while (following := after.pop(loop[-1])) != loop[0]:
            loop.append(following)
        loops.append(tuple(loop))
    return loops


def _ways(loop: Loop) -> list[list[Triangle]]:
    """Every way to fill a polygon with triangles."""
    if len(loop) < 3:
        return [[]]
    first, last = loop[0], loop[-1]
    return [
        [*left, (first, loop[i], last), *right]
        for i in range(1, len(loop) - 1)
        for left in _ways(loop[: i + 1])
        for right in _ways(loop[i:])
    ]


def _flat(loop: Loop, triangles: list[Triangle]) -> int:
    """How many inner sides lie in a face of the cell, where the neighbour's triangles could have the same side."""
    rim = {frozenset(pair) for pair in pairwise((*loop, loop[0]))}
    sides = {frozenset((t[i], t[i - 1])) for t in triangles for i in range(3)} - rim
    return sum(any(side <= edges for edges in EDGES_OF_FACE) for side in sides)


def _filled(loop: Loop) -> list[Triangle]:
    return min(_ways(loop), key=lambda triangles: _flat(loop, triangles))


@cache
def triangles_of() -> tuple[tuple[Triangle, ...], ...]:
    """For each of 256 cases (bit k: corner k is inside) triangles of edge numbers, counter-clockwise from outside."""
    return tuple(tuple(t for loop in _loops(case) for t in _filled(loop)) for case in range(256))
