"""Voxel wrap as a way to repair: the new skin, with the colours of the old one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run
from nodes.mesh._mending import Sheet, sheet_of, without_crumbs
from nodes.mesh._topology import compacted

Array = NDArray[Any]


def rewrapped(run: Run, mesh: Mesh, sheet: Sheet, voxels: int, smallest: float) -> Mesh:
    """A closed mesh around what ``sheet`` encloses. Colours come from the nearest place; UVs and material go."""
    from nodes.mesh._iso import normals
    from nodes.mesh._wrap import wrap

    skin = wrap(sheet.points, sheet.faces, voxels, lambda done: run.progress(0.5 + 0.4 * done, "wrapping"))
    if skin is None:
        raise BadInput(
            "The mesh encloses nothing, so there is nothing to wrap: it is an open sheet, or thinner than a voxel.",
            "Raise 'wrap detail', or use the method 'mend'.",
        )
    run.progress(0.9, "colours")
    points, faces = skin
    new, _ = without_crumbs(sheet_of(points, faces), smallest)
    used, triangles = compacted(new.faces, len(new.points))
    at = new.points[used].astype(np.float32)
    lost = [name for name in ("uv", "material", "face_groups") if getattr(mesh, name) is not None]
    if lost:
        words = {"uv": "UVs", "material": "material", "face_groups": "parts"}
        run.warn(f"The new skin has none of the old {', '.join(words[n] for n in lost)}: unwrap and bake it anew.")
    return Mesh(at, triangles, normals(at, triangles), colours=_colours(mesh, at), name=mesh.name)


def _colours(mesh: Mesh, points: Array) -> Array | None:
    """(N, 4) float32 of the nearest point of the mesh."""
    from nodes.mesh._bvh import build, nearest

    if mesh.colours is None:
        return None
    sound = np.isfinite(mesh.vertices[mesh.faces]).all(axis=(1, 2))
    faces = mesh.faces[sound]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    face, at = nearest(build(np.where(np.isfinite(mesh.vertices), mesh.vertices, 0) - middle, faces), points - middle)
    u, v = at[:, 1:2], at[:, 2:3]
    a, b, c = (mesh.colours[faces[face, k]] for k in range(3))
    return np.asarray(a * (1 - u - v) + b * u + c * v).clip(0, 1).astype(np.float32)
