"""What the tests of solid modelling ask of a result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine import Image, Material, Mesh, Run
from nodes.mesh._measure import Shape, measure
from nodes.mesh.primitives import box
from nodes.mesh.transform import transform


def at(mesh: Mesh, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
    """Moved, attributes and all."""
    return transform(Run(), mesh, move_x=x, move_y=y, move_z=z)


def closed(mesh: Mesh) -> Shape:
    """Its measures; it is closed, manifold and wound alike, and looks outward."""
    shape = measure(mesh)
    assert shape.watertight and shape.manifold and shape.volume > 0
    return shape


def picture(seed: int, size: int = 64) -> Image:
    return Image.of(np.random.default_rng(seed).random((size, size, 3)))


def textured(mesh: Mesh, seed: int, size: int = 64) -> Mesh:
    return replace(mesh, material=Material(f"m{seed}", base_colour=picture(seed, size)))


def colours_at(mesh: Mesh, face: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """(K, 3) texture colours, linear between texels, at barycentric ``corner`` (K, 3) of faces ``face``."""
    assert mesh.uv is not None and mesh.material is not None and mesh.material.base_colour is not None
    pixels = mesh.material.base_colour.rgb.astype(np.float64)
    uv = np.einsum("ij,ijk->ik", corner, mesh.uv[mesh.faces[face]].astype(np.float64))
    height, width = pixels.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    s, t = (x - column)[:, None], (y - row)[:, None]

    def texel(i: int, j: int) -> np.ndarray:
        return pixels[(row + j) % height, (column + i) % width]

    return (texel(0, 0) * (1 - s) + texel(1, 0) * s) * (1 - t) + (texel(0, 1) * (1 - s) + texel(1, 1) * s) * t


def spread(mesh: Mesh, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(faces, barycentric corners, points), ``count`` of them, on the given faces."""
    rng = np.random.default_rng(5)
    face = rng.choice(faces, count)
    corner = rng.dirichlet((1, 1, 1), count)
    return face, corner, np.einsum("ij,ijk->ik", corner, mesh.vertices[mesh.faces[face]].astype(np.float64))


def rows(mesh: Mesh, *names: str) -> set[bytes]:
    """Faces as bytes: positions and the named attributes of their corners, begun at the least corner."""
    table = np.concatenate([mesh.vertices, *(getattr(mesh, name) for name in names)], axis=1)[mesh.faces] + np.float32(
        0
    )
    out = set()
    for one in table:
        corners = [row.tobytes() for row in one]
        first = corners.index(min(corners))
        out.add(b"".join(corners[first:] + corners[:first]))
    return out


def cross() -> Mesh:
    """Two bars through one another, as two bodies in one mesh: volume 3 + 3 - 1."""
    one, other = box(3.0, 1.0, 1.0, 2), box(1.0, 1.0, 3.0, 2)
    return Mesh.of(
        np.concatenate([one.vertices, other.vertices]), np.concatenate([one.faces, other.faces + len(one.vertices)])
    )
