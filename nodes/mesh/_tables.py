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
def _by(keys: Array, starts: Array, before: Array, order: Array) -> None:
    """``order``: the places of ``before`` sorted by their key, equal ones as they were. ``starts``: one zero more than
    there are keys; each becomes the end of its key's places."""
    for i in range(len(keys)):
        starts[keys[i] + 1] += 1
    for k in range(len(starts) - 1):
        starts[k + 1] += starts[k]
    for i in before:
        order[starts[keys[i]]] = i
        starts[keys[i]] += 1


def sorted_by(keys: Array, limit: int) -> tuple[Array, Array]:
    """(order (N,), start (limit + 1,)), int32: the places of int32 keys below ``limit``, those of each in order."""
    order, start = np.empty(len(keys), np.int32), np.zeros(limit + 2, np.int32)
    _by(keys, start[1:], np.arange(len(keys), dtype=np.int32), order)
    return order, start[:-1]


@kernel
def _number_sorted(ones: Array, others: Array, order: Array, ids: Array, first: Array) -> int:
    count = 0
    for k in range(len(order)):
        i = order[k]
        if k == 0 or ones[i] != ones[order[k - 1]] or others[i] != others[order[k - 1]]:
            first[count] = i
            count += 1
        ids[i] = count - 1
    return count


def number_pairs(ones: Array, others: Array, limits: tuple[int, int]) -> tuple[Array, Array]:
    """(ids (N,) int32, first (K,) int32) of pairs (one, other) of int32 below ``limits``: equal pairs alike, numbered
    in the order of ones, then others."""
    order, ids = np.arange(len(ones), dtype=np.int32), np.empty(len(ones), np.int32)
    for keys, limit in ((others, limits[1]), (ones, limits[0])):
        _by(keys, np.zeros(limit + 1, np.int32), order, ids)
        order, ids = ids, order
    first = np.empty(len(ones), np.int32)
    count = _number_sorted(ones, others, order, ids, first)
    return ids, first[:count].copy()


@kernel
def _edges(start: int, count: int, faces: Array, heads: Array, after: Array, ends: Array, sides: Array,
           uses: Array) -> tuple[int, int]:  # fmt: skip
    """(the face at which the room for edges ended, edges so far). ``heads``: (V,) the newest edge at each lower end,
    ``after``: the next older; ``uses`` ends as counts."""
    for f in range(start, len(faces)):
        if count + 3 > len(ends):
            return f, count
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
    return len(faces), count


def sides_of(faces: Array) -> tuple[Array, Array, Array]:
    """(ends (E, 2), sides (M, 3), uses (E,)), all int32, of (M, 3) int32 faces."""
    n, room = int(faces.max()) + 1 if len(faces) else 0, faces.size // 2 + faces.size // 32 + 64
    heads, sides = np.full(n, -1, np.int32), np.empty((len(faces), 3), np.int32)
    after, ends, uses = np.empty(room, np.int32), np.empty((room, 2), np.int32), np.empty(room, np.int32)
    done, count = _edges(0, 0, faces, heads, after, ends, sides, uses)
    while done < len(faces):
        room = min(faces.size + 3, 2 * room)
        after, ends, uses = (np.concatenate([a, np.empty((room - len(a), *a.shape[1:]), np.int32)])
                             for a in (after, ends, uses))  # fmt: skip
        done, count = _edges(done, count, faces, heads, after, ends, sides, uses)
    return ends[:count], sides, uses[:count]


@kernel
def _link(sides: Array, newest: Array, before: Array) -> None:
    for i in range(len(sides)):
        before[i] = newest[sides[i]]
        newest[sides[i]] = i


def before_of(sides: Array, count: int) -> Array:
    """(3M,) int32: for each side of (M, 3) the previous side on the same one of ``count`` edges, or -1."""
    before = np.empty(sides.size, np.int32)
    _link(sides.ravel(), np.full(count, -1, np.int32), before)
    return before


@kernel
def _pairs(sides: Array, uses: Array, before: Array, pairs: Array) -> int:
    count = 0
    for i in range(len(sides)):
        if before[i] >= 0 and uses[sides[i]] == 2:
            pairs[count, 0], pairs[count, 1] = before[i], i
            count += 1
    return count


def pairs_of(sides: Array, uses: Array, before: Array) -> Array:
    """(P, 2) int32 sides that share an edge used exactly twice, by the later of them."""
    pairs = np.empty((int((uses == 2).sum()), 2), np.int32)
    _pairs(sides.ravel(), uses, before, pairs)
    return pairs


@kernel
def _root(parent: Array, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _tie(parent: Array, a: int, b: int) -> None:
    a, b = _root(parent, a), _root(parent, b)
    parent[max(a, b)] = min(a, b)


@kernel
def _labelled(parent: Array) -> int:
    """The number of groups; ``parent`` becomes the group of each, by first appearance."""
    groups = 0
    for i in range(len(parent)):
        if parent[i] == i:
            parent[i] = groups
            groups += 1
        else:
            parent[i] = parent[parent[i]]
    return groups


@kernel
def _union(parent: Array, pairs: Array) -> int:
    for i in range(len(pairs)):
        _tie(parent, pairs[i, 0], pairs[i, 1])
    return int(_labelled(parent))


def union(count: int, pairs: Array) -> tuple[int, Array]:
    """(groups, (count,) int32 label by first appearance) when the items of each pair, (P, 2), belong together."""
    label = np.arange(count, dtype=np.int32)
    return int(_union(label, np.ascontiguousarray(pairs, np.int32))), label


@kernel
def _union_across(parent: Array, before: Array) -> int:
    for i in range(len(before)):
        if before[i] >= 0:
            _tie(parent, i // 3, before[i] // 3)
    return int(_labelled(parent))


def union_across(before: Array) -> tuple[int, Array]:
    """The same for the faces of sides that share an edge, which ``before`` (3M,) tells."""
    label = np.arange(len(before) // 3, dtype=np.int32)
    return int(_union_across(label, before)), label


@kernel
def _union_fans(parent: Array, corners: Array, pairs: Array) -> int:
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        over_a, over_b = a - a % 3 + (a + 1) % 3, b - b % 3 + (b + 1) % 3
        if corners[a] != corners[b]:
            b, over_b = over_b, b
        _tie(parent, a, b)
        _tie(parent, over_a, over_b)
    return int(_labelled(parent))


def union_fans(corners: Array, pairs: Array) -> tuple[int, Array]:
    """(fans, (3M,) int32 fan of each corner), walking over ``pairs`` (P, 2) of sides. ``corners``: (3M,) vertices."""
    label = np.arange(len(corners), dtype=np.int32)
    return int(_union_fans(label, corners, np.ascontiguousarray(pairs, np.int32))), label
