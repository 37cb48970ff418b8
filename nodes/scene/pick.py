"""One object of a scene as a mesh, to work on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np

from app.engine import Mesh, Run, Scene, Setting, node
from nodes.scene._objects import ObjectName, ObjectNumber, below, find
from nodes.scene.join import as_mesh

Where = Annotated[
    Literal["in the scene", "own axes"],
    Setting(help="in the scene: where it stands, at its real size. own axes: as it is without its place."),
]


@node("scene.pick", title="Pick from scene")
def pick(
    run: Run,
    scene: Scene,
    name: ObjectName = "",
    number: ObjectNumber = 1,
    with_children: Annotated[bool, Setting(help="Take all objects under it as well.")] = False,
    where: Where = "in the scene",
) -> Mesh:
    """Take one object out of a scene, as a mesh with one material.

    Work on it with any mesh node, then put it back with Replace in scene. Several materials of one object are put on
    one texture sheet. An empty gives what is under it when 'With children' is on.
    """
    run.progress(0.0, "moving into place")
    k = find(scene, name, number)
    chosen = below(scene, k) if with_children else [k]
    if where == "own axes":
        places = scene.places.copy()
        top = k
        while top >= 0:
            places[top] = np.eye(4)
            top = int(scene.parents[top])
        scene = replace(scene, places=places)
    return as_mesh(scene, chosen, scene.names[k], run.warn)
