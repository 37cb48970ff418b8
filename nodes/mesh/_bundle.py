"""Up to 64 rays from one point at once: which of them meet anything, or how far they come.

The rays walk the eight-wide tree together, as the bits of a number beside each node (in the manner of the ray streams
of Barringer and Akenine-Moeller 2014). What they find is looked at in turn, so that memory has time to bring it; the
newest first only while the queue is long. Import inside kernels' modules only.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nodes.mesh._bundle_eight import (
    BUNDLE,
    boxes_met_by,
    boxes_soon,
    by_box,
    come_nearer,
    triangles_met_by,
    triangles_soon,
)
from nodes.mesh._eight import lowest_bit
from nodes.mesh._jit import kernel

Array = NDArray[Any]
QUEUE = 1024

__all__ = ["BUNDLE", "QUEUE", "send"]


@kernel
def _try(corner: Array, more: Array, block: int, start: Array, way: Array, rays: int, reach: Array, first: bool) -> int:
    """What ``send`` returns, for one block and those that belong to it."""
    met, last = 0, False
    while not last:
        if first:
            come_nearer(corner, block, start, way, rays, reach)
        else:
            met |= triangles_met_by(corner, block, start, way, rays & ~met, reach)
        last = not more[block]
        block += 1
    return met


@kernel
def send(
    box: Array, below: Array, corner: Array, more: Array, start: Array, way: Array, inverse: Array, rays: int,
    reach: Array, first: bool, queue: Array, table: Array, lane: Array,
) -> int:  # fmt: skip
    """Which of ``rays``, as bits, meet anything before their ``reach`` (64,) float32.

    With ``first`` instead, ``reach`` becomes how far each comes before it meets a triangle that looks its way, or
    stays. ``start``: (3,) float32. ``way``, ``inverse``: (3, 64) float32, unit directions and one by them. Scratch:
    ``queue`` (1024, 2) and ``lane`` (8,) int64, ``table`` (64,) uint8.
    """
    queue[0, 0], queue[0, 1], head, tail, met = 0, rays, 0, 1, 0
    while head != tail:
        if tail - head > QUEUE // 2:
            tail -= 1
            node, left = queue[tail % QUEUE, 0], queue[tail % QUEUE, 1] & ~met
        else:
            node, left = queue[head % QUEUE, 0], queue[head % QUEUE, 1] & ~met
            head += 1
        if left == 0:
            continue
        if node < 0:
            met |= _try(corner, more, -1 - node, start, way, left, reach, first)
            continue
        some, alone = boxes_met_by(box, node, start, inverse, left, reach, table), left & (left - 1) == 0
        if not alone:
            by_box(table, left, lane)
        while some != 0:
            i = lowest_bit(some)
            some &= some - 1
            down = below[node, i]
            queue[tail % QUEUE, 0], queue[tail % QUEUE, 1] = down, left if alone else lane[i]
            tail += 1
            if down >= 0:
                boxes_soon(box, down)
            else:
                triangles_soon(corner, -1 - down)
    return met
