"""Turn, scale and move a mesh, each vertex by the same arithmetic, so that equal positions stay equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh

Array = NDArray[Any]


@dataclass(frozen=True)
class Motion:
    """x becomes ``scale`` * ``turn`` @ x + ``move``. ``turn``: (3, 3) rotation. ``move``: (3,) metres."""

    turn: Array
    move: Array
    scale: float = 1.0

    @classmethod
    def about(cls, turn: Array, centre: Array) -> Motion:
        """A turn that leaves ``centre`` where it is."""
        return cls(turn, centre - turn @ centre)

    def of(self, points: Array) -> Array:
        """(N, 3) float64."""
        return turned(points, self.scale * self.turn) + self.move

    def then(self, later: Motion) -> Motion:
        turn, scale = later.turn @ self.turn, later.scale * self.scale
        return Motion(turn, later.scale * later.turn @ self.move + later.move, scale)

    @property
    def back(self) -> Motion:
        return Motion(self.turn.T, -self.turn.T @ self.move / self.scale, 1 / self.scale)

    @property
    def degrees(self) -> float:
        """How far it turns, 0 to 180."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.turn) - 1) / 2, -1, 1))))

    @property
    def matrix(self) -> Array:
        """(4, 4), for column vectors."""
        out = np.eye(4)
        out[:3, :3], out[:3, 3] = self.scale * self.turn, self.move
        return out

    def rows(self) -> list[tuple[str, str]]:
        """The matrix for a report, four numbers a row."""
        words = (" ".join(f"{value:.9g}" for value in row + 0.0) for row in self.matrix)
        return [(f"matrix row {k}", text) for k, text in enumerate(words, start=1)]


STAY = Motion(np.eye(3), np.zeros(3))


def turned(points: Array, turn: Array) -> Array:
    """(N, 3) float64 ``turn`` @ x, column by column: a matrix product may round equal rows differently."""
    x, y, z = points.astype(np.float64).T
    return np.stack([turn[k, 0] * x + turn[k, 1] * y + turn[k, 2] * z for k in range(3)], axis=1)


def moved(mesh: Mesh, by: Motion) -> Mesh:
    """The mesh itself where nothing would change."""
    if by.scale == 1 and not by.move.any() and np.array_equal(by.turn, np.eye(3)):
        return mesh
    normals = None
    if mesh.normals is not None:
        way = turned(mesh.normals, by.turn)
        normals = (way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return replace(mesh, vertices=by.of(mesh.vertices).astype(np.float32), normals=normals)


def least_turn(start: Array, end: Array) -> Array:
    """(3, 3) the least rotation that takes the unit vector ``start`` to ``end``."""
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-12:
        across = np.cross(start, np.eye(3)[int(np.abs(start).argmin())])
        across /= np.linalg.norm(across)
        return np.asarray(2 * np.outer(across, across) - np.eye(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))
