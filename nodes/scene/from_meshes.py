"""Several meshes as a scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine import Mesh, Scene, node


@node("scene.from_meshes", title="Meshes to scene")
def from_meshes(
    first: Mesh,
    second: Mesh | None = None,
    third: Mesh | None = None,
    fourth: Mesh | None = None,
    fifth: Mesh | None = None,
    sixth: Mesh | None = None,
    seventh: Mesh | None = None,
    eighth: Mesh | None = None,
    scene: Scene | None = None,
) -> Scene:
    """Put meshes together as objects of a scene, each with its own material and name, where it stands.

    With 'scene' the meshes are added to it; that way any number can be brought together. Two inputs that are the same
    mesh share it. Equal names get a number.
    """
    meshes = [m for m in (first, second, third, fourth, fifth, sixth, seventh, eighth) if m is not None]
    return extended(scene or Scene.of(name=first.name), meshes)


def extended(scene: Scene, meshes: list[Mesh]) -> Scene:
    """The scene with each mesh as a further object without a parent."""
    taken, names = set(scene.names), list(scene.names)
    own = list({id(mesh): mesh for mesh in meshes}.values())
    number = {id(mesh): len(scene.meshes) + k for k, mesh in enumerate(own)}
    for mesh in meshes:
        names.append(unused(mesh.name, taken))
        taken.add(names[-1])
    more = len(meshes)
    return replace(
        scene,
        meshes=(*scene.meshes, *own),
        names=tuple(names),
        parts=(*scene.parts, *((number[id(mesh)],) for mesh in meshes)),
        places=np.concatenate([scene.places, np.tile(np.eye(4, dtype=np.float32), (more, 1, 1))]),
        parents=np.concatenate([scene.parents, np.full(more, -1, np.int32)]),
        second_uvs=(*scene.second_uvs, *(None for _ in own)) if scene.second_uvs else (),
    )


def unused(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken."""
    if name not in taken:
        return name
    return next(word for k in range(2, len(taken) + 3) if (word := f"{name} {k}") not in taken)
