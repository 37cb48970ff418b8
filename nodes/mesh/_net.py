"""Meshes made ready for edge collapse: faces in spatial order, so that neighbours lie close in memory, edges, features.

A *wedge* is a vertex on one side of its seams: the faces around a vertex that share its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_tables import (
    CORNER,
    FEATURE,
    GONE,
    GROUP,
    HARD,
    INNER,
    LINE,
    SEAM,
)
from nodes.mesh._jit import kernel

Array = NDArray[Any]
ALIKE = 0.9994
SOFT_SHIFT = 10


@dataclass(frozen=True)
class Surface:
    """What is to be simplified. Arrays over M faces, V positions, W wedges; empty where there is nothing to keep.

    ``points``: (V, 3) float. ``faces``: (M, 3) int32; those over less than three positions are left out. ``wedges``:
    (M, 3) int32 or None when there are no attributes. ``attributes``: (W, m) float64 in units in which 1 weighs like a
    distance of the diagonal. ``groups``: (M,) int32. ``normals``: (N, 3) float32, of which each corner has the one that
    ``corners`` (M, 3) names. ``uv``: the first two attributes are UVs.
    """

    points: Array
    faces: Array
    wedges: Array | None = None
    attributes: Array | None = None
    groups: Array | None = None
    normals: Array | None = None
    corners: Array | None = None
    uv: bool = False


@dataclass(frozen=True)
class Net:
    """The arrays of :mod:`nodes.mesh._collapse_tables`, and the way back: ``face_of`` (M,), ``place_of`` (V,) and
    ``wedge_of`` (W,) are the numbers these had where the net was cut from.

    ``at``: (V, 3) float64, in units of the diagonal of the bounding box, from its middle. ``q``: (W, k) quadrics.
    """

    tri: Array
    vert: Array
    edge: Array
    at: Array
    s: Array
    q: Array
    refs: Array
    lot: Array
    face_of: Array
    place_of: Array
    wedge_of: Array


@kernel
def features(only: int, tri: Array, edge: Array, face_of: Array, groups: Array, normals: Array, corners: Array,
             at: Array, cosine: float) -> None:  # fmt: skip
    """Flag seams, hard edges and borders between groups: each side of an edge against the first one found.

    ``only``: where it is not 0, of edges that have this flag.
    """
    first = np.full(len(edge), -1, np.int64)
    for f in range(len(tri)):
        for k in range(3):
            e = tri[f, 6 + k]
            if only != 0 and edge[e, 3] & only == 0:
                continue
            if first[e] < 0:
                first[e] = 3 * f + k
                continue
            g, j = first[e] // 3, first[e] % 3
            same = tri[f, k] == tri[g, j]
            for end in range(2):
                mine, theirs = (k + end) % 3, (j + (end if same else 1 - end)) % 3
                if tri[f, 3 + mine] != tri[g, 3 + theirs]:
                    edge[e, 3] |= SEAM
                bent = len(normals) > 0 and _bent(normals, corners[face_of[f], mine], corners[face_of[g], theirs])
                if bent and _cosine(tri, f, g, at) < cosine:
                    edge[e, 3] |= HARD
            if len(groups) and groups[face_of[f]] != groups[face_of[g]]:
                edge[e, 3] |= GROUP


@kernel
def _bent(normals: Array, one: int, two: int) -> bool:
    dot = 0.0
    for axis in range(3):
        dot += normals[one, axis] * normals[two, axis]
    return dot < ALIKE


@kernel
def _cosine(tri: Array, f: int, g: int, at: Array) -> float:
    one, two = np.empty(3), np.empty(3)
    for n, face in ((one, f), (two, g)):
        a, b, c = tri[face, 0], tri[face, 1], tri[face, 2]
        u, v = at[b] - at[a], at[c] - at[a]
        n[0], n[1], n[2] = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
    length = np.sqrt((one * one).sum() * (two * two).sum())
    return float((one * two).sum() / length) if length > 0.0 else 1.0


@kernel
def kinds(edge: Array, vert: Array) -> None:
    """How each vertex may move: anywhere, along the one line of features it lies on, or not at all."""
    count, mask = np.zeros(len(vert), np.int32), np.zeros(len(vert), np.int32)
    mixed = np.zeros(len(vert), np.bool_)
    for e in range(len(edge)):
        flags = edge[e, 3] & FEATURE
        if flags == 0 or edge[e, 3] & GONE != 0:
            continue
        for k in range(2):
            v = edge[e, k]
            mixed[v] |= count[v] > 0 and mask[v] != flags
            mask[v] = flags
            count[v] += 1
    for v in range(len(vert)):
        vert[v, 2] = INNER if count[v] == 0 else (LINE if count[v] == 2 and not mixed[v] else CORNER)


@kernel
def soften(edge: Array) -> bool:
    """Hard edges and borders between groups no longer hold vertices back; whether there were any."""
    found = False
    for e in range(len(edge)):
        soft = edge[e, 3] & (HARD | GROUP)
        found |= soft != 0 and edge[e, 3] & GONE == 0
        edge[e, 3] = (edge[e, 3] & ~soft) | (soft << SOFT_SHIFT)
    return found


@kernel
def _spans(vertices: Array, faces: Array, uv: Array) -> tuple[float, float]:
    area, laid = 0.0, 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        square = 0.0
        for i in range(3):
            j = (i + 1) % 3
            one = (vertices[b, i] - vertices[a, i]) * (vertices[c, j] - vertices[a, j])
            square += float(one - (vertices[b, j] - vertices[a, j]) * (vertices[c, i] - vertices[a, i])) ** 2
        area += np.sqrt(square)
        one = (uv[b, 0] - uv[a, 0]) * (uv[c, 1] - uv[a, 1])
        laid += abs(one - (uv[b, 1] - uv[a, 1]) * (uv[c, 0] - uv[a, 0]))
    return area, laid


def span_of(vertices: Array, faces: Array, uv: Array) -> float:
    """Metres that one unit of UV spans on the surface, on average; 0 where the UVs have no area."""
    area, laid = _spans(vertices.astype(np.float64), faces, uv.astype(np.float64))
    return float(np.sqrt(area / laid)) if laid > 0 else 0.0
