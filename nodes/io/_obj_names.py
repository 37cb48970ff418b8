"""Which material, object or group each line of an OBJ file falls under."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nodes.io._parts import Array

Others = Sequence[tuple[int, str]]


def libraries(others: Others) -> list[str]:
    """Names of material files."""
    return [rest.strip() for _, line in others for word, _, rest in [line.partition(" ")] if word == "mtllib"]


def under(others: Others, words: tuple[str, ...], lines: Array) -> tuple[list[str], Array]:
    """Names that lines beginning with one of ``words`` set, those in use, and which of them holds at each of ``lines``.

    ``others``: (line number, text) of lines that hold no numbers. Before the first such line the name is empty.
    """
    names: list[str] = [""]
    since, which = [0], [0]
    for number, line in others:
        word, _, rest = line.partition(" ")
        if word in words:
            name = rest.strip()
            if name not in names:
                names.append(name)
            since.append(number)
            which.append(names.index(name))
    owner = np.array(which)[np.searchsorted(since, lines, "right") - 1]
    used = np.unique(owner)
    return [names[index] for index in used.tolist()], np.searchsorted(used, owner)


def object_words(others: Others) -> tuple[str, ...]:
    """What parts the file into objects: ``o`` where it is used, else ``g``."""
    return ("o",) if any(line.startswith("o ") for _, line in others) else ("g",)
