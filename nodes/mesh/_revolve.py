"""Grids of vertices and surfaces of revolution, closed exactly where they meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh

Array = NDArray[Any]
Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Patch:
    """Part of a primitive: float64 positions (N, 3), unit normals (N, 3), UVs (N, 2) and int faces (M, 3)."""

    vertices: Array
    normals: Array
    uv: Array
    faces: Array


def mesh_of(patches: Sequence[Patch], name: str) -> Mesh:
    """One mesh of the patches; each has its own vertices, so that edges between them are hard."""
    starts = np.cumsum([0, *(len(patch.vertices) for patch in patches)])
    return Mesh.of(
        np.concatenate([patch.vertices for patch in patches]),
        np.concatenate([patch.faces + start for patch, start in zip(patches, starts, strict=False)]),
        normals=np.concatenate([patch.normals for patch in patches]).astype(np.float32),
        uv=np.concatenate([patch.uv for patch in patches]).astype(np.float32),
        material=Material(name),
        name=name,
    )


def grid_faces(rows: int, columns: int) -> Array:
    """(2 rows columns, 3) faces of (rows + 1) x (columns + 1) vertices, row by row, counter-clockwise where columns
    run to the right and rows run up."""
    corner = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, above = corner + 1, corner + columns + 1
    return np.stack([corner, right, above + 1, corner, above + 1, above], axis=1).reshape(-1, 3)


def into(uv: Array, box: Box) -> Array:
    """UVs of the unit square moved into (left, bottom, right, top)."""
    left, bottom, right, top = box
    return uv * (right - left, top - bottom) + (left, bottom)


def circle(segments: int) -> Array:
    """(segments + 1, 2) of x and -z around the circle from the back, seen from above counter-clockwise.

    The last point is the first, to the last bit; so the seam of a texture lies at the back.
    """
    angle = np.arange(segments) * (2 * np.pi / segments)
    points = np.stack([0 - np.sin(angle), np.cos(angle)], axis=1)
    return np.concatenate([points, points[:1]])


def revolved(profile: Array, normals: Array, heights: Array, segments: int, box: Box = WHOLE) -> Patch:
    """The surface that a profile sweeps around the y axis.

    ``profile``: (K, 2) distance from the axis and y, the outside on its right. ``normals``: (K, 2) alike. ``heights``:
    (K,) v of each point, 0..1. Where the distance is 0 the triangles that would have no area are left out, and each
    remaining one has a vertex of its own there, with the middle of its u range.
    """
    turn, pole = circle(segments), profile[:, 0] == 0
    rows = len(profile) - 1
    vertices, directions = _swept(profile, turn), _swept(normals, turn)
    between = circle(2 * segments)[1::2]
    directions[pole] = _swept(normals[pole], np.concatenate([between, between[:1]]))
    u = np.broadcast_to(np.arange(segments + 1) / segments, (rows + 1, segments + 1)).copy()
    faces = grid_faces(rows, segments)
    below, above = np.arange(len(faces)) % 2 == 0, np.arange(len(faces)) % 2 == 1
    row = np.arange(len(faces)) // (2 * segments)
    faces = faces[~((below & pole[row]) | (above & pole[row + 1]))]
    u[pole] += 0.5 / segments
    uv = np.stack([u, np.broadcast_to(heights[:, None], u.shape)], axis=-1).reshape(-1, 2)
    patch = Patch(vertices.reshape(-1, 3), directions.reshape(-1, 3), into(uv, box), faces)
    return _tidy(_pole_corners(patch, rows, segments, pole))


def _swept(profile: Array, turn: Array) -> Array:
    """(K, S, 3): distance times the circle, in the order that puts the outside on the right of a rising profile."""
    distance, y = profile[:, 0, None], profile[:, 1, None]
    return np.stack([distance * turn[:, 0], np.broadcast_to(y, (len(profile), len(turn))), -distance * turn[:, 1]], -1)


def _pole_corners(patch: Patch, rows: int, segments: int, pole: Array) -> Patch:
    """Faces at a pole take the pole vertex that lies in the middle of their side."""
    faces = patch.faces.copy()
    number, column = faces // (segments + 1), faces % (segments + 1)
    first = column.min(axis=1, keepdims=True)
    faces = np.where(pole[number], number * (segments + 1) + first, faces)
    return Patch(patch.vertices, patch.normals, patch.uv, faces)


def _tidy(patch: Patch) -> Patch:
    """Without unused vertices."""
    used, faces = np.unique(patch.faces, return_inverse=True)
    return Patch(patch.vertices[used], patch.normals[used], patch.uv[used], faces.reshape(-1, 3))


def disc(radius: float, y: float, segments: int, box: Box, up: bool) -> Patch:
    """A flat lid around the y axis: triangles from its centre, UVs as seen from outside."""
    turn = circle(segments)
    ring = _swept(np.array([[radius, y]]), turn)[0, :-1]
    vertices = np.concatenate([[[0.0, y, 0.0]], ring])
    here = np.arange(segments)
    spokes = np.stack([np.zeros(segments, int), 1 + here, 1 + (here + 1) % segments], axis=1)
    flat = np.concatenate([[[0.0, 0.0]], turn[:-1]]) * (0.5, 0.5 if up else -0.5) + 0.5
    normals = np.broadcast_to([0.0, 1.0 if up else -1.0, 0.0], vertices.shape)
    return Patch(vertices, normals, into(flat, box), spokes if up else spokes[:, ::-1])
