"""The surface where samples on a grid cross a level, whole and welded, in time that goes with its size.

After flying edges (Schroeder, Maynard and Geveci 2015): which samples are inside is kept as one bit each, a row at a
time, so that rows without a crossing cost a few words; a first pass counts, a second writes into arrays of the right
length. The numbers of the vertices of two planes of samples are kept, so each vertex is made once. Triangles come
from :mod:`nodes.mesh._case_table`: the surface is closed but where it leaves the grid, every edge has two faces at
most and every vertex one fan.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._case_table import EDGES, triangles_of
from nodes.mesh._eight import lowest_bit
from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]
LEAST = 1e-3  # a vertex keeps this share of a step away from the samples, so that no two vertices meet
WORD = 64
MANY = 300_000  # triangles from which two threads pay


@cache
def _tables() -> tuple[Array, Array]:
    """(256, 16) uint8: number of triangles and their edges; (12, 2) lower corner and axis of each edge."""
    table = np.zeros((256, 16), np.uint8)
    for case, triangles in enumerate(triangles_of()):
        table[case, 0] = len(triangles)
        table[case, 1 : 1 + 3 * len(triangles)] = np.ravel(triangles)
    return table, np.array(EDGES, np.int64)


def _inside(values: Array, level: float, below: bool) -> Array:
    """(X, Y, W) uint64: bit k of word w is sample 64 w + k of the row."""
    x, y, z = values.shape
    bits = np.zeros((x, y, 8 * -(-z // WORD)), np.uint8)
    compare = np.less if below else np.greater
    for i in range(x):
        bits[i, :, : -(-z // 8)] = np.packbits(compare(values[i], np.float32(level)), axis=-1, bitorder="little")
    return bits.view("<u8")


@kernel
def _ones(word: Any) -> int:
    """How many bits of a word are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inlined
def _ahead(bits: Array, x: int, y: int, w: int) -> Any:
    """The word of the samples one step along z."""
    carry = bits[x, y, w + 1] << np.uint64(63) if w + 1 < bits.shape[2] else np.uint64(0)
    return (bits[x, y, w] >> np.uint64(1)) | carry


@inlined
def _crossed(bits: Array, rim: Array, x: int, y: int, w: int, corner: Array) -> Any:
    """Cells of a word that have samples on both sides; ``corner``: (8,) becomes the words of their corners."""
    for k in range(4):
        i, j = x + (k & 1), y + (k >> 1)
        corner[k], corner[4 + k] = bits[i, j, w], _ahead(bits, i, j, w)
    either, every = corner[0], corner[0]
    for k in range(1, 8):
        either |= corner[k]
        every &= corner[k]
    return either & ~every & rim[w]


@inlined
def _case(corner: Array, k: int) -> int:
    case = 0
    for c in range(8):
        case |= int((corner[c] >> np.uint64(k)) & np.uint64(1)) << c
    return case


@kernel
def _count(bits: Array, rim: Array, table: Array, tally: Array) -> None:
    """``tally``: (X, 2) becomes vertices and triangles from each plane of samples to the next."""
    corner = np.empty(8, np.uint64)
    for x in range(bits.shape[0]):
        points, faces = 0, 0
        for y in range(bits.shape[1]):
            for w in range(bits.shape[2]):
                here = bits[x, y, w]
                points += _ones((here ^ _ahead(bits, x, y, w)) & rim[w])
                if y + 1 < bits.shape[1]:
                    points += _ones(here ^ bits[x, y + 1, w])
                if x + 1 < bits.shape[0]:
                    points += _ones(here ^ bits[x + 1, y, w])
                    if y + 1 < bits.shape[1]:
                        cells = _crossed(bits, rim, x, y, w, corner)
                        while cells != np.uint64(0):
                            faces += table[_case(corner, lowest_bit(np.int64(cells))), 0]
                            cells &= cells - np.uint64(1)
        tally[x, 0], tally[x, 1] = points, faces


@inlined
def _place(
    values: Array, x: int, y: int, z: int, axis: int, level: float, low: Array, step: Array, out: Array, n: int
) -> None:
    a = np.float64(values[x, y, z])
    b = np.float64(values[x + (axis == 0), y + (axis == 1), z + (axis == 2)])
    along = min(max((level - a) / (b - a), LEAST), 1.0 - LEAST)
    out[n, 0] = low[0] + step[0] * (x + (along if axis == 0 else 0.0))
    out[n, 1] = low[1] + step[1] * (y + (along if axis == 1 else 0.0))
    out[n, 2] = low[2] + step[2] * (z + (along if axis == 2 else 0.0))


@kernel
def _vertices(
    values: Array, bits: Array, rim: Array, x: int, axes: int, level: float, low: Array, step: Array,
    n: int, ids: Array, out: Array, write: bool,
) -> int:  # fmt: skip
    """Number, and ``write``, what is crossed in the plane (``axes`` 1) or from it to the next one (``axes`` 0)."""
    rows, deep = values.shape[1], values.shape[2]
    for y in range(rows):
        for turn in range(1 + axes):
            axis = turn + axes
            if axis == 1 and y + 1 == rows:
                continue
            base = (4 if axis == 0 else 2 * (x & 1) + axis - 1) * rows * deep + y * deep
            for w in range(bits.shape[2]):
                here = bits[x, y, w]
                if axis == 2:
                    cut = (here ^ _ahead(bits, x, y, w)) & rim[w]
                else:
                    cut = here ^ bits[x + (axis == 0), y + (axis == 1), w]
                while cut != np.uint64(0):
                    z = WORD * w + lowest_bit(np.int64(cut))
                    cut &= cut - np.uint64(1)
                    ids[base + z] = n
                    if write:
                        _place(values, x, y, z, axis, level, low, step, out, n)
                    n += 1
    return n


@kernel
def _march(
    values: Array, bits: Array, rim: Array, table: Array, edges: Array, first: int, last: int, level: float,
    low: Array, step: Array, start: Array, points: Array, faces: Array,
) -> None:  # fmt: skip
    """Write the vertices of planes ``first`` to ``last`` - 1 and the triangles up to plane ``last``."""
    planes, rows, deep = values.shape
    ids, corner, offset = np.empty(5 * rows * deep, np.int32), np.empty(8, np.uint64), np.empty(12, np.int64)
    n = _vertices(values, bits, rim, first, 1, level, low, step, start[first, 0], ids, points, True)
    for x in range(first, last):
        if x + 1 == planes:
            break
        _vertices(values, bits, rim, x, 0, level, low, step, n, ids, points, True)
        n = _vertices(values, bits, rim, x + 1, 1, level, low, step, start[x + 1, 0], ids, points, x + 1 < last)
        for e in range(12):
            corner_of, axis = edges[e, 0], edges[e, 1]
            plane = 4 if axis == 0 else 2 * ((x + (corner_of & 1)) & 1) + axis - 1
            offset[e] = (plane * rows + (corner_of >> 1 & 1)) * deep + (corner_of >> 2)
        at = start[x, 1]
        for y in range(rows - 1):
            for w in range(bits.shape[2]):
                cells = _crossed(bits, rim, x, y, w, corner)
                while cells != np.uint64(0):
                    k = lowest_bit(np.int64(cells))
                    cells &= cells - np.uint64(1)
                    case, here = _case(corner, k), y * deep + WORD * w + k
                    for t in range(table[case, 0]):
                        for c in range(3):
                            faces[at, c] = ids[offset[table[case, 1 + 3 * t + c]] + here]
                        at += 1


def surface(values: Array, level: float, low: Any = 0.0, step: Any = 1.0, below: bool = False) -> tuple[Array, Array]:
    """((V, 3) float32 points, (M, 3) int32 faces that look away from the inside) of (X, Y, Z) float32 finite samples.

    Inside is above ``level``, or with ``below`` under it. ``low``: the place of the first sample, ``step``: between
    two, a number or one for each axis. Beside the result it takes a sixteenth of the samples' memory.
    """
    values = np.ascontiguousarray(values, np.float32)
    if min(values.shape) < 2:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    bits, (table, edges) = _inside(values, level, below), _tables()
    rim = np.full(bits.shape[2], ~np.uint64(0))
    rim[-1] = (1 << ((values.shape[2] - 1) % WORD)) - 1
    tally = np.zeros((len(values), 2), np.int64)
    _count(bits, rim, table, tally)
    start = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(tally, axis=0)])
    points, faces = np.empty((start[-1, 0], 3), np.float32), np.empty((start[-1, 1], 3), np.int32)
    where = np.broadcast_to(np.float64(low), 3).copy(), np.broadcast_to(np.float64(step), 3).copy()

    def part(first: int, last: int) -> None:
        _march(values, bits, rim, table, edges, first, last, float(np.float32(level)), *where, start, points, faces)

    many = min(os.cpu_count() or 1, 8) if len(faces) > MANY else 1
    cut = np.searchsorted(start[:, 1], np.arange(1, many) * len(faces) / many)
    cuts = np.unique([0, *cut, len(values)])
    with ThreadPoolExecutor(many) as pool:
        list(pool.map(part, cuts[:-1], cuts[1:]))
    return points, faces


@kernel
def _normals(points: Array, faces: Array, out: Array) -> None:
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            way = (points[b, j] - points[a, j]) * (points[c, k] - points[a, k])
            way -= (points[b, k] - points[a, k]) * (points[c, j] - points[a, j])
            for corner in (a, b, c):
                out[corner, i] += way
    for v in range(len(out)):
        length = np.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2)
        if length > 0.0:
            out[v] /= length
        else:
            out[v, 1] = 1.0


def normals(points: Array, faces: Array) -> Array:
    """(V, 3) float32 unit normals of a surface from here, weighted by area: its slivers say little."""
    out = np.zeros(points.shape)
    _normals(points.astype(np.float64), faces, out)
    return out.astype(np.float32)
