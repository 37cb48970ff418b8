"""Where a body that is built up in layers hangs in the air, stands on the bed, or is too thin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._topology import face_vectors

Array = NDArray[Any]
SLACK = 1e-3


@dataclass(frozen=True)
class Faces:
    """(M,) each. ``area``: m². ``hang``: degrees by which a face hangs over from upright: 90 looks straight down, 0
    is a wall, below 0 it looks up. ``bed``: lies on the bed. ``wall``: metres to the other side, infinite where there
    is none. ``drop``: metres from its middle down to the bed."""

    area: Array
    hang: Array
    bed: Array
    wall: Array
    drop: Array


def faces_of(mesh: Mesh, layer: float, told: Callable[[float], None]) -> Faces:
    """``layer``: metres; what lies wholly within half a layer of the lowest point and looks down lies on the bed."""
    from nodes.mesh._bvh import build
    from nodes.mesh._walls import thickness

    cross = face_vectors(mesh.vertices, mesh.faces).astype(np.float64)
    length = np.linalg.norm(cross, axis=1)
    down = -cross[:, 1] / np.maximum(length, 1e-300)
    height = mesh.vertices[mesh.faces][:, :, 1].astype(np.float64)
    low = float(height.min())
    bed = (height.max(axis=1) <= low + layer / 2) & (down > 0.5)
    middle = (mesh.bounds[0] + mesh.bounds[1]) / 2
    wall = thickness(build(mesh.vertices - middle, mesh.faces), told)
    hang = np.where(length > 0, np.degrees(np.arcsin(np.clip(down, -1, 1))), -90.0)
    return Faces(length / 2, hang, bed, wall, height.mean(axis=1) - low)


def hanging(faces: Faces, degrees: float) -> Array:
    """(M,) bool: hangs over by more than ``degrees`` and does not lie on the bed."""
    return np.asarray((faces.hang > degrees + SLACK) & ~faces.bed)


def support(faces: Faces, marked: Array) -> float:
    """m³ between the marked faces and the bed, straight down, whatever of the mesh lies between."""
    level = faces.area * np.sin(np.radians(faces.hang))
    return float((level * faces.drop)[marked].sum())
