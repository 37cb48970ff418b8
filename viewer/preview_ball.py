"""The ball on which a material is shown."""

from __future__ import annotations

import numpy as np

from app.engine.payloads import Material, Mesh


def preview_ball(material: Material, rings: int = 48, sectors: int = 96) -> Mesh:
    """A UV sphere one metre across, standing on the ground; the map repeats twice around it."""
    v, u = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, rings + 1), np.linspace(0, 1, sectors + 1), indexing="ij"))
    polar, turn = np.pi * v, 2 * np.pi * u
    normals = np.stack([np.sin(polar) * np.sin(turn), -np.cos(polar), np.sin(polar) * np.cos(turn)], axis=1)
    normals = np.round(normals, 7)  # both sides of the seam, and all points of a pole, come out equal
    corner = (np.arange(rings)[:, None] * (sectors + 1) + np.arange(sectors)).ravel()
    right, up = corner + 1, corner + sectors + 1
    faces = np.concatenate([np.stack([corner, right, up + 1], 1), np.stack([corner, up + 1, up], 1)])
    solid = faces[_has_area(normals, faces)]
    return Mesh.of(
        normals * 0.5 + [0, 0.5, 0],
        solid,
        normals=normals.astype(np.float32),
        uv=np.stack([2 * u, v], axis=1).astype(np.float32),
        material=material,
        name="ball",
    )


def _has_area(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (points[faces[:, i]] for i in range(3))
    kept: np.ndarray = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-9
    return kept
