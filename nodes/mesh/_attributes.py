"""Carry colours and texture coordinates from one mesh to another by the nearest point on its surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh

Array = NDArray[Any]


def blend(rows: Array, faces: Array, at: Array) -> Array:
    """(N, K) values inside triangles: ``rows`` (V, K), ``faces`` (N, 3), ``at`` (N, 3) whose last two are u, v."""
    u, v = at[:, 1:2], at[:, 2:3]
    mixed: Array = rows[faces[:, 0]] * (1.0 - u - v) + rows[faces[:, 1]] * u + rows[faces[:, 2]] * v
    return mixed


def carry(source: Mesh, target: Mesh, uv: bool = False) -> Mesh:
    """``target`` with the colours of ``source``, and with its UVs and material when ``uv``, at the nearest points.

    The normal of the target picks the right side of thin walls. UVs carried so are wrong across seams.
    """
    wanted = [("colours", source.colours)] + ([("uv", source.uv)] if uv else [])
    present = {name: rows for name, rows in wanted if rows is not None}
    if not present or not len(target.vertices):
        return target
    from nodes.mesh._bvh import build, nearest

    tree = build(source.vertices, source.faces)
    face, at = nearest(tree, target.vertices, target.normals, 0.0 if target.normals is not None else -1.0)
    lost = np.flatnonzero(face < 0)
    face[lost], at[lost] = nearest(tree, target.vertices[lost])
    corners = source.faces[face]
    changes: dict[str, Any] = {k: blend(rows, corners, at).astype(np.float32) for k, rows in present.items()}
    if uv:
        changes["material"] = source.material
    return replace(target, **changes)
