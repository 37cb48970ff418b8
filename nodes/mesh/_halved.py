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
from nodes.mesh._plane_cut import Plane, cut
from nodes.mesh._rows import below, built, rows_of

Array = NDArray[Any]
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
    """What lies in front of the plane, or behind it. Faces that run through are cut exactly on it."""
    halves = cut(mesh, Plane(np.eye(3)[mirror.axis], mirror.at))
    here = halves.up == positive
    groups = None if mesh.face_groups is None else mesh.face_groups[halves.source[here]]
    return built(mesh, halves.rows, halves.faces[here], groups)


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
    rows = below(rows_of(mesh), {name: values[~shared] for name, values in rows_of(other).items()})
    faces = np.concatenate([mesh.faces, number[other.faces]])
    return built(mesh, rows, faces, None if groups is None else np.concatenate([groups, groups]))
