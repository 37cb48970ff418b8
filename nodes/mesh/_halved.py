"""Cut a mesh at a plane across an axis, and put a mirrored copy against it, equal to the last bit.

Positions along the axis lie on a grid so fine that single precision shows no difference, and so coarse that twice the
plane minus a position is exact, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import Ints, weld_points

Array = NDArray[Any]
NAMES = ("normals", "uv", "colours")
ALONG = 0.5


@dataclass(frozen=True)
class Mirror:
    """The plane where coordinate ``axis`` is ``at``. ``step``: of the grid, or 0 where none is needed."""

    axis: int
    at: float
    step: float

    @classmethod
    def of(cls, mesh: Mesh, axis: int, at: float) -> Mirror:
        """The plane moves to the nearest place on the grid."""
        if at == 0:
            return cls(axis, 0.0, 0.0)
        x = mesh.vertices[:, axis].astype(np.float64)
        far = float(np.abs(np.concatenate([x, 2 * at - x, [at]])).max())
        step = 2.0 ** (np.floor(np.log2(far)) + 1 - 23)
        return cls(axis, float(np.round(at / step) * step), float(step))

    def on_grid(self, mesh: Mesh, near: float) -> Mesh:
        """Positions on the grid; those nearer than ``near`` metres to the plane lie on it."""
        vertices = mesh.vertices.copy()
        x = vertices[:, self.axis].astype(np.float64)
        if self.step:
            x = np.round(x / self.step) * self.step
        x[np.abs(x - self.at) <= near] = self.at
        vertices[:, self.axis] = x
        return replace(mesh, vertices=vertices)

    def across(self, vectors: Array, at: float) -> Array:
        """(N, 3) mirrored at ``at``: the plane for positions, 0 for directions."""
        out = vectors.copy()
        out[:, self.axis] = 2 * at - vectors[:, self.axis].astype(np.float64)
        return out

    def side(self, mesh: Mesh) -> Array:
        """(N,) float64 metres in front of the plane."""
        return np.asarray(mesh.vertices[:, self.axis].astype(np.float64) - self.at)


def reflected(mesh: Mesh, mirror: Mirror) -> Mesh:
    """The mirrored mesh; faces are wound the other way, so that outside stays outside."""
    normals = None if mesh.normals is None else mirror.across(mesh.normals, 0.0)
    vertices = mirror.across(mesh.vertices, mirror.at)
    return replace(mesh, vertices=vertices, normals=normals, faces=np.ascontiguousarray(mesh.faces[:, ::-1]))


def half(mesh: Mesh, mirror: Mirror, positive: bool) -> Mesh:
    """What lies in front of the plane, or behind it; faces that run through are cut, those that lie in it go."""
    weld = weld_points(mesh.vertices)
    off = mirror.side(mesh) * (1.0 if positive else -1.0)
    sign = np.sign(off).astype(np.int8)[mesh.faces]
    whole = (sign >= 0).all(axis=1) & (sign > 0).any(axis=1)
    through = np.flatnonzero((sign > 0).any(axis=1) & (sign < 0).any(axis=1))
    faces, source, pairs = _cut(mesh.faces[through], sign[through], len(mesh.vertices))
    faces = np.concatenate([mesh.faces[whole], faces])
    source = np.concatenate([np.flatnonzero(whole), through[source]])
    swap = weld.ids[pairs[:, 0]] > weld.ids[pairs[:, 1]]
    pairs[swap] = pairs[swap][:, ::-1]
    share = off[pairs[:, 0]] / (off[pairs[:, 0]] - off[pairs[:, 1]])
    longer = {name: _blended(values, pairs, share) for name in ("vertices", *NAMES)
              if (values := getattr(mesh, name)) is not None}  # fmt: skip
    longer["vertices"][len(mesh.vertices) :, mirror.axis] = mirror.at
    if "normals" in longer:
        length = np.linalg.norm(longer["normals"], axis=1, keepdims=True)
        longer["normals"] = np.where(
            length > 1e-6, longer["normals"] / np.maximum(length, 1e-6), np.array([0, 1, 0], np.float32)
        )
    return _only_used(mesh, longer, faces, source)


def _cut(faces: Ints, sign: Array, count: int) -> tuple[Ints, Array, Ints]:
    """(new faces, (K,) the one each is of, (P, 2) ends of the cut edges; their new vertices follow ``count``)."""
    zeros = (sign == 0).any(axis=1)
    lone = np.where((sign > 0).sum(axis=1) == 1, 1, -1)
    first = (sign == np.where(zeros, 1, lone)[:, None]).argmax(axis=1)
    around = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces, around, axis=1).T
    after = np.take_along_axis(sign, around, axis=1)[:, 1]
    sides = np.sort(np.concatenate([np.stack([a, b], axis=1), np.stack([a, c], axis=1)]), axis=1)
    every = np.arange(len(faces))
    alone, pair = ~zeros & (lone > 0), ~zeros & (lone < 0)
    ahead, behind = zeros & (after < 0), zeros & (after == 0)
    needed = np.concatenate([~behind, ~ahead])
    pairs, number = np.unique(sides[needed], axis=0, return_inverse=True)
    new = np.zeros(2 * len(faces), np.int64)
    new[needed] = count + number.reshape(-1)
    ab, ac = new[: len(faces)], new[len(faces) :]
    pieces = [(alone, (a, ab, ac)), (pair, (ab, b, c)), (pair, (ab, c, ac)), (ahead, (a, ab, c)), (behind, (a, b, ac))]
    made = np.concatenate([np.stack([corner[which] for corner in corners], axis=1) for which, corners in pieces])
    return made.astype(np.int32), np.concatenate([every[which] for which, _ in pieces]), pairs.astype(np.int32)


def _blended(values: Array, pairs: Ints, share: Array) -> Array:
    """The values, and behind them those between the pairs."""
    one, other = (values[pairs[:, k]].astype(np.float64) for k in (0, 1))
    return np.concatenate([values, (one + share[:, None] * (other - one)).astype(np.float32)])


def _only_used(mesh: Mesh, values: dict[str, Array], faces: Ints, source: Array) -> Mesh:
    used = np.zeros(len(values["vertices"]), np.bool_)
    used[faces.ravel()] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    groups = None if mesh.face_groups is None else mesh.face_groups[source]
    kept: dict[str, Any] = {name: rows[used] for name, rows in values.items()}
    return replace(mesh, faces=number[faces].astype(np.int32), face_groups=groups, **kept)


def doubled(mesh: Mesh, mirror: Mirror) -> Mesh:
    """The mesh and its mirrored copy as one. They share the vertices on the plane, and faces in the plane go.

    Where the surface runs smoothly over the plane, or nearly so, normals there are made to lie in it.
    """
    on = mirror.side(mesh) == 0
    inside = on[mesh.faces].all(axis=1)
    groups = None if mesh.face_groups is None else mesh.face_groups[~inside]
    mesh = replace(mesh, faces=mesh.faces[~inside], face_groups=groups)
    shared = on
    if mesh.normals is not None:
        shared = on & (np.abs(mesh.normals[:, mirror.axis]) < ALONG)
        level = mesh.normals.copy()
        level[shared, mirror.axis] = 0
        level[shared] /= np.linalg.norm(level[shared], axis=1, keepdims=True)
        mesh = replace(mesh, normals=level)
    other = reflected(mesh, mirror)
    number = np.where(shared, np.arange(len(on)), len(on) + np.cumsum(~shared) - 1).astype(np.int32)
    rows: dict[str, Any] = {}
    for name in ("vertices", *NAMES):
        if (values := getattr(mesh, name)) is not None:
            rows[name] = np.concatenate([values, getattr(other, name)[~shared]])
    faces = np.concatenate([mesh.faces, number[other.faces]])
    return replace(mesh, faces=faces, face_groups=None if groups is None else np.concatenate([groups, groups]), **rows)
