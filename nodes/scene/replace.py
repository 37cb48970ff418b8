"""A mesh put into a scene in place of an object."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run, Scene, Setting, node
from app.engine.placing import moved, worlds
from nodes.scene._objects import ObjectName, ObjectNumber, below, find
from nodes.scene.pick import Where

SMALLEST = 1e-12


@node("scene.replace", title="Replace in scene")
def replace_in(
    run: Run,
    scene: Scene,
    mesh: Mesh,
    name: ObjectName = "",
    number: ObjectNumber = 1,
    with_children: Annotated[
        bool, Setting(help="The mesh stands for all objects under it as well, as Pick from scene gave it.")
    ] = False,
    where: Where = "in the scene",
    instances: Annotated[
        bool, Setting(help="Objects that show the same mesh change with it. Off: this one alone.")
    ] = True,
) -> Scene:
    """Put a mesh into a scene where an object was; name, place and parent stay.

    Use the same object and settings as in Pick from scene, and the edited mesh comes back exactly where it was.
    """
    run.progress(0.0, "moving into place")
    k = find(scene, name, number)
    matrix = worlds(scene)[k]
    if where == "in the scene":
        mesh = moved(mesh, inverse(matrix, scene.names[k]))
    before = scene.parts[k]
    alike = {j for j, row in enumerate(scene.parts) if instances and row == before and row} | {k}
    gone = set(below(scene, k)) - {k} if with_children else set()
    fresh = len(scene.meshes)
    parts = tuple((fresh,) if j in alike else () if j in gone else row for j, row in enumerate(scene.parts))
    changed = replace(
        scene,
        meshes=(*scene.meshes, replace(mesh, name=scene.names[k])),
        parts=parts,
        second_uvs=(*scene.second_uvs, None) if scene.second_uvs else (),
    )
    return tidy(changed)


def inverse(matrix: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """World to object. Raises :class:`BadInput` where the object is flattened."""
    if abs(np.linalg.det(matrix[:3, :3])) < SMALLEST**3 or not np.isfinite(matrix).all():
        raise BadInput(f"{name} is scaled to nothing, so nothing can be put back.", "Set 'Where' to own axes.")
    return np.asarray(np.linalg.inv(matrix))


def tidy(scene: Scene) -> Scene:
    """Without meshes that no object shows."""
    used = sorted({m for row in scene.parts for m in row})
    place_of = {m: k for k, m in enumerate(used)}
    return replace(
        scene,
        meshes=tuple(scene.meshes[m] for m in used),
        parts=tuple(tuple(place_of[m] for m in row) for row in scene.parts),
        second_uvs=tuple(scene.second_uvs[m] for m in used) if scene.second_uvs else (),
    )
