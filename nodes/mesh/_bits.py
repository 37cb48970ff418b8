"""A square of cells as rows of bits, and where in it a shape of cells is free.

A shape is (N, 3) int64 runs: row, first and last cell. ``smear``: (K, H, W + 1) uint64; bit x of ``smear[k, y]`` is
set when one of the cells x to x + 2**k - 1 of row y is taken, so that two looks tell whether a run is free, at 64
places at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
WORD = 64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)


def empty(cells: int, rows: int) -> Array:
    """A free square."""
    return np.zeros((max(1, cells.bit_length()), rows, -(-cells // WORD) + 1), np.uint64)


@inlined
def _or_shifted(row: Array, shift: int, out: Array) -> None:
    """``out`` |= ``row`` moved ``shift`` cells to the left."""
    words, rest = shift >> 6, np.uint64(shift & 63)
    for i in range(len(out) - 1 - words):
        if rest:
            out[i] |= (row[i + words] >> rest) | (row[i + words + 1] << (np.uint64(64) - rest))
        else:
            out[i] |= row[i + words]


@inlined
def _all_taken(taken: Array, places: int) -> bool:
    full = places >> 6
    for i in range(full):
        if taken[i] != ALL:
            return False
    left = places & 63
    return left == 0 or (taken[full] | (ALL << np.uint64(left))) == ALL


@inlined
def _first_free(taken: Array, places: int) -> int:
    for x in range(places):
        if not (taken[x >> 6] >> np.uint64(x & 63)) & ONE:
            return x
    return -1


@inlined
def _steps(length: int) -> int:
    k = 0
    while (2 << k) <= length:
        k += 1
    return k


@kernel
def lowest(
    smear: Array, runs: Array, wide: int, tall: int, cells: int, square: int, first: int, last: int, taken: Array
) -> tuple[int, int]:
    """(x, y) of the lowest, then leftmost free place with ``first`` <= y <= ``last``, or (-1, -1).

    ``square``: rows of one square; squares lie above each other and no shape crosses from one into the next.
    """
    places = cells - wide + 1
    y = first
    while y <= last:
        if y % square + tall > square:
            y += square - y % square
            continue
        taken[:] = 0
        done = False
        for i in range(len(runs)):
            length = runs[i, 2] - runs[i, 1] + 1
            k = _steps(length)
            row = smear[k, y + runs[i, 0]]
            _or_shifted(row, runs[i, 1], taken)
            if length > (1 << k):
                _or_shifted(row, runs[i, 2] + 1 - (1 << k), taken)
            if _all_taken(taken, places):
                done = True
                break
        if not done:
            return _first_free(taken, places), y
        y += 1
    return -1, -1


@kernel
def take(smear: Array, runs: Array, x: int, y: int, gap: int, cells: int, square: int) -> None:
    """Mark the cells of a shape at (x, y), and ``gap`` cells around each, as taken."""
    bottom = y - y % square
    low, high = 1 << 60, -1
    for i in range(len(runs)):
        left, right = max(0, x + runs[i, 1] - gap), min(cells - 1, x + runs[i, 2] + gap)
        for row in range(max(bottom, y + runs[i, 0] - gap), min(bottom + square - 1, y + runs[i, 0] + gap) + 1):
            low, high = min(low, row), max(high, row)
            for word in range(left >> 6, (right >> 6) + 1):
                bits = ALL
                if word == left >> 6:
                    bits &= ALL << np.uint64(left & 63)
                if word == right >> 6:
                    bits &= ALL >> np.uint64(63 - (right & 63))
                smear[0, row, word] |= bits
    for row in range(low, high + 1):
        for k in range(1, len(smear)):
            smear[k, row] = smear[k - 1, row]
            _or_shifted(smear[k - 1, row], 1 << (k - 1), smear[k, row])


@kernel
def draw_shape(corners: Array, faces: Array, scale: float, cells: Array) -> None:
    """Set the bytes of ``cells`` (H, W) that a chart touches. ``corners``: (M, 3, 2), lower left of the chart at 0."""
    height, width = cells.shape
    for f in faces:
        low, high = 1e300, -1e300
        for k in range(3):
            low, high = min(low, corners[f, k, 1] * scale), max(high, corners[f, k, 1] * scale)
        for y in range(max(0, int(low)), min(height - 1, int(high)) + 1):
            left, right = 1e300, -1e300
            for k in range(3):
                j = (k + 1) % 3
                ax, ay = corners[f, k, 0] * scale, corners[f, k, 1] * scale
                bx, by = corners[f, j, 0] * scale, corners[f, j, 1] * scale
                if ay > by:
                    ax, ay, bx, by = bx, by, ax, ay
                if by < y or ay > y + 1:
                    continue
                s = (y - ay) / (by - ay) if ay < y else 0.0
                e = (y + 1 - ay) / (by - ay) if by > y + 1 else 1.0
                left = min(left, ax + s * (bx - ax), ax + e * (bx - ax))
                right = max(right, ax + s * (bx - ax), ax + e * (bx - ax))
            for x in range(max(0, int(left)), min(width - 1, int(right)) + 1):
                cells[y, x] = 1


@kernel
def runs_of(cells: Array, turn: int) -> Array:
    """Runs of a drawn shape after ``turn`` quarter turns to the left, the longest first."""
    height, width = cells.shape
    tall, wide = (height, width) if turn % 2 == 0 else (width, height)
    runs = np.empty((tall * (wide // 2 + 1), 3), np.int64)
    count = 0
    for y in range(tall):
        inside = False
        for x in range(wide + 1):
            on = False
            if x < wide:
                if turn == 0:
                    on = cells[y, x] > 0
                elif turn == 1:
                    on = cells[height - 1 - x, y] > 0
                elif turn == 2:
                    on = cells[height - 1 - y, width - 1 - x] > 0
                else:
                    on = cells[x, width - 1 - y] > 0
            if on and not inside:
                runs[count, 0], runs[count, 1] = y, x
            if inside and not on:
                runs[count, 2] = x - 1
                count += 1
            inside = on
    runs = runs[:count]
    return runs[np.argsort(runs[:, 1] - runs[:, 2], kind="mergesort")]
