"""Halve what is too long: edges are cut in their middle until none is longer than it may be. UV seams do not open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.mesh._rows import only
from nodes.mesh._topology import collapsed, edges_of, weld_points

Array = NDArray[Any]
MOST_FACES = 4_000_000
ROUNDS = 16


def bisected(run: Run, mesh: Mesh, along: Array, longest: float) -> Mesh:
    """``mesh`` with no edge that extends over more than ``longest`` metres along the unit vector ``along``, (3,).

    A face is cut into two, three or four, as many of its edges are too long. New vertices have the mean of all that
    the ends of their edge carry. Ends early where the mesh would pass ``MOST_FACES``, and says so.
    """
    for _ in range(ROUNDS):
        run.check()
        height = mesh.vertices.astype(np.float64) @ along
        a, b, c = (height[mesh.faces[:, k]] for k in range(3))
        if not (np.maximum(np.maximum(a, b), c) - np.minimum(np.minimum(a, b), c) > longest).any():
            return mesh
        marked = np.abs(np.stack([a - b, b - c, c - a], axis=1)) > longest
        weld = weld_points(mesh.vertices)
        edges = edges_of(weld.ids[mesh.faces])
        long = np.zeros(len(edges.ends), bool)
        long[edges.sides[marked]] = True
        if len(mesh.faces) + int(edges.uses[long].sum()) > MOST_FACES:
            run.warn(f"Long faces were cut only until there were {len(mesh.faces):,} of them.")
            return mesh
        mesh = _halved(mesh, long[edges.sides])
    return mesh


def without_collapsed(mesh: Mesh) -> Mesh:
    """The mesh without faces two of whose corners have come to lie on one point, and without vertices left over."""
    gone = collapsed(weld_points(mesh.vertices).ids[mesh.faces])
    return mesh if not gone.any() or gone.all() else only(mesh, ~gone)


def _halved(mesh: Mesh, marked: Array) -> Mesh:
    """Every marked side, (M, 3) bool, cut in its middle; all sides of an edge are marked, or none is."""
    sides = np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=2)[marked].astype(np.int64)
    sides.sort(axis=1)
    key, number = np.unique(sides[:, 0] * len(mesh.vertices) + sides[:, 1], return_inverse=True)
    a, b = np.divmod(key, len(mesh.vertices))
    middle = np.full(mesh.faces.shape, -1, np.int64)
    middle[marked] = len(mesh.vertices) + number.reshape(-1)
    faces, source = _cut(np.concatenate([mesh.faces, middle], axis=1), marked)
    return replace(
        mesh,
        vertices=np.concatenate([mesh.vertices, _mean(mesh.vertices, a, b)]),
        faces=faces.astype(np.int32),
        normals=None if mesh.normals is None else np.concatenate([mesh.normals, _direction(mesh.normals, a, b)]),
        uv=None if mesh.uv is None else np.concatenate([mesh.uv, _mean(mesh.uv, a, b)]),
        colours=None if mesh.colours is None else np.concatenate([mesh.colours, _mean(mesh.colours, a, b)]),
        face_groups=None if mesh.face_groups is None else mesh.face_groups[source],
    )


def _mean(rows: Array, a: Array, b: Array) -> Array:
    return ((rows[a].astype(np.float64) + rows[b]) / 2).astype(np.float32)


def _direction(normals: Array, a: Array, b: Array) -> Array:
    """Unit means; where two normals are opposite, the first of them."""
    mean = normals[a].astype(np.float64) + normals[b]
    size = np.linalg.norm(mean, axis=1, keepdims=True)
    return np.where(size > 1e-6, mean / np.maximum(size, 1e-6), normals[a]).astype(np.float32)


def _cut(six: Array, marked: Array) -> tuple[Array, Array]:
    """(new faces, the face each comes from). ``six``: (M, 6) corners, then the middle of the side after each."""
    count = marked.sum(axis=1)
    none, one, two, three = (np.flatnonzero(count == k) for k in range(4))
    half = _turned(six, one, marked[one].argmax(axis=1))
    third = _turned(six, two, (~marked[two]).argmax(axis=1) + 1)
    fourth = six[three]
    pieces = [
        (none, six[none][:, [0, 1, 2]]),
        *((one, half[:, corners]) for corners in ([0, 3, 2], [3, 1, 2])),
        *((two, third[:, corners]) for corners in ([3, 1, 4], [0, 3, 4], [0, 4, 2])),
        *((three, fourth[:, corners]) for corners in ([0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5])),
    ]
    source = np.concatenate([rows for rows, _ in pieces])
    order = np.argsort(source, kind="stable")
    return np.concatenate([faces for _, faces in pieces])[order], source[order]


def _turned(six: Array, rows: Array, first: Array) -> Array:
    """Rows of ``six`` that begin with corner ``first``, a number that may pass 2."""
    corner = (first[:, None] + np.arange(3)) % 3
    return np.asarray(np.take_along_axis(six[rows], np.concatenate([corner, corner + 3], axis=1), axis=1))
