"""Build a bounding volume hierarchy: binned surface-area splits (Wald 2007), large halves on threads of their own.

Boxes move in memory together with their triangles, so that every pass over a node reads on without jumps. The tree
does not depend on how many threads there are.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
BINS = 16
LEAF = 4
FAR = np.float32(1e30)
PIECES = 8
LARGE = 20_000


@kernel
def _boxes(vertices: Array, faces: Array, box: Array) -> None:
    """``box`` (M, 6) float32: lower and upper corner of each triangle."""
    for f in range(len(faces)):
        for axis in range(3):
            a, b, c = vertices[faces[f, 0], axis], vertices[faces[f, 1], axis], vertices[faces[f, 2], axis]
            box[f, axis], box[f, 3 + axis] = min(a, min(b, c)), max(a, max(b, c))


@kernel
def corners_of(vertices: Array, faces: Array, order: Array, corner: Array) -> None:
    """``corner`` (M, 9) float32: first corner and two sides of each triangle, in the order of the tree."""
    for k in range(len(order)):
        f = order[k]
        for axis in range(3):
            a = vertices[faces[f, 0], axis]
            corner[k, axis] = a
            corner[k, 3 + axis], corner[k, 6 + axis] = vertices[faces[f, 1], axis] - a, vertices[faces[f, 2], axis] - a


@kernel
def _extent(box: Array, start: int, end: int, low: Array, high: Array) -> tuple[int, float, float]:
    """(longest axis of the centres, where they begin on it, how far they go); ``low``, ``high``: of the boxes."""
    base, top = np.full(3, FAR), np.full(3, -FAR)
    low[:], high[:] = FAR, -FAR
    for i in range(start, end):
        for axis in range(3):
            a, b = box[i, axis], box[i, 3 + axis]
            low[axis], high[axis] = min(low[axis], a), max(high[axis], b)
            centre = (a + b) * np.float32(0.5)
            base[axis], top[axis] = min(base[axis], centre), max(top[axis], centre)
    axis = 0
    for k in range(1, 3):
        if top[k] - base[k] > top[axis] - base[axis]:
            axis = k
    return axis, base[axis], top[axis] - base[axis]


@kernel
def _grow(box: Array, k: int, low: Array, high: Array) -> float:
    """Let the box of ``low``, ``high`` hold bin ``k``, too; half its area."""
    for axis in range(3):
        low[axis], high[axis] = min(low[axis], box[k, axis]), max(high[axis], box[k, 3 + axis])
    x, y, z = high[0] - low[0], high[1] - low[1], high[2] - low[2]
    return float(x * y + y * z + z * x)


@kernel
def _cheapest(bins: Array, held: Array, many: int, right: Array, low: Array, high: Array) -> int:
    """The bin after which the split costs least, or -1."""
    low[:], high[:], total = FAR, -FAR, 0
    for b in range(many - 1, 0, -1):
        right[b] = -1.0
        if held[b]:
            area = _grow(bins, b, low, high)
        total += held[b]
        if total:
            right[b] = total * area
    low[:], high[:], total, best, at = FAR, -FAR, 0, np.inf, -1
    for b in range(many - 1):
        if held[b]:
            area = _grow(bins, b, low, high)
        total += held[b]
        if total and right[b + 1] >= 0.0 and total * area + right[b + 1] < best:
            best, at = total * area + right[b + 1], b
    return at


@kernel
def _split(box: Array, order: Array, start: int, end: int, low: Array, high: Array, bins: Array, held: Array) -> int:
    """Sort boxes and numbers of [start, end) into two halves; where the second begins, or -1 for no split.

    ``low``, ``high`` (3,) become the box around all. ``bins``: (16, 6), ``held``: (16,) are scratch.
    """
    axis, base, long = _extent(box, start, end, low, high)
    if end - start <= LEAF or not long > 0.0:
        return -1
    many = min(BINS, end - start)
    bins[:many, :3], bins[:many, 3:], held[:many] = FAR, -FAR, 0
    scale = np.float32(many * 0.9999) / np.float32(long)
    for i in range(start, end):
        b = int(((box[i, axis] + box[i, 3 + axis]) * np.float32(0.5) - base) * scale)
        held[b] += 1
        for k in range(3):
            bins[b, k], bins[b, 3 + k] = min(bins[b, k], box[i, k]), max(bins[b, 3 + k], box[i, 3 + k])
    at = _cheapest(bins, held, many, np.empty(BINS), np.empty(3, np.float32), np.empty(3, np.float32))
    if at < 0:
        return -1
    i, j = start, end - 1
    while i <= j:
        if int(((box[i, axis] + box[i, 3 + axis]) * np.float32(0.5) - base) * scale) <= at:
            i += 1
            continue
        order[i], order[j] = order[j], order[i]
        for k in range(6):
            box[i, k], box[j, k] = box[j, k], box[i, k]
        j -= 1
    return i


@kernel
def _subtree(
    box: Array, order: Array, begin: int, stop: int, low: Array, high: Array, child: Array, start: Array, count: Array
) -> int:
    """A tree over [begin, stop) whose root is node 0; how many nodes it has."""
    bins, held = np.empty((BINS, 6), np.float32), np.empty(BINS, np.int64)
    start[0], count[0], used = begin, stop - begin, 1
    waiting = np.empty(stop - begin + 2, np.int32)
    waiting[0], top = 0, 1
    while top > 0:
        top -= 1
        node = waiting[top]
        s, e = start[node], start[node] + count[node]
        middle = _split(box, order, s, e, low[node], high[node], bins, held)
        child[node] = -1
        if middle < 0:
            continue
        child[node] = used
        start[used], count[used] = s, middle - s
        start[used + 1], count[used + 1] = middle, e - middle
        waiting[top], waiting[top + 1] = used, used + 1
        top, used = top + 2, used + 2
    return used


@kernel
def fit(
    vertices: Array, faces: Array, order: Array, child: Array, start: Array, count: Array, low: Array, high: Array
) -> None:
    """The boxes of a tree over these vertices, from its leaves up: children stand behind their parents."""
    for node in range(len(child) - 1, -1, -1):
        low[node], high[node], first = FAR, -FAR, child[node]
        if first >= 0:
            for axis in range(3):
                low[node, axis] = min(low[first, axis], low[first + 1, axis])
                high[node, axis] = max(high[first, axis], high[first + 1, axis])
            continue
        for k in range(start[node], start[node] + count[node]):
            for c in range(3):
                v = faces[order[k], c]
                for axis in range(3):
                    low[node, axis] = min(low[node, axis], vertices[v, axis])
                    high[node, axis] = max(high[node, axis], vertices[v, axis])


Nodes = tuple[Array, Array, Array, Array, Array]


def _nodes(most: int) -> Nodes:
    """(low, high, child, start, count), not filled."""
    whole = [np.empty(most, np.int32) for _ in range(3)]
    return np.empty((most, 3), np.float32), np.empty((most, 3), np.float32), whole[0], whole[1], whole[2]


def _grown(box: Array, order: Array, begin: int, stop: int) -> Nodes:
    made = _nodes(2 * (stop - begin))
    used = _subtree(box, order, begin, stop, *made)
    low, high, child, start, count = (rows[:used] for rows in made)
    return low, high, child, start, count


def grow(vertices: Array, faces: Array) -> tuple[Nodes, Array, Array]:
    """(nodes, (M, 9) corners in the order of the tree, (M,) that order) over (M, 3) faces, M > 0."""
    vertices = np.ascontiguousarray(vertices, np.float32)
    box, order = np.empty((len(faces), 6), np.float32), np.arange(len(faces))
    _boxes(vertices, faces, box)
    top, waiting, tasks = _nodes(2 * PIECES * 8), [0], []
    top[3][0], top[4][0], used = 0, len(faces), 1
    bins, held = np.empty((BINS, 6), np.float32), np.empty(BINS, np.int64)
    while waiting:
        node = waiting.pop()
        begin, stop = int(top[3][node]), int(top[3][node] + top[4][node])
        middle = -1
        if stop - begin > max(LARGE, len(faces) // PIECES) and used + 2 <= len(top[2]):
            middle = _split(box, order, begin, stop, top[0][node], top[1][node], bins, held)
        if middle < 0:
            tasks.append((node, begin, stop))
            continue
        top[2][node] = used
        top[3][used : used + 2], top[4][used : used + 2] = (begin, middle), (middle - begin, stop - middle)
        waiting += [used, used + 1]
        used += 2
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        grown = list(pool.map(lambda task: _grown(box, order, *task[1:]), tasks))
    nodes = _joined([rows[:used] for rows in top], [task[0] for task in tasks], grown)
    corner = np.empty((len(faces), 9), np.float32)
    corners_of(vertices, faces, order, corner)
    return nodes, corner, order


def _joined(top: list[Array], roots: list[int], grown: list[Nodes]) -> Nodes:
    """One tree: the root of each subtree stands in its place in ``top``, its other nodes behind all before it."""
    parts, used = [top], len(top[2])
    for root, rows in zip(roots, grown, strict=True):
        child = np.where(rows[2] >= 0, rows[2] + (used - 1), -1)
        moved = [rows[0], rows[1], child.astype(np.int32), rows[3], rows[4]]
        for whole, piece in zip(top, moved, strict=True):
            whole[root] = piece[0]
        parts.append([piece[1:] for piece in moved])
        used += len(child) - 1
    low, high, child, start, count = (np.concatenate([part[k] for part in parts]) for k in range(5))
    return low, high, child, start, count
