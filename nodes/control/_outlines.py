"""Lines of a mesh as a camera sees them: outlines, and edges that are sharper than an angle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._camera import Size, unproject
from nodes.mesh._render import Rendered, Subject, render

Array = NDArray[Any]
STEP = 0.02
BAND = 256


def outlines(ready: Subject, pose: Array, intrinsics: Array, size: Size, crease: float) -> NDArray[np.float32]:
    """(H, W) float32: 1 on a line about two pixels wide, 0 elsewhere, smooth at its edges.

    A line runs where the mesh ends, where depth jumps by more than a fiftieth of its distance from the plane of the
    neighbour, and where normals turn by more than ``crease`` degrees from one sample to the next.
    """
    scale = np.array([[2.0], [2.0], [1.0]])
    seen = render(Subject(ready.mesh, None, None, None), pose, intrinsics * scale, (size[0] * 2, size[1] * 2), finer=0)
    marked = np.zeros(seen.face.shape, np.bool_)
    for top in range(0, len(marked), BAND):
        rows = slice(top, min(top + BAND + 1, len(marked)))
        view = _view(ready.mesh, seen, pose, intrinsics * scale, rows)
        for axis in (0, 1):
            line = _breaks(view, crease, axis)
            for side in (slice(None, -1), slice(1, None)):
                marked[rows][(side, slice(None)) if axis == 0 else (slice(None), side)] |= line
    wide = marked.copy()
    wide[1:] |= marked[:-1]
    wide[:, 1:] |= marked[:, :-1]
    mean: NDArray[np.float32] = wide.reshape(size[1], 2, size[0], 2).mean(axis=(1, 3)).astype(np.float32)
    return mean


class _View(NamedTuple):
    """Samples: whether a surface is there, its depth, its shading and face normals, and the ray with depth 1."""

    there: Array
    depth: Array
    normal: Array
    flat: Array
    ray: Array


def _view(mesh: Mesh, seen: Rendered, pose: Array, intrinsics: Array, rows: slice) -> _View:
    """Some rows of the samples."""
    face = seen.face[rows]
    lens = intrinsics.copy()
    lens[1, 2] -= rows.start
    rays = unproject(np.ones(face.shape), lens)
    return _View(
        face >= 0, seen.depth[rows].astype(np.float64), seen.normal[rows], _flat_normals(mesh, face, pose), rays
    )


def _breaks(view: _View, crease: float, axis: int) -> Array:
    """Whether a line runs between each sample and the next along ``axis``; one row or column fewer."""
    first, second = (slice(None, -1), slice(1, None))
    a, b = (_View(*(v[s] if axis == 0 else v[:, s] for v in view)) for s in (first, second))
    rim = a.there != b.there
    turned = (a.normal * b.normal).sum(-1) < np.cos(np.radians(crease))
    gap = np.minimum(_off_plane(a, b), _off_plane(b, a))
    return np.asarray(rim | (a.there & b.there & (turned | (gap > STEP))))


def _off_plane(one: _View, other: _View) -> Array:
    """How far, as a share of its depth, the other sample lies before or behind the plane of this one."""
    nearer = np.minimum(one.depth, other.depth)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = one.depth * (one.flat * one.ray).sum(-1) / (one.flat * other.ray).sum(-1)
        off = np.abs(other.depth - expected) / nearer
    return np.asarray(np.where(np.isfinite(off) & (expected > 0), off, np.abs(other.depth - one.depth) / nearer))


def _flat_normals(mesh: Mesh, face: Array, pose: Array) -> Array:
    """(H, W, 3) of the faces themselves, any length, in camera axes."""
    a, b, c = (mesh.vertices[mesh.faces[face, k]].astype(np.float64) for k in range(3))
    flat: Array = np.cross(b - a, c - a) @ pose[:3, :3]
    return flat
