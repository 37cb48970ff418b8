"""Loops that unpack EXT_meshopt_compression (Khronos registry, appendix A: the bitstream), each bounded by its data.

Every loop returns whether the stream was whole; ``out`` is zero beyond the place where it broke.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
GROUP = 16
BLOCK_BYTES, BLOCK_MOST = 8192, 256
EDGE, CORNER, FRESH, LAST, AT = range(5)
"""Places in the state of :func:`triangles`: edges and vertices kept so far, the next new and the last named vertex,
and how far the stream is read."""


@kernel
def signed(value: int) -> int:
    """Zigzag: 0, 1, 2, 3 stand for 0, -1, 1, -2."""
    return -(value >> 1) - 1 if value & 1 else value >> 1


@kernel
def steps(data: Array, at: int, bits: int, end: int, out: Array) -> int:
    """16 steps of one byte into ``out``, of ``bits`` bits, larger ones behind; the next place, or beyond ``end``."""
    extra = at + 2 * bits
    if extra > end:
        return end + 1
    full = (1 << bits) - 1
    for k in range(GROUP):
        if bits == 8:
            out[k] = signed(int(data[at + k]))
            continue
        place = k * bits
        value = (int(data[at + place // 8]) >> (8 - bits - place % 8)) & full if bits else 0
        if bits and value == full:
            if extra >= end:
                return end + 1
            value = int(data[extra])
            extra += 1
        out[k] = signed(value)
    return extra


@kernel
def column(data: Array, at: int, end: int, last: int, out: Array) -> int:
    """One byte of the elements of a block, ``out``: (K,) uint8; the next place, or beyond ``end``."""
    groups = (len(out) + GROUP - 1) // GROUP
    head = at
    at += (groups + 3) // 4
    moves = np.zeros(GROUP, np.int64)
    for group in range(groups):
        if at > end:
            return at
        mode = (int(data[head + group // 4]) >> (2 * (group % 4))) & 3
        at = steps(data, at, (0, 2, 4, 8)[mode], end, moves)
        for k in range(min(GROUP, len(out) - group * GROUP)):
            last = (last + moves[k]) & 255
            out[group * GROUP + k] = last
    return at


@kernel
def attributes(data: Array, count: int, stride: int, out: Array) -> bool:
    """``out``: (count, stride) uint8. Bytes at one place of all elements lie together, as differences in groups."""
    end = len(data) - max(stride, 32)
    if end < 1 or data[0] != 0xA0:
        return False
    before = data[len(data) - stride :].copy()
    block = min((BLOCK_BYTES // stride) & ~(GROUP - 1), BLOCK_MOST)
    at = 1
    for first in range(0, count, block):
        many = min(count - first, block)
        for byte in range(stride):
            at = column(data, at, end, int(before[byte]), out[first : first + many, byte])
            if at > end:
                return False
        before = out[first + many - 1].copy()
    return at == end


@kernel
def varint(data: Array, at: int, end: int) -> tuple[int, int]:
    """(value, next place) of an unsigned LEB128 number; the place is beyond ``end`` when it is cut short."""
    value, shift = 0, 0
    while at < end and shift < 35:
        byte = int(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFF, at
        shift += 7
    return 0, end + 1


@kernel
def indices(data: Array, count: int, out: Array) -> bool:
    """``out``: (count,) uint32. Each is a step from one of two running values."""
    end = len(data) - 4
    if end < 1 or data[0] != 0xD1:
        return False
    last = np.zeros(2, np.int64)
    at = 1
    for k in range(count):
        value, at = varint(data, at, end)
        if at > end:
            return False
        last[value & 1] = (last[value & 1] + signed(value >> 1)) & 0xFFFFFFFF
        out[k] = last[value & 1]
    return at == end


@kernel
def fresh(state: Array) -> int:
    """The next new vertex."""
    state[FRESH] += 1
    return int(state[FRESH] - 1)


@kernel
def named(data: Array, end: int, state: Array) -> int:
    """A vertex named by its distance from the last one that was."""
    value, state[AT] = varint(data, state[AT], end)
    state[LAST] = (state[LAST] + signed(value)) & 0xFFFFFFFF
    return int(state[LAST])


@kernel
def keep(corners: Array, vertex: int, state: Array) -> None:
    corners[state[CORNER] & 15] = vertex
    state[CORNER] += 1


@kernel
def keep_edge(edges: Array, a: int, b: int, state: Array) -> None:
    edges[state[EDGE] & 15, 0], edges[state[EDGE] & 15, 1] = a, b
    state[EDGE] += 1


@kernel
def third(data: Array, end: int, low: int, corners: Array, state: Array) -> int:
    """The vertex of a triangle on a recent edge."""
    if 0 < low < 13:
        return int(corners[(state[CORNER] - 1 - low) & 15])
    if low == 0:
        found = fresh(state)
    elif low == 15:
        found = named(data, end, state)
    else:
        state[LAST] = (state[LAST] + (1 if low == 14 else -1)) & 0xFFFFFFFF
        found = int(state[LAST])
    keep(corners, found, state)
    return found


@kernel
def apart(data: Array, end: int, low: int, edges: Array, corners: Array, state: Array) -> tuple[int, int, int]:
    """A triangle with no recent edge; its first edge and its new vertices are kept."""
    spelled = low >= 14
    if spelled and state[AT] >= end:
        state[AT] = end + 1
        return 0, 0, 0
    both = int(data[state[AT]]) if spelled else int(data[end + low])
    if spelled:
        state[AT] += 1
        if both == 0:
            state[FRESH] = 0
    a = named(data, end, state) if low == 15 else fresh(state)
    found, new = np.zeros(2, np.int64), np.zeros(2, np.bool_)
    for k in range(2):
        part = (both >> (4 * (1 - k))) & 15
        new[k] = part == 0 or (part == 15 and spelled)
        if part == 0:
            found[k] = fresh(state)
        else:
            found[k] = named(data, end, state) if new[k] else corners[(state[CORNER] - part) & 15]
    keep_edge(edges, found[0], a, state)
    keep(corners, a, state)
    for k in range(2):
        if new[k]:
            keep(corners, found[k], state)
    return a, int(found[0]), int(found[1])


@kernel
def triangles(data: Array, count: int, out: Array) -> bool:
    """``out``: (count,) uint32, three for a triangle. A code byte each, from recent edges and vertices."""
    faces, end = count // 3, len(data) - 16
    if end < 1 + faces or data[0] != 0xE1:
        return False
    edges, corners = np.zeros((16, 2), np.int64), np.zeros(16, np.int64)
    state = np.zeros(5, np.int64)
    state[AT] = 1 + faces
    for face in range(faces):
        high, low = int(data[1 + face]) >> 4, int(data[1 + face]) & 15
        if high < 15:
            recent = (state[EDGE] - 1 - high) & 15
            a, b = int(edges[recent, 0]), int(edges[recent, 1])
            c = third(data, end, low, corners, state)
        else:
            a, b, c = apart(data, end, low, edges, corners, state)
        if state[AT] > end:
            return False
        keep_edge(edges, c, b, state)
        keep_edge(edges, a, c, state)
        out[3 * face], out[3 * face + 1], out[3 * face + 2] = a, b, c
    return bool(state[AT] == end)
