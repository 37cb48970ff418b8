"""Cut a mesh in two along a plane: what lies above it, what lies below, both with the same points on the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._rows import Rows, below, blended, rows_of
from nodes.mesh._topology import Weld, collapsed, face_vectors, weld_points

Array = NDArray[Any]
ON_PLANE = 1e-6


@dataclass(frozen=True)
class Plane:
    """Points p with p · ``normal`` = ``offset``. ``normal``: (3,) float64 unit; the side it looks to is above."""

    normal: Array
    offset: float

    def height(self, points: Array) -> Array:
        return np.asarray(points.astype(np.float64) @ self.normal - self.offset)

    def onto(self, points: Array) -> Array:
        """(N, 3) float64: the points straight on the plane; exactly so for a plane across an axis."""
        at = points - self.height(points)[:, None] * self.normal
        across = np.abs(self.normal) == 1.0
        if across.any():
            at[:, across] = self.offset * self.normal[across]
        return np.asarray(at)


@dataclass(frozen=True)
class Halves:
    """``rows``: of the mesh, then those of the cut. ``flat``: (R,) bool, which lie on the plane. ``weld``: of the rows.

    ``faces``: (F, 3) into the rows. ``source``: (F,) faces of the mesh. ``up``: (F,) bool, above the plane.
    """

    rows: Rows
    flat: Array
    weld: Weld
    faces: Array
    source: Array
    up: Array


def cut(mesh: Mesh, plane: Plane) -> Halves:
    """Faces in the plane go to the side that the body of the mesh lies on. Points within a millionth of the size of
    the plane are moved onto it. Faces of each half follow the order of the mesh."""
    height = plane.height(mesh.vertices)
    low, high = mesh.bounds
    height[np.abs(height) <= ON_PLANE * float(np.linalg.norm(high.astype(np.float64) - low))] = 0.0
    side = np.sign(height).astype(np.int8)[mesh.faces]
    across = (side.min(axis=1) < 0) & (side.max(axis=1) > 0)
    whole = np.flatnonzero(~across)
    up = side[whole].max(axis=1) > 0
    lying = np.flatnonzero((side[whole] == 0).all(axis=1))
    up[lying] = face_vectors(mesh.vertices, mesh.faces[whole[lying]]) @ plane.normal < 0
    faces, source, above, ends = _divided(mesh.faces, side, np.flatnonzero(across))
    rows, flat, pool = _pool(mesh, plane, height, faces, ends)
    weld = weld_points(rows["vertices"])
    faces = np.concatenate([mesh.faces[whole], pool])
    source, above = np.concatenate([whole, source]), np.concatenate([up, above])
    keep = np.argsort(source, kind="stable")
    real = ~collapsed(weld.ids[faces]) | collapsed(weld_points(mesh.vertices).ids[mesh.faces])[source]
    keep = keep[real[keep]]
    return Halves(rows, flat, weld, faces[keep].astype(np.int32), source[keep], above[keep])


def _divided(faces: Array, side: Array, which: Array) -> tuple[Array, Array, Array, Array]:
    """((F, 3) corners, (F,) sources, (F,) above, (E, 2) ends below and above of the edges cut).

    Corners below 0 are cuts: -1 - row of ends.
    """
    sign, corner = side[which], faces[which].astype(np.int64)
    touch = (sign == 0).any(axis=1)
    lone = np.where(
        touch, (sign == 0).argmax(axis=1), (sign == -np.sign(sign.sum(axis=1, keepdims=True))).argmax(axis=1)
    )
    turn = (lone[:, None] + np.arange(3)) % 3
    corner, sign = np.take_along_axis(corner, turn, 1), np.take_along_axis(sign, turn, 1)
    a, p, q = corner.T
    up = sign[:, 1] > 0
    one, two = ~touch, touch
    ends = np.concatenate(
        [_ends(p[two], q[two], ~up[two]), _ends(a[one], p[one], up[one]), _ends(a[one], q[one], up[one])]
    )
    n, m = int(two.sum()), int(one.sum())
    mid, left, right = np.split(-1 - np.arange(len(ends)), [n, n + m])
    ta, tp, tq, oa, op, oq = a[two], p[two], q[two], a[one], p[one], q[one]
    new = [(ta, tp, mid), (ta, mid, tq), (oa, left, right), (left, op, oq), (left, oq, right)]
    above = [up[two], ~up[two], ~up[one], up[one], up[one]]
    sources = [which[two]] * 2 + [which[one]] * 3
    stacked = np.concatenate([np.stack(rows, axis=1) for rows in new])
    return stacked, np.concatenate(sources), np.concatenate(above), ends


def _ends(one: Array, other: Array, other_up: Array) -> Array:
    """(E, 2) the end below, the end above."""
    return np.where(other_up[:, None], np.stack([one, other], axis=1), np.stack([other, one], axis=1))


def _pool(mesh: Mesh, plane: Plane, height: Array, faces: Array, ends: Array) -> tuple[Rows, Array, Array]:
    """(rows of the mesh and of the cut, which of them lie on the plane, the new faces by row)."""
    rows, count = rows_of(mesh), len(mesh.vertices)
    _, first, again = np.unique(ends[:, 0] * count + ends[:, 1], return_index=True, return_inverse=True)
    low, high = ends[first].T
    new = blended(rows, low, high, height[low] / (height[low] - height[high]))
    pool = below(rows, new)
    flat = np.concatenate([height == 0, np.ones(len(low), bool)])
    at = pool["vertices"].astype(np.float64)
    at[flat] = plane.onto(at[flat])
    pool = {name: np.ascontiguousarray(value, np.float32) for name, value in {**pool, "vertices": at}.items()}
    numbered = faces.copy()
    cuts = faces < 0
    numbered[cuts] = count + again.reshape(-1)[-1 - faces[cuts]]
    return pool, flat, numbered
