"""Several scenes as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine import Scene, node
from nodes.scene.from_meshes import unused


@node("scene.merge", title="Merge scenes")
def merge(first: Scene, second: Scene, third: Scene | None = None, fourth: Scene | None = None) -> Scene:
    """Bring the objects of several scenes together, each where it stands and under its own parents.

    Names that come twice get a number. For more than four, link one after another.
    """
    out = first
    for scene in (second, third, fourth):
        out = out if scene is None else both(out, scene)
    return out


def both(one: Scene, other: Scene) -> Scene:
    """The objects of ``one``, then those of ``other``."""
    taken, names = set(one.names), list(one.names)
    for name in other.names:
        names.append(unused(name, taken))
        taken.add(names[-1])
    meshes, objects = len(one.meshes), len(one.names)
    seconds = (*_seconds(one), *_seconds(other)) if one.second_uvs or other.second_uvs else ()
    return replace(
        one,
        meshes=(*one.meshes, *other.meshes),
        names=tuple(names),
        parts=(*one.parts, *(tuple(m + meshes for m in row) for row in other.parts)),
        places=np.concatenate([one.places, other.places]),
        parents=np.concatenate([one.parents, np.where(other.parents < 0, -1, other.parents + objects)]).astype(
            np.int32
        ),
        second_uvs=seconds,
    )


def _seconds(scene: Scene) -> tuple[np.ndarray | None, ...]:
    return scene.second_uvs or (None,) * len(scene.meshes)
