"""Wind faces alike by walking from neighbour to neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _walk(start: Array, beside: Array, against: Array, turn: Array, part: Array) -> int:
    """``turn``: (M,) becomes 1 where a face is turned against the first of its part; ``part``: (M,) its part."""
    queue, parts = np.empty(len(turn), np.int64), 0
    for seed in range(len(turn)):
        if part[seed] >= 0:
            continue
        queue[0], part[seed], head, tail = seed, parts, 0, 1
        while head < tail:
            f = queue[head]
            head += 1
            for i in range(start[f], start[f + 1]):
                g = beside[i]
                if part[g] < 0:
                    part[g], turn[g] = parts, turn[f] ^ against[i]
                    queue[tail] = g
                    tail += 1
        parts += 1
    return parts


def wind(faces: Array, pairs: Array, area: Array, forward: Array) -> tuple[Array, Array]:
    """((M,) bool faces to turn, (P,) bool pairs that cannot agree).

    ``pairs``: (P, 2) sides that are joined; ``forward``: (3M,) direction of each side. Each part keeps the winding
    that most of its area has.
    """
    a, b = pairs.T
    one, two = np.concatenate([a, b]) // 3, np.concatenate([b, a]) // 3
    against = np.tile(forward[a] == forward[b], 2)
    order = np.argsort(one, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(one, minlength=len(faces)))])
    turn, part = np.zeros(len(faces), np.uint8), np.full(len(faces), -1, np.int64)
    count = _walk(start, two[order].astype(np.int64), against[order].astype(np.uint8), turn, part)
    turned = np.bincount(part, area * turn, minlength=count) > np.bincount(part, area, minlength=count) / 2
    flip = (turn == 1) ^ turned[part]
    return flip, (forward[a] ^ flip[a // 3]) == (forward[b] ^ flip[b // 3])
