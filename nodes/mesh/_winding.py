"""Wind faces alike by walking from neighbour to neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._tables import sorted_by

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
    a, b = pairs.astype(np.int32, copy=False).T
    order, start = sorted_by(np.concatenate([a, b]) // 3, len(faces))
    against = (forward[a] == forward[b]).astype(np.uint8)
    beside, against = (np.concatenate([b, a]) // 3)[order], np.tile(against, 2)[order]
    turn, part = np.zeros(len(faces), np.uint8), np.full(len(faces), -1, np.int32)
    count = _walk(start, beside, against, turn, part)
    turned = np.bincount(part, area * turn, minlength=count) > np.bincount(part, area, minlength=count) / 2
    flip = (turn == 1) ^ turned[part]
    return flip, (forward[a] ^ flip[a // 3]) == (forward[b] ^ flip[b // 3])
