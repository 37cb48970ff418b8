"""An eight-wide tree over triangles for many rays: what is met first, and whether anything is met.

The binary tree of :mod:`nodes.mesh._bvh` with three levels taken together (Wald, Benthin, Boulos 2008), so that one
step tests eight boxes, or eight triangles, at once. Single precision; a ray does not see what is nearer than its least
distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._bvh import Tree
from nodes.mesh._eight import EIGHT, boxes_met, lowest_bit, triangles_met
from nodes.mesh._jit import kernel

Array = NDArray[Any]
NEVER = np.float32(3e38)
STACK = 512


@dataclass(frozen=True)
class Wide:
    """``box``: (K, 48) float32, three lower and three upper sides of up to eight boxes each; unused: far points.

    ``below``: (K, 8) int32, the node in a box, or the block of triangles -1 - b. ``corner``: (B, 72) float32, first
    corner and two sides of up to eight triangles, lane by lane. ``face``: (B, 8) int32, the face behind each or -1.
    ``more``: (B,) bool, the next block stands in the same box (only where many triangles cannot be told apart).
    """

    box: Array
    below: Array
    corner: Array
    face: Array
    more: Array

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """What the searches take first."""
        return self.box, self.below, self.corner, self.more


@kernel
def _gather_eight(low: Array, high: Array, child: Array, held: Array, count: Array) -> int:
    """Open the largest of the nodes in ``held``, which begins with one, until they are eight; how many there are."""
    used = 1
    while used < EIGHT:
        best, at = -1.0, -1
        for i in range(used):
            k = held[i]
            x, y, z = high[k, 0] - low[k, 0], high[k, 1] - low[k, 1], high[k, 2] - low[k, 2]
            area = x * y + y * z + z * x
            if child[k] >= 0 and count[k] > EIGHT and area > best:
                best, at = area, i
        if at < 0:
            break
        held[at], held[used] = child[held[at]], child[held[at]] + 1
        used += 1
    return used


@kernel
def _widen(
    low: Array, high: Array, child: Array, start: Array, count: Array, box: Array, below: Array, block: Array
) -> tuple[int, int]:
    """Fill ``box`` and ``below``, and ``block`` (B, 3): first triangle, how many, whether another follows."""
    held, waiting, places, made, blocks = np.empty(EIGHT, np.int64), [0], [0], 1, 0
    while len(waiting) > 0:
        held[0], k = waiting.pop(), places.pop()
        used = _gather_eight(low, high, child, held, count)
        for i in range(used):
            n = held[i]
            for axis in range(3):
                box[k, axis * EIGHT + i], box[k, (3 + axis) * EIGHT + i] = low[n, axis], high[n, axis]
            if child[n] >= 0 and count[n] > EIGHT:
                below[k, i] = made
                waiting.append(n)
                places.append(made)
                made += 1
            else:
                below[k, i] = -1 - blocks
                for first in range(0, count[n], EIGHT):
                    block[blocks, 0], block[blocks, 1] = start[n] + first, min(EIGHT, count[n] - first)
                    block[blocks, 2] = first + EIGHT < count[n]
                    blocks += 1
    return made, blocks


@kernel
def _fill_blocks(block: Array, corner: Array, order: Array, out: Array, face: Array) -> None:
    for b in range(len(block)):
        for i in range(block[b, 1]):
            t = block[b, 0] + i
            face[b, i] = order[t]
            for c in range(9):
                out[b, c * EIGHT + i] = corner[t, c]


def widen(tree: Tree) -> Wide:
    """The same triangles as ``tree``."""
    most = len(tree.child) // 2 + 2
    box = np.full((most, 6 * EIGHT), NEVER)
    below, block = (
        np.zeros((most, EIGHT), np.int32),
        np.zeros((len(tree.child) + len(tree.order) // EIGHT, 3), np.int64),
    )
    made, blocks = _widen(tree.low, tree.high, tree.child, tree.start, tree.count, box, below, block)
    corner = np.zeros((blocks, 9 * EIGHT), np.float32)
    face = np.full((blocks, EIGHT), -1, np.int32)
    _fill_blocks(block[:blocks], tree.corner, tree.order, corner, face)
    return Wide(box[:made].copy(), below[:made].copy(), corner, face, block[:blocks, 2] > 0)


@kernel
def aim(ray: Array, side: Array) -> None:
    """Fill in what a search needs of a ray whose origin and direction stand in ``ray`` (9,) float32; ``side``: (6,)."""
    for axis in range(3):
        way = ray[3 + axis]
        ray[6 + axis] = np.float32(1) / way if abs(way) > np.float32(1e-30) else np.float32(1e30)
        back = ray[6 + axis] < np.float32(0)
        side[axis], side[3 + axis] = (3 + axis if back else axis) * EIGHT, (axis if back else 3 + axis) * EIGHT


@kernel
def _looks(corner: Array, block: int, i: int, ray: Array) -> float:
    """Positive where triangle ``i`` of a block looks the way the ray goes."""
    ux, uy, uz = corner[block, 3 * EIGHT + i], corner[block, 4 * EIGHT + i], corner[block, 5 * EIGHT + i]
    vx, vy, vz = corner[block, 6 * EIGHT + i], corner[block, 7 * EIGHT + i], corner[block, 8 * EIGHT + i]
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return float(x * ray[3] + y * ray[4] + z * ray[5])


@kernel
def _nearest_in(
    corner: Array, block: int, ray: Array, least: float, best: float, facing: float, found: Array, hit: Array
) -> float:
    """The new best distance; ``hit`` (4,) becomes block, lane, u, v where the block holds a nearer one."""
    met = triangles_met(corner, block, ray, least, best, found)
    while met != 0:
        i = lowest_bit(met)
        met &= met - 1
        if found[i] < best and _looks(corner, block, i, ray) * facing > 0.0:
            best = found[i]
            hit[0], hit[1], hit[2], hit[3] = block, i, found[EIGHT + i], found[2 * EIGHT + i]
    return float(best)


@kernel
def first_met(
    box: Array, below: Array, corner: Array, more: Array, ray: Array, side: Array, least: Any, reach: Any,
    facing: float, stack: Array, gap: Array, near: Array, found: Array, hit: Array,
) -> float:  # fmt: skip
    """Distance to the nearest triangle that looks the way of the aimed ray (``facing`` 1) or against it (-1).

    ``reach`` where there is none; else ``hit`` (4,) float64 becomes block, lane, u, v.
    """
    stack[0], gap[0], top, best = 0, 0.0, 1, reach
    while top > 0:
        top -= 1
        node = stack[top]
        if gap[top] >= best:
            continue
        met = boxes_met(box, node, ray, side, best, near)
        base = top
        while met != 0:
            i = lowest_bit(met)
            met &= met - 1
            down = below[node, i]
            if down >= 0:
                at = top
                while at > base and gap[at - 1] < near[i]:
                    stack[at], gap[at] = stack[at - 1], gap[at - 1]
                    at -= 1
                stack[at], gap[at], top = down, near[i], top + 1
                continue
            block = -1 - down
            best = _nearest_in(corner, block, ray, least, best, facing, found, hit)
            while more[block]:
                block += 1
                best = _nearest_in(corner, block, ray, least, best, facing, found, hit)
    return float(best)
