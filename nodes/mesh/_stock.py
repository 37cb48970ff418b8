"""Several meshes as solid bodies in one pool, and back: booleans move no attribute that they need not cut.

Manifold (Lalish 2021) carries a row of values per vertex and a number per face through its operations. The rows are
the attributes that any of the meshes has, the number is the face of the mesh.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._rows import WIDTHS, filled, group_starts
from nodes.mesh._slivers import without_slivers
from nodes.mesh._topology import collapsed, weld_points

Array = NDArray[Any]
UNIT = 1e-5


@dataclass(frozen=True)
class Stock:
    """``meshes`` with one material. ``names``: normals, for hard edges at cuts, and what else any of them has.
    ``first``: id of the first in Manifold. ``groups``: the part number that each mesh's numbers begin at, or None where
    none has any and there is one mesh.
    """

    meshes: Sequence[Mesh]
    names: tuple[str, ...]
    groups: tuple[int, ...] | None
    first: int

    def body(self, k: int) -> Any:
        """Mesh ``k`` as a Manifold over its welded positions; ``status()`` says whether it is one."""
        import manifold3d

        mesh = self.meshes[k]
        weld = weld_points(mesh.vertices)
        welded = weld.first[weld.ids]
        again = np.flatnonzero(welded != np.arange(len(welded)))
        real = np.flatnonzero(~collapsed(welded[mesh.faces]))
        rows = np.concatenate([mesh.vertices, *(filled(mesh, name) for name in self.names)], axis=1)
        return manifold3d.Manifold(
            manifold3d.Mesh(
                np.ascontiguousarray(rows, np.float32),
                np.ascontiguousarray(mesh.faces[real], np.uint32),
                again.astype(np.uint32),
                welded[again].astype(np.uint32),
                run_index=np.array([0, 3 * len(real)], np.uint32),
                run_original_id=np.array([self.first + k], np.uint32),
                face_id=real.astype(np.uint32),
            )
        )

    def mesh(self, body: Any, turned: Collection[int] = ()) -> Mesh:
        """What a Manifold made of these bodies is as a mesh: faces in the order of the meshes and of their faces.

        ``turned``: meshes whose faces look the other way now, as those of what was taken away.
        """
        got = body.to_mesh()
        rows, tri = np.asarray(got.vert_properties, np.float32), got.tri_verts.astype(np.int32)
        index = np.asarray(got.run_index, np.int64) // 3
        which = np.repeat(np.asarray(got.run_original_id, np.int64) - self.first, index[1:] - index[:-1])
        source = np.array(got.face_id, np.int64)
        order = np.argsort(which << 32 | source)
        tri, which, source = tri[order], which[order], source[order]
        faces, changed = _as_before(self.meshes, rows[:, :3], tri, which, source)
        values = self._attributes(rows, faces, np.isin(which, list(turned)))
        result = Mesh(
            np.ascontiguousarray(rows[:, :3]),
            faces,
            material=self.meshes[0].material,
            face_groups=self._parts(which, source),
            name=self.meshes[0].name,
            **values,
        )
        return without_slivers(result, changed)

    def _attributes(self, rows: Array, faces: Array, turned: Array) -> dict[str, Any]:
        values, at = {}, 3
        for name in self.names:
            values[name] = np.ascontiguousarray(rows[:, at : at + WIDTHS[name]])
            at += WIDTHS[name]
        if "normals" in values:
            back = np.zeros(len(rows), bool)
            back[faces[turned]] = True
            values["normals"] = _unit(np.where(back[:, None], -values["normals"], values["normals"]))
        if "colours" in values:
            values["colours"] = values["colours"].clip(0, 1)
        return values

    def _parts(self, which: Array, source: Array) -> Array | None:
        if self.groups is None:
            return None
        numbers = np.empty(len(which), np.int32)
        for k, (mesh, start) in enumerate(zip(self.meshes, self.groups, strict=True)):
            here = which == k
            numbers[here] = start + (0 if mesh.face_groups is None else mesh.face_groups[source[here]])
        return numbers


def stocked(meshes: Sequence[Mesh]) -> Stock:
    """``meshes``: with one material between them. Parts of later meshes get numbers behind those of earlier ones."""
    import manifold3d

    names = tuple(n for n in WIDTHS if n == "normals" or any(getattr(mesh, n) is not None for mesh in meshes))
    starts = None if len(meshes) == 1 and meshes[0].face_groups is None else group_starts(meshes)
    return Stock(meshes, names, starts, int(manifold3d.Manifold.reserve_ids(len(meshes))))


def _as_before(meshes: Sequence[Mesh], at: Array, tri: Array, which: Array, source: Array) -> tuple[Array, Array]:
    """(each face begun at the corner that its source begins at, where that corner is still there, which were cut)."""
    ends = np.searchsorted(which, np.arange(len(meshes) + 1))
    parts = [mesh.vertices[mesh.faces[source[a:b]]] for mesh, (a, b) in zip(meshes, pairwise(ends), strict=True)]
    before = np.concatenate(parts)
    turn = np.zeros(len(tri), np.int64)
    for k in (2, 1):
        turn[(at[tri[:, k]] == before[:, 0]).all(axis=1)] = k
    faces = np.take_along_axis(tri, (turn[:, None] + np.arange(3)) % 3, axis=1)
    return faces, (at[faces[:, 1]] != before[:, 1]).any(axis=1) | (at[faces[:, 2]] != before[:, 2]).any(axis=1)


def _unit(vectors: Array) -> Array:
    """Of length one; those that are already stay bit by bit."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), np.array((0, 1, 0), np.float32))
    return np.where(np.abs(length - 1) < UNIT, vectors, scaled).astype(np.float32)
