"""Which side of an open part is seen from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._holes import turned
from nodes.mesh._mending import Sheet, part_of
from nodes.mesh._topology import edges_of, face_vectors

Array = NDArray[Any]
PLACES = 256
RAYS = 64
CLEARLY = 0.02


def seen_outward(sheet: Sheet) -> tuple[Sheet, int]:
    """(sheet, parts turned): open parts whose back sees more of the open than their front.

    From up to 256 faces of a part, evenly by area, 64 rays leave on either side; the side from which more of them get
    away is the front (Takayama et al. 2014). Differences under 2 % decide nothing.
    """
    count, part = part_of(sheet)
    edges = edges_of(sheet.faces)
    is_open = np.bincount(part, edges.at(edges.boundary), minlength=count) > 0
    turn = np.zeros(count, bool)
    if not is_open.any():
        return sheet, 0
    scene = _scene(sheet)
    vector = face_vectors(sheet.points, sheet.faces)
    for number in np.flatnonzero(is_open).tolist():
        front, back = _openness(scene, sheet, vector, _even(np.flatnonzero(part == number), vector))
        turn[number] = back > front + CLEARLY
    return turned(sheet, turn[part]), int(turn.sum())


def _even(faces: Array, vector: Array) -> Array:
    upto = np.cumsum(np.linalg.norm(vector[faces], axis=1))
    count = min(PLACES, len(faces))
    at = np.searchsorted(upto, (np.arange(count) + 0.5) / count * upto[-1])
    return np.unique(faces[np.minimum(at, len(faces) - 1)])


def _scene(sheet: Sheet) -> Any:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, sheet.points.astype(np.float32), sheet.faces)
    return scene


def _openness(scene: Any, sheet: Sheet, vector: Array, faces: Array) -> tuple[float, float]:
    """Share of the rays that meet nothing, from the front and from the back."""
    k = np.arange(RAYS) + 0.5
    up, turn = 1 - 2 * k / RAYS, k * np.pi * (3 - np.sqrt(5))
    level = np.sqrt(1 - up**2)
    every = np.stack([level * np.cos(turn), level * np.sin(turn), up], axis=1)
    normal = vector[faces] / np.maximum(np.linalg.norm(vector[faces], axis=1, keepdims=True), 1e-300)
    lift = normal * (1e-5 * sheet.extent)
    centre = sheet.points[sheet.faces[faces]].mean(axis=1)
    side = np.sign(normal @ every.T)
    side[side == 0] = 1
    share = []
    for way in (1.0, -1.0):
        direction = (every[None] * (way * side)[..., None]).reshape(-1, 3).astype(np.float32)
        origin = np.repeat(centre + way * lift, RAYS, axis=0).astype(np.float32)
        share.append(float((scene.run(origin, direction, query="OCCLUDED") < 0).mean()))
    return share[0], share[1]
