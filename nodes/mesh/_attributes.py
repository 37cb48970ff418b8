"""Carry colours from one mesh to another by the nearest point on its surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine import Mesh


def carry(source: Mesh, target: Mesh) -> Mesh:
    """``target`` with the vertex colours of ``source`` at the nearest points; its normals tell thin walls apart."""
    if source.colours is None or not len(target.vertices):
        return target
    from nodes.mesh._blend import blend
    from nodes.mesh._bvh import build, nearest

    tree = build(source.vertices, source.faces)
    face, at = nearest(tree, target.vertices, target.normals, 0.0 if target.normals is not None else -1.0)
    lost = np.flatnonzero(face < 0)
    face[lost], at[lost] = nearest(tree, target.vertices[lost])
    return replace(target, colours=blend(source.colours, source.faces, face, at).astype(np.float32))
