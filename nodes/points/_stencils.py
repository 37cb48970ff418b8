"""Finite elements on the levels of :mod:`nodes.points._band`: trilinear functions, one for each node.

Lengths in steps of the level, so that a step is 1. Integrals of products follow from those along one axis: with itself
2/3, with the next 1/6; of the slope with the next +-1/2.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nodes.mesh._jit import inlined, kernel

Array = NDArray[Any]


@inlined
def _edges_and_corners(across: Array, x: Array, i: int) -> float:
    """Sum over neighbours across an edge of cells, and half of those across a corner."""
    total = 0.0
    for side in range(0, 9, 2):
        if side != 4:
            j = across[i, side]
            total += x[j] + 0.5 * (x[j - 1] + x[j + 1])
    for side in range(1, 9, 2):
        j = across[i, side]
        total += x[j - 1] + x[j + 1]
    return total


@kernel
def stiffen(free: Array, across: Array, x: Array, out: Array, first: int, last: int) -> None:
    """``out`` becomes the integral of grad x . grad of each free node's function: 8/3, 0, -1/6, -1/12; 0 elsewhere."""
    for i in range(first, last):
        out[i] = 0.0
        if free[i]:
            out[i] = (16.0 * x[i] - _edges_and_corners(across, x, i)) / 6.0


@kernel
def pull(corner: Array, share: Array, weight: Array, x: Array, target: float, out: Array) -> None:
    """Add weight * (value at the sample - target) of (S,) samples to ``out`` at their eight nodes.

    ``corner``: (S, 4) nodes, ``share``: (S, 3) place in the cell, 0..1.
    """
    for s in range(len(corner)):
        value = -target
        u, v, w = share[s, 0], share[s, 1], share[s, 2]
        for side in range(4):
            at = corner[s, side]
            flat = (u if side // 2 else 1.0 - u) * (v if side & 1 else 1.0 - v)
            value += flat * ((1.0 - w) * x[at] + w * x[at + 1])
        value *= weight[s]
        for side in range(4):
            at = corner[s, side]
            flat = (u if side // 2 else 1.0 - u) * (v if side & 1 else 1.0 - v) * value
            out[at] += flat * (1.0 - w)
            out[at + 1] += flat * w


@kernel
def diagonal(corner: Array, share: Array, weight: Array, out: Array) -> None:
    """Add what a node's own function weighs in :func:`pull` to ``out``."""
    for s in range(len(corner)):
        u, v, w = share[s, 0], share[s, 1], share[s, 2]
        for side in range(4):
            at = corner[s, side]
            flat = (u if side // 2 else 1.0 - u) * (v if side & 1 else 1.0 - v)
            out[at] += weight[s] * (flat * (1.0 - w)) ** 2
            out[at + 1] += weight[s] * (flat * w) ** 2


@kernel
def splat(corner: Array, share: Array, vectors: Array, out: Array) -> None:
    """Add (S, 3) vectors at samples to ``out`` (N, 3) at their eight nodes, by their shares."""
    for s in range(len(corner)):
        u, v, w = share[s, 0], share[s, 1], share[s, 2]
        for side in range(4):
            at = corner[s, side]
            flat = (u if side // 2 else 1.0 - u) * (v if side & 1 else 1.0 - v)
            for c in range(3):
                out[at, c] += flat * (1.0 - w) * vectors[s, c]
                out[at + 1, c] += flat * w * vectors[s, c]


@kernel
def values_at(corner: Array, share: Array, x: Array, out: Array) -> None:
    """``out``: (S,) becomes the values at samples."""
    for s in range(len(corner)):
        u, v, w = share[s, 0], share[s, 1], share[s, 2]
        value = 0.0
        for side in range(4):
            at = corner[s, side]
            flat = (u if side // 2 else 1.0 - u) * (v if side & 1 else 1.0 - v)
            value += flat * ((1.0 - w) * x[at] + w * x[at + 1])
        out[s] = value


@kernel
def diverge(free: Array, across: Array, field: Array, out: Array) -> None:
    """Add the integral of field . grad of each free node's function to ``out``; ``field``: (N, 3) at the nodes."""
    mass = (1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0)
    for i in range(len(free)):
        if not free[i]:
            continue
        total = 0.0
        for side in range(9):
            dx, dy, j = side // 3, side % 3, across[i, side]
            for dz in range(3):
                k = j + dz - 1
                total -= 0.5 * (dx - 1) * mass[dy] * mass[dz] * field[k, 0]
                total -= 0.5 * (dy - 1) * mass[dx] * mass[dz] * field[k, 1]
                total -= 0.5 * (dz - 1) * mass[dx] * mass[dy] * field[k, 2]
        out[i] += total
