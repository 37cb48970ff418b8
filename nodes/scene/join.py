"""A scene, or an object of it, as one mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.engine import BadInput, Mesh, Run, Scene, node
from app.engine.placing import moved, worlds
from nodes.io._parts import Part, Warn, joined
from nodes.io._settled import on_one_set


@node("scene.join", title="Join scene", version=2)
def join(run: Run, scene: Scene) -> Mesh:
    """All objects where they stand as one mesh; each is a part of it.

    Several materials are put on one texture sheet where they fit, as Load mesh does. Instances become copies.
    """
    run.progress(0.0, "moving into place")
    return as_mesh(scene, range(len(scene.names)), scene.name, run.warn)


def as_mesh(scene: Scene, chosen: Sequence[int], name: str, warn: Warn) -> Mesh:
    """The chosen objects where they stand; face groups are their order. Raises :class:`BadInput` without faces."""
    found, parts, groups = worlds(scene), [], []
    for order, k in enumerate(chosen):
        for m in scene.parts[k]:
            mesh = moved(scene.meshes[m], found[k])
            if len(mesh.faces):
                second = scene.second_uvs[m] if scene.second_uvs else None
                parts.append(Part(mesh.vertices, mesh.faces, mesh.normals, mesh.uv, mesh.colours, mesh.material,
                                  second_uv=second))  # fmt: skip
                groups.append(np.full(len(mesh.faces), order, np.int32))
    if not parts:
        raise BadInput("There are no faces in it.", "Choose an object with a mesh.")
    mesh = joined(on_one_set(parts, warn), name, warn)
    several = len({int(group[0]) for group in groups}) > 1
    return replace(mesh, face_groups=np.concatenate(groups) if several or len(parts) > 1 else None)
