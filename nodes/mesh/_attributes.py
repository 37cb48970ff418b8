"""Carry colours and texture coordinates from one mesh to another by the nearest point on its surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.engine import Mesh


def carry(source: Mesh, target: Mesh, uv: bool = False) -> Mesh:
    """``target`` with the colours of ``source``, and with its UVs and material when ``uv``, at the nearest points.

    The normal of the target picks the right side of thin walls. UVs carried so are wrong across seams.
    """
    wanted = [("colours", source.colours)] + ([("uv", source.uv)] if uv else [])
    present = {name: rows for name, rows in wanted if rows is not None}
    if not present or not len(target.vertices):
        return target
    from nodes.mesh._blend import blend
    from nodes.mesh._bvh import build, nearest

    tree = build(source.vertices, source.faces)
    face, at = nearest(tree, target.vertices, target.normals, 0.0 if target.normals is not None else -1.0)
    lost = np.flatnonzero(face < 0)
    face[lost], at[lost] = nearest(tree, target.vertices[lost])
    changes: dict[str, Any] = {
        name: blend(rows, source.faces, face, at).astype(np.float32) for name, rows in present.items()
    }
    if uv:
        changes["material"] = source.material
    return replace(target, **changes)
