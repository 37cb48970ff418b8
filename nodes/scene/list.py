"""What is in a scene."""

from __future__ import annotations

import numpy as np

from app.engine import Report, Scene, node
from app.engine.placing import worlds

MOST_ROWS = 500


@node("scene.list", title="Scene list")
def listed(scene: Scene) -> Report:
    """Every object under its parent: its number for Pick from scene, triangles, materials and place in metres."""
    found, depth, number = worlds(scene), np.zeros(len(scene.names), int), 0
    rows: list[tuple[str, str | int | float | bool]] = []
    for k, (name, row) in enumerate(zip(scene.names, scene.parts, strict=True)):
        depth[k] = depth[scene.parents[k]] + 1 if scene.parents[k] >= 0 else 0
        number += bool(row)
        title = f"{'    ' * int(depth[k])}{name}" + (f"  ({number})" if row else "")
        if k < MOST_ROWS:
            rows.append((title, _words(scene, k, found[k])))
    triangles = sum(len(scene.meshes[m].faces) for row in scene.parts for m in row)
    materials = len({id(mesh.material) for mesh in scene.meshes})
    words = (
        f"{len(scene.names):,} objects, {len(scene.meshes):,} meshes, {materials:,} materials, {triangles:,} triangles"
    )
    return Report(
        scene.name,
        tuple(rows),
        f"{words}." + (f" The first {MOST_ROWS} are listed." if len(rows) < len(scene.names) else ""),
    )


def _words(scene: Scene, k: int, matrix: np.ndarray) -> str:
    x, y, z = matrix[:3, 3] + 0.0
    at = f"at {x:.4g}, {y:.4g}, {z:.4g} m"
    meshes = [scene.meshes[m] for m in scene.parts[k]]
    if not meshes:
        return f"empty, {at}"
    materials = ", ".join(dict.fromkeys(mesh.material.name if mesh.material else "no material" for mesh in meshes))
    shared = sum(row == scene.parts[k] for row in scene.parts)
    instance = f", one of {shared} instances" if shared > 1 else ""
    return f"{sum(len(mesh.faces) for mesh in meshes):,} triangles, {materials}, {at}{instance}"
