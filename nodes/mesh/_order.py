"""Faces in spatial order, so that neighbours lie close in memory, and numbers by first appearance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
BANDS, DIGIT = 8, 11
NOWHERE = 1 << 2 * DIGIT


@kernel
def _spread(n: int) -> int:
    n = (n | (n << 16)) & 0x030000FF
    n = (n | (n << 8)) & 0x0300F00F
    n = (n | (n << 4)) & 0x030C30C3
    return (n | (n << 2)) & 0x09249249


@kernel
def _codes(first: int, end: int, points: Array, faces: Array, middle: Array, scale: float, out: Array) -> int:
    """Morton codes, 7 bits an axis, of the middle of each face from ``first`` to ``end``; how many there are.

    A face that has one vertex twice lies ``NOWHERE``.
    """
    count = 0
    for f in range(first, end):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        out[f] = NOWHERE
        if a == b or b == c or c == a:
            continue
        code = 0
        for axis in range(3):
            place = (points[a, axis] + points[b, axis] + points[c, axis]) / 3.0 - middle[axis]
            code |= _spread(int((place * scale + 0.5) * 127.9)) << axis
        out[f] = code
        count += 1
    return count


@kernel
def _sorted(codes: Array, order: Array, other: Array) -> None:
    """Radix sort of the places of all codes that are somewhere, equal ones as they were, into ``order``."""
    tall, wide = np.zeros((1 << DIGIT) + 1, np.int64), np.zeros((1 << DIGIT) + 1, np.int64)
    mask = (1 << DIGIT) - 1
    for f in range(len(codes)):
        if codes[f] < NOWHERE:
            wide[(codes[f] & mask) + 1] += 1
            tall[(codes[f] >> DIGIT) + 1] += 1
    for i in range(mask):
        wide[i + 1] += wide[i]
        tall[i + 1] += tall[i]
    for f in range(len(codes)):
        if codes[f] < NOWHERE:
            digit = codes[f] & mask
            other[wide[digit]] = f
            wide[digit] += 1
    for f in other:
        digit = codes[f] >> DIGIT
        order[tall[digit]] = f
        tall[digit] += 1


def along_the_surface(points: Array, faces: Array, middle: Array, span: float) -> Array:
    """(K,) int32: the (M, 3) faces over three different (V, 3) points, neighbours close to each other.

    Points lie within ``span`` / 2 of ``middle`` (3,), on each axis.
    """
    codes, cuts = np.empty(len(faces), np.int32), np.linspace(0, len(faces), BANDS + 1).astype(int)

    def band(cut: tuple[int, int]) -> int:
        return int(_codes(*cut, points, faces, middle, 1 / span, codes))

    with ThreadPoolExecutor() as pool:
        count = sum(pool.map(band, pairwise(cuts.tolist())))
    order = np.empty(count, np.int32)
    _sorted(codes, order, np.empty_like(order))
    return order


@kernel
def _numbered(rows: Array, table: Array, column: int, tri: Array, to: int, new: Array, old: Array) -> int:
    count = 0
    for i in range(len(rows)):
        for k in range(3):
            n = table[rows[i], column + k]
            if new[n] < 0:
                new[n] = count
                old[count] = n
                count += 1
            tri[i, to + k] = new[n]
    for i in range(count):
        new[old[i]] = -1
    return count


def numbered(rows: Array, table: Array, column: int, tri: Array, to: int, new: Array) -> Array:
    """Write three columns of the ``rows`` of a table to ``tri``, numbered by first appearance; the old numbers.

    ``new``: as long as there are old numbers, -1 before and after.
    """
    old = np.empty(min(len(new), 3 * len(rows)), np.int32)
    return old[: _numbered(rows, table, column, tri, to, new, old)]
