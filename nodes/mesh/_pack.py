"""Stand charts up in their smallest boxes. ``corners``: (M, 3, 2) float64 in chart coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]
TURNS = 30
SQUARER = 0.01


@kernel
def _extent(corners: Array, faces: Array, turn: float, box: Array) -> None:
    c, s = math.cos(turn), math.sin(turn)
    box[0], box[1], box[2], box[3] = 1e300, -1e300, 1e300, -1e300
    for i in range(len(faces)):
        for k in range(3):
            x, y = corners[faces[i], k, 0], corners[faces[i], k, 1]
            across, up = c * x - s * y, s * x + c * y
            box[0], box[1] = min(box[0], across), max(box[1], across)
            box[2], box[3] = min(box[2], up), max(box[3], up)


@kernel
def _turn(corners: Array, faces: Array, turn: float, box: Array) -> None:
    _extent(corners, faces, turn, box)
    c, s = math.cos(turn), math.sin(turn)
    for i in range(len(faces)):
        for k in range(3):
            x, y = corners[faces[i], k, 0], corners[faces[i], k, 1]
            corners[faces[i], k, 0], corners[faces[i], k, 1] = c * x - s * y - box[0], s * x + c * y - box[2]


@kernel
def stand_up(corners: Array, order: Array, start: Array, size: Array) -> None:
    """Turn each chart to its smallest box, taller than wide, lower left at 0; ``size``: (C, 2) becomes the boxes."""
    box = np.empty(4)
    for chart in range(len(start) - 1):
        faces = order[start[chart] : start[chart + 1]]
        best, turn = 1e300, 0.0
        for i in range(TURNS):
            angle = i * math.pi / (2 * TURNS)
            _extent(corners, faces, angle, box)
            wide, tall = box[1] - box[0], box[3] - box[2]
            room = wide * tall + SQUARER * (wide * wide + tall * tall)
            if room < best:
                best, turn = room, angle
        _extent(corners, faces, turn, box)
        if box[1] - box[0] > box[3] - box[2]:
            turn += math.pi / 2
        _turn(corners, faces, turn, box)
        _extent(corners, faces, 0.0, box)
        size[chart, 0], size[chart, 1] = box[1], box[3]


def boxes(corners: Array, label: Array) -> Array:
    """(C,) m²: the area of each chart's smallest box over ``TURNS`` directions."""
    order, count = np.argsort(label, kind="stable"), int(label.max()) + 1
    start = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))])
    size = np.empty((count, 2))
    stand_up(corners.copy(), order, start, size)
    return np.asarray(size.prod(axis=1))
