"""Finding an object of a scene by its name or number."""

from __future__ import annotations

import difflib
from typing import Annotated

import numpy as np

from app.engine import BadInput, Scene, Setting, Slider

ObjectName = Annotated[
    str, Setting(label="Object", help="The name of the object; Scene list shows them. Empty: by number.")
]
ObjectNumber = Annotated[
    int, Slider(1, 10_000, log=True, label="Number", help="Which object with a mesh, from 1, where no name is given.")
]
MOST_NAMES = 12


def find(scene: Scene, name: str, number: int) -> int:
    """Which object is meant. Raises :class:`BadInput` with the names that are there."""
    shown = [k for k, row in enumerate(scene.parts) if row]
    if not shown:
        raise BadInput("The scene has no objects with a mesh.", "Check the node before this one.")
    if not name.strip():
        if number > len(shown):
            raise BadInput(f"There is no object {number}.", f"Choose 1 to {len(shown)}, or give a name.")
        return shown[number - 1]
    wanted = name.strip()
    exact = [k for k, given in enumerate(scene.names) if given == wanted]
    alike = exact or [k for k, given in enumerate(scene.names) if given.strip().casefold() == wanted.casefold()]
    if not alike:
        raise BadInput(f"There is no object called {wanted}.", advice(scene, wanted))
    return next((k for k in alike if scene.parts[k]), alike[0])


def advice(scene: Scene, wanted: str) -> str:
    """The names that are there, those like ``wanted`` first."""
    names = list(dict.fromkeys(name for name, row in zip(scene.names, scene.parts, strict=True) if row))
    near = difflib.get_close_matches(wanted, names, MOST_NAMES, 0.6) or names[:MOST_NAMES]
    more = f" and {len(names) - len(near)} more" if len(names) > len(near) else ""
    return f"There are: {', '.join(near)}{more}."


def below(scene: Scene, top: int) -> list[int]:
    """``top`` and all objects under it, in order."""
    inside = np.zeros(len(scene.names), bool)
    inside[top] = True
    for k in range(top + 1, len(inside)):
        inside[k] = scene.parents[k] >= 0 and inside[scene.parents[k]]
    return np.flatnonzero(inside).tolist()
