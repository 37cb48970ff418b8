"""Cut charts in halves between their two far ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _spread(faces: Array, across: Array, seeds: Array, mark: Array, queue: Array) -> int:
    """Number the faces 1, 2, … by the seed they are nearest to, in steps; returns the face reached last."""
    for f in faces:
        mark[f] = 0
    head, tail = 0, len(seeds)
    for i in range(len(seeds)):
        queue[i], mark[seeds[i]] = seeds[i], i + 1
    while head < tail:
        f = queue[head]
        head += 1
        for k in range(3):
            g = across[f, k]
            if g >= 0 and mark[g] == 0:
                mark[g] = mark[f]
                queue[tail] = g
                tail += 1
    return int(queue[tail - 1])


@kernel
def _halved(order: Array, start: Array, across: Array, cut: Array, mark: Array) -> None:
    queue, one, two = np.empty(len(order), np.int64), np.empty(1, np.int64), np.empty(2, np.int64)
    for chart in range(len(cut)):
        if cut[chart]:
            faces = order[start[chart] : start[chart + 1]]
            one[0] = faces[0]
            two[0] = one[0] = _spread(faces, across, one, mark, queue)
            two[1] = _spread(faces, across, one, mark, queue)
            _spread(faces, across, two, mark, queue)


def halves(across: Array, order: Array, label: Array, cut: Array) -> Array:
    """(M,) 0 or 1: which half a face of the charts in ``cut`` (C,) is in, nearer to one of its two far ends."""
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=len(cut)))])
    mark = np.ones(len(label), np.int64)
    _halved(order, start, across, cut, mark)
    return np.asarray(mark - 1)
