"""A scene with some of its objects."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Multiline, Run, Scene, Setting, node
from app.engine.placing import worlds
from nodes.scene._objects import advice
from nodes.scene.replace import tidy


@node("scene.select", title="Select objects")
def select(
    run: Run,
    scene: Scene,
    names: Annotated[str, Multiline(help="Names, one a line. * stands for anything: wheel*")] = "*",
    do: Annotated[Literal["keep", "remove"], Setting(help="Keep what is named, or remove it.")] = "keep",
    with_children: Annotated[bool, Setting(help="What is under a named object goes with it.")] = True,
) -> Scene:
    """Keep or remove objects of a scene by their names.

    What stays does not move: the parents of kept objects stay too, as empties, and the children of removed ones go to
    the next parent up.
    """
    run.progress(0.0, "names")
    named = _named(scene, [line.strip() for line in names.splitlines() if line.strip()], with_children)
    if do == "keep":
        return tidy(_kept(scene, named))
    return tidy(_without(scene, named))


def _named(scene: Scene, patterns: list[str], with_children: bool) -> np.ndarray:
    """(K,) which objects are meant. Raises :class:`BadInput` for a pattern that fits none."""
    found = np.zeros(len(scene.names), bool)
    for pattern in patterns:
        fits = [fnmatchcase(name.casefold(), pattern.casefold()) for name in scene.names]
        if not any(fits) and scene.names:
            raise BadInput(f"There is no object called {pattern}.", advice(scene, pattern))
        found |= np.array(fits, bool)
    if with_children:
        for k, up in enumerate(scene.parents.tolist()):
            found[k] |= up >= 0 and found[up]
    return found


def _kept(scene: Scene, named: np.ndarray) -> Scene:
    """Named objects, and those above them as empties."""
    stays = named.copy()
    for k in range(len(stays) - 1, -1, -1):
        if stays[k] and scene.parents[k] >= 0:
            stays[scene.parents[k]] = True
    parts = tuple(row if named[k] else () for k, row in enumerate(scene.parts))
    return _only(replace(scene, parts=parts), stays)


def _without(scene: Scene, named: np.ndarray) -> Scene:
    """Children of what goes hang on the next object above that stays, where they were in the world."""
    parents, places, world = scene.parents.copy(), scene.places.copy(), worlds(scene)
    for k in np.flatnonzero(~named):
        up = int(parents[k])
        if up < 0 or not named[up]:
            continue
        while up >= 0 and named[up]:
            up = int(parents[up])
        parents[k] = up
        places[k] = world[k] if up < 0 else np.linalg.pinv(world[up]) @ world[k]
    return _only(replace(scene, parents=parents, places=places), ~named)


def _only(scene: Scene, stays: np.ndarray) -> Scene:
    """The marked objects; none of them has a parent that goes."""
    number = np.cumsum(stays) - 1
    chosen = np.flatnonzero(stays)
    up = scene.parents[chosen]
    return replace(
        scene,
        names=tuple(scene.names[k] for k in chosen),
        parts=tuple(scene.parts[k] for k in chosen),
        places=scene.places[chosen],
        parents=np.where(up < 0, -1, number[up]).astype(np.int32),
    )
