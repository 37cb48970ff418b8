"""Hash tables, edge tables and disjoint sets over whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _number(keys: Array, slots: Array, ids: Array, first: Array) -> int:
    mask, count = len(slots) - 1, 0
    for i in range(len(keys)):
        at = (keys[i] ^ (keys[i] >> np.uint64(32))) & np.uint64(mask)
        while slots[at] >= 0 and keys[first[slots[at]]] != keys[i]:
            at = (at + np.uint64(1)) & np.uint64(mask)
        if slots[at] < 0:
            slots[at], first[count] = count, i
            count += 1
        ids[i] = slots[at]
    return count


def number(keys: Array) -> tuple[Array, Array]:
    """(ids (N,) int32, first (K,) int32) of (N,) uint64 keys, well mixed: equal keys alike, by first appearance."""
    slots = np.full(1 << max(4, int(2 * len(keys)).bit_length()), -1, np.int32)
    ids, first = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32)
    count = _number(keys, slots, ids, first)
    return ids, first[:count].copy()


@kernel
def _edges(faces: Array, heads: Array, after: Array, ends: Array, sides: Array, uses: Array) -> int:
    """``heads``: (V,) the newest edge at each lower end, ``after``: (E,) the next older; ``uses`` ends as counts."""
    count = 0
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            low, high = min(a, b), max(a, b)
            edge = heads[low]
            while edge >= 0 and ends[edge, 1] != high:
                edge = after[edge]
            if edge < 0:
                edge = count
                ends[edge, 0], ends[edge, 1] = low, high
                after[edge], heads[low] = heads[low], edge
                uses[edge] = 0
                count += 1
            sides[f, k] = edge
            uses[edge] += 1
    return count


@kernel
def _link(sides: Array, newest: Array, before: Array) -> None:
    for i in range(len(sides)):
        before[i] = newest[sides[i]]
        newest[sides[i]] = i


def sides_of(faces: Array) -> tuple[Array, Array, Array]:
    """(ends (E, 2), sides (M, 3), uses (E,)), all int32, of (M, 3) int32 faces."""
    n, m = int(faces.max()) + 1 if len(faces) else 0, faces.size
    ends, uses, sides = np.empty((m, 2), np.int32), np.empty(m, np.int32), np.empty((len(faces), 3), np.int32)
    count = _edges(faces, np.full(n, -1, np.int32), np.empty(m, np.int32), ends, sides, uses)
    return ends[:count], sides, uses[:count]


def edge_table(faces: Array) -> tuple[Array, Array, Array, Array]:
    """(ends (E, 2), sides (M, 3), uses (E,), before (3M,)), all int32, of (M, 3) faces.

    ``before``: for each side the previous side on the same edge, or -1.
    """
    ends, sides, uses = sides_of(faces.astype(np.int32))
    before = np.empty(faces.size, np.int32)
    _link(sides.ravel(), np.full(len(ends), -1, np.int32), before)
    return ends.copy(), sides, uses.copy(), before


@kernel
def _root(parent: Array, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _union(parent: Array, pairs: Array, label: Array) -> int:
    for i in range(len(pairs)):
        a, b = _root(parent, pairs[i, 0]), _root(parent, pairs[i, 1])
        parent[max(a, b)] = min(a, b)
    groups = 0
    for i in range(len(parent)):
        root = _root(parent, i)
        if root == i:
            label[i] = groups
            groups += 1
        else:
            label[i] = label[root]
    return groups


def union(count: int, pairs: Array) -> tuple[int, Array]:
    """(groups, (count,) int32 label by first appearance) when the items of each pair, (P, 2), belong together."""
    label = np.empty(count, np.int32)
    return int(_union(np.arange(count, dtype=np.int32), pairs.astype(np.int32), label)), label
