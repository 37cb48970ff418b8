"""Parts of a file moved to where the file places them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nodes.io._parts import Array, Part


def moved(part: Part, matrix: Array) -> Part:
    """A part with a (4, 4) affine matrix applied; mirrored faces are turned round, so that they face outwards."""
    if np.array_equal(matrix, np.eye(4)):
        return part
    linear = matrix[:3, :3].astype(np.float64)
    vertices = part.vertices.astype(np.float64) @ linear.T + matrix[:3, 3]
    volume = float(np.linalg.det(linear))
    faces = part.faces[:, ::-1] if volume < 0 else part.faces
    normals = None
    if part.normals is not None and abs(volume) > 1e-30:
        normals = part.normals.astype(np.float64) @ np.linalg.inv(linear)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return replace(part, vertices=vertices, faces=faces, normals=normals)
