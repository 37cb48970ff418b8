"""What a scene file holds: parts, and the objects in a hierarchy that show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nodes.io._parts import Array, Part

IDENTITY = np.eye(4)


@dataclass(frozen=True, eq=False)
class Assembly:
    """Of each object, parents before children: ``names``; ``shows``, the numbers of its parts; ``places``, (4, 4)
    float64 object to parent; ``parents``, -1 for none."""

    parts: list[Part] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    shows: list[tuple[int, ...]] = field(default_factory=list)
    places: list[Array] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)

    def add(self, name: str, shows: tuple[int, ...] = (), place: Array = IDENTITY, parent: int = -1) -> int:
        """A further object; its number."""
        self.names.append(name)
        self.shows.append(shows)
        self.places.append(place)
        self.parents.append(parent)
        return len(self.names) - 1

    def worlds(self) -> list[Array]:
        """(4, 4) object to world of each object."""
        found: list[Array] = []
        for place, parent in zip(self.places, self.parents, strict=True):
            found.append(place if parent < 0 else found[parent] @ place)
        return found

    def flat(self) -> Iterator[Part]:
        """Every part of every object where it stands in the world."""
        for row, matrix in zip(self.shows, self.worlds(), strict=True):
            for number in row:
                yield moved(self.parts[number], matrix)


def apart(parts: Sequence[Part], name: str) -> Assembly:
    """Each part an object of its own."""
    found = Assembly(list(parts))
    for number, part in enumerate(parts):
        found.add(part.name or (name if len(parts) == 1 else f"{name} {number + 1}"), (number,))
    return found


def moved(part: Part, matrix: Array) -> Part:
    """A part with a (4, 4) affine matrix applied; mirrored faces are turned round, so that they face outwards."""
    if np.array_equal(matrix, IDENTITY):
        return part
    linear = matrix[:3, :3]
    vertices = part.vertices.astype(np.float64) @ linear.T + matrix[:3, 3]
    volume = float(np.linalg.det(linear))
    faces = part.faces[:, ::-1] if volume < 0 else part.faces
    if part.normals is None or abs(volume) < 1e-30:
        return replace(part, vertices=vertices, faces=faces, normals=None)
    turned = part.normals.astype(np.float64) @ np.linalg.inv(linear)
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-30)
    return replace(part, vertices=vertices, faces=faces, normals=turned)
