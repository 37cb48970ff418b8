"""Meshes made ready for edge collapse: faces in spatial order, so that neighbours lie close in memory, edges, features.

A *wedge* is a vertex on one side of its seams: the faces around a vertex that share its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._collapse_steps import tidy
from nodes.mesh._collapse_tables import (
    BORDER,
    CORNER,
    CROWD,
    FACES,
    FEATURE,
    GONE,
    GROUP,
    HARD,
    HIGH,
    INNER,
    LINE,
    ROOM,
    SEAM,
)
from nodes.mesh._jit import kernel

Array = NDArray[Any]
ALIKE = 0.9994
SOFT_SHIFT = 10


@dataclass(frozen=True)
class Surface:
    """What is to be simplified. Arrays over M faces, V positions, W wedges; empty where there is nothing to keep.

    ``points``: (V, 3) float64. ``faces``: (M, 3) int32, three different positions each. ``wedges``: (M, 3) int32 or
    None when there are no attributes. ``attributes``: (W, m) float64 in units in which 1 weighs like a distance of the
    diagonal. ``groups``: (M,) int32. ``corner_normals``: (M, 3, 3) float32. ``uv``: the first two attributes are UVs.
    """

    points: Array
    faces: Array
    wedges: Array | None = None
    attributes: Array | None = None
    groups: Array | None = None
    corner_normals: Array | None = None
    uv: bool = False


@dataclass(frozen=True)
class Net:
    """The arrays of :mod:`nodes.mesh._collapse_tables`, and the way back: ``face_of`` (M,) and ``wedge_of`` (W,).

    Those are old numbers. ``at`` is about ``middle`` and divided by ``size``, the diagonal of the bounding box.
    """

    tri: Array
    vert: Array
    edge: Array
    at: Array
    s: Array
    refs: Array
    lot: Array
    face_of: Array
    wedge_of: Array
    middle: Array
    size: float


@kernel
def _spread(n: int) -> int:
    n = (n | (n << 16)) & 0x030000FF
    n = (n | (n << 8)) & 0x0300F00F
    n = (n | (n << 4)) & 0x030C30C3
    return (n | (n << 2)) & 0x09249249


@kernel
def _codes(at: Array, faces: Array, out: Array) -> None:
    """Morton codes, 10 bits an axis, of the middle of each face; ``at`` lies within -1 to 1."""
    for f in range(len(faces)):
        code = 0
        for axis in range(3):
            place = (at[faces[f, 0], axis] + at[faces[f, 1], axis] + at[faces[f, 2], axis]) / 3.0
            code |= _spread(int((place + 1.0) * 511.9)) << axis
        out[f] = code


@kernel
def _sorted(codes: Array, order: Array, other: Array) -> None:
    """Radix sort: ``order`` (0, 1, 2 ... at first) by 30-bit codes, equal ones as they were."""
    count = np.zeros(1025, np.int64)
    for turn in range(3):
        count[:] = 0
        shift = 10 * turn
        for f in order:
            count[((codes[f] >> shift) & 1023) + 1] += 1
        for i in range(1024):
            count[i + 1] += count[i]
        for f in order:
            digit = (codes[f] >> shift) & 1023
            other[count[digit]] = f
            count[digit] += 1
        order[:] = other


@kernel
def _numbered(order: Array, rows: Array, column: int, tri: Array, new: Array, old: Array) -> int:
    """Write ``rows`` (M, 3) to three columns of ``tri`` in the given order, numbered by first appearance."""
    new[:] = -1
    count = 0
    for i in range(len(order)):
        for k in range(3):
            n = rows[order[i], k]
            if new[n] < 0:
                new[n] = count
                old[count] = n
                count += 1
            tri[i, column + k] = new[n]
    return count


@kernel
def _features(tri: Array, edge: Array, face_of: Array, groups: Array, normals: Array, at: Array, cosine: float) -> None:
    """Flag seams, hard edges and borders between groups: each side of an edge against the first one found."""
    first = np.full(len(edge), -1, np.int64)
    for f in range(len(tri)):
        for k in range(3):
            e = tri[f, 6 + k]
            if first[e] < 0:
                first[e] = 3 * f + k
                continue
            g, j = first[e] // 3, first[e] % 3
            same = tri[f, k] == tri[g, j]
            for end in range(2):
                mine, theirs = (k + end) % 3, (j + (end if same else 1 - end)) % 3
                if tri[f, 3 + mine] != tri[g, 3 + theirs]:
                    edge[e, 3] |= SEAM
                bent = len(normals) > 0 and _bent(normals, face_of[f], mine, face_of[g], theirs)
                if bent and _cosine(tri, f, g, at) < cosine:
                    edge[e, 3] |= HARD
            if len(groups) and groups[face_of[f]] != groups[face_of[g]]:
                edge[e, 3] |= GROUP


@kernel
def _bent(normals: Array, f: int, k: int, g: int, j: int) -> bool:
    dot = 0.0
    for axis in range(3):
        dot += normals[f, k, axis] * normals[g, j, axis]
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


def net_of(surface: Surface, hard_degrees: float) -> Net:
    """Build all tables. Two faces that meet at more than ``hard_degrees`` and have normals of their own make a hard
    edge."""
    from nodes.mesh._tables import edge_table

    low, high = surface.points.min(axis=0), surface.points.max(axis=0)
    middle, size = (low + high) / 2, max(float(np.linalg.norm(high - low)), 1e-30)
    face_of, tri, place_of, wedge_of = _ordered((surface.points - middle) / size, surface)
    at = (surface.points[place_of] - middle) / size
    ends, sides, uses, _ = edge_table(np.ascontiguousarray(tri[:, :3]))
    tri[:, 6:] = sides
    edge = np.zeros((len(ends), 4), np.int32)
    edge[:, :2] = ends
    edge[:, 3] = np.where(uses == 1, BORDER, np.where(uses > 2, CROWD, 0))
    groups = np.empty(0, np.int32) if surface.groups is None else surface.groups
    normals = np.empty((0, 3, 3), np.float32) if surface.corner_normals is None else surface.corner_normals
    if surface.wedges is not None or len(groups) or len(normals):
        _features(tri, edge, face_of, groups, normals, at, float(np.cos(np.radians(hard_degrees))))
    vert, lot = np.zeros((len(at), 4), np.int32), np.zeros(9, np.int64)
    kinds(edge, vert)
    refs = np.empty(2 * tri.shape[0] * 3 + 64, np.int32)
    tidy(tri, vert, refs, lot)
    lot[FACES], lot[HIGH], lot[ROOM] = len(tri), len(at), len(refs)
    s = np.empty((0, 0)) if surface.attributes is None else surface.attributes[wedge_of]
    return Net(tri, vert, edge, at, s, refs, lot, face_of, wedge_of, middle, size)


def _ordered(at: Array, surface: Surface) -> tuple[Array, Array, Array, Array]:
    """(order of faces, tri with vertices and wedges, old numbers of vertices, of wedges)."""
    count = len(surface.faces)
    codes, order = np.empty(count, np.int32), np.arange(count, dtype=np.int32)
    _codes(at, surface.faces, codes)
    _sorted(codes, order, np.empty_like(order))
    tri = np.empty((count, 9), np.int32)
    place_of = _renumbered(order, surface.faces, 0, tri, len(surface.points))
    if surface.wedges is None or surface.attributes is None:
        tri[:, 3:6] = tri[:, :3]
        return order, tri, place_of, place_of
    return order, tri, place_of, _renumbered(order, surface.wedges, 3, tri, len(surface.attributes))


def _renumbered(order: Array, rows: Array, column: int, tri: Array, many: int) -> Array:
    new, old = np.empty(many, np.int32), np.empty(many, np.int32)
    return old[: _numbered(order, rows, column, tri, new, old)]


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
