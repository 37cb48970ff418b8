"""Better triangles over the same points: edges of a flat triangulation are flipped (Lawson 1977)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel
from nodes.mesh._topology import edges_of

Array = NDArray[Any]


@kernel
def _turn(p: Array, a: int, b: int, c: int) -> float:
    return float((p[b, 0] - p[a, 0]) * (p[c, 1] - p[a, 1]) - (p[b, 1] - p[a, 1]) * (p[c, 0] - p[a, 0]))


@kernel
def _opening(p: Array, a: int, b: int, c: int) -> float:
    """Angle at ``c`` between ``a`` and ``b``."""
    ux, uy, vx, vy = p[a, 0] - p[c, 0], p[a, 1] - p[c, 1], p[b, 0] - p[c, 0], p[b, 1] - p[c, 1]
    return math.atan2(abs(ux * vy - uy * vx), ux * vx + uy * vy)


@kernel
def _level(of: Array, a: int, b: int, c: int) -> int:
    return 1 if of[a] == of[b] and of[b] == of[c] else 0


@kernel
def _better(p: Array, of: Array, a: int, b: int, c: int, d: int, least: float) -> bool:
    """Whether edge d-c suits the triangles (a, b, c) and (b, a, d) better than a-b."""
    if _turn(p, a, d, c) <= least or _turn(p, d, b, c) <= least:
        return False
    now = _level(of, a, b, c) + _level(of, b, a, d)
    then = _level(of, a, d, c) + _level(of, d, b, c)
    if now != then:
        return then < now
    return _opening(p, a, b, c) + _opening(p, a, b, d) > math.pi + 1e-7


@kernel
def _relink(tri: Array, across: Array, face: int, old: int, corner: int, new: int) -> None:
    """The side of ``face`` that starts at ``corner`` has ``new`` beyond it, no longer ``old``."""
    if face >= 0:
        for i in range(3):
            if across[face, i] == old and tri[face, i] == corner:
                across[face, i] = new


@kernel
def _flip(tri: Array, across: Array, f: int, k: int, g: int, j: int) -> None:
    """Side ``k`` of ``f``, which is side ``j`` of ``g``, is turned to the other two corners."""
    a, b, c, d = tri[f, k], tri[f, (k + 1) % 3], tri[f, (k + 2) % 3], tri[g, (j + 2) % 3]
    bc, ca = across[f, (k + 1) % 3], across[f, (k + 2) % 3]
    ad, db = across[g, (j + 1) % 3], across[g, (j + 2) % 3]
    tri[f, 0], tri[f, 1], tri[f, 2] = a, d, c
    tri[g, 0], tri[g, 1], tri[g, 2] = d, b, c
    across[f, 0], across[f, 1], across[f, 2] = ad, g, ca
    across[g, 0], across[g, 1], across[g, 2] = db, bc, f
    _relink(tri, across, ad, g, d, f)
    _relink(tri, across, bc, f, c, g)


@kernel
def _flip_all(p: Array, of: Array, tri: Array, across: Array, least: float, rounds: int) -> None:
    for _ in range(rounds):
        flips = 0
        for f in range(len(tri)):
            for k in range(3):
                g = across[f, k]
                if g < 0:
                    continue
                a, b, c = tri[f, k], tri[f, (k + 1) % 3], tri[f, (k + 2) % 3]
                j = 0
                while tri[g, j] != b:
                    j += 1
                if _better(p, of, a, b, c, tri[g, (j + 2) % 3], least):
                    _flip(tri, across, f, k, g, j)
                    flips += 1
        if flips == 0:
            return


def flipped(points: Array, faces: Array, level: Array) -> Array:
    """(M, 3) int64 triangles over (N, 2) ``points`` that fill the same shape with the same border.

    First as few as can be have three corners of one ``level``, (N,) int; among those they are Delaunay.
    """
    if len(faces) < 2:
        return faces
    across = edges_of(np.ascontiguousarray(faces, np.int32)).neighbours.astype(np.int64)
    tri = np.array(faces, np.int64)
    least = 1e-12 * float(np.ptp(points, axis=0).max()) ** 2
    _flip_all(np.ascontiguousarray(points, np.float64), level.astype(np.int64), tri, across, least, 200)
    return tri
