"""Pictures of a body on its way to the floor, by the software camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mesh
from nodes.mesh._camera import camera, fitting_distance, reach
from nodes.mesh._render import render, subject
from nodes.physics._drop import Fall

Array = NDArray[Any]
FOV, AZIMUTH, ELEVATION = 30.0, 25.0, 12.0
SKY, GROUND = np.array([0.93, 0.94, 0.96]), np.array([0.71, 0.73, 0.76])


def film(
    mesh: Mesh, centre: Array, fall: Fall, frames: int, size: int, told: Callable[[float], None]
) -> tuple[Image, ...]:
    """``frames`` square pictures at even times from letting go to rest; the floor reaches to the horizon.

    The mesh stays and the camera moves around it instead, so it is made ready only once; light stands with the camera.
    """
    ready, sides = subject(mesh), (size, size)
    until = fall.times[-1] if fall.settled is None else fall.settled
    which = [int(np.abs(fall.times - t).argmin()) for t in np.linspace(0, until, frames)]
    places = fall.places[which]
    low, high = places.min(axis=0), places.max(axis=0)
    around = reach(mesh) * 1.05
    aim, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2 + around
    lens = camera(AZIMUTH, ELEVATION, fitting_distance(radius, FOV, sides), FOV, sides, aim)
    ground = _backdrop(lens.pose, lens.intrinsics, size)
    pictures = []
    for number, k in enumerate(which):
        told(number / frames)
        pose = np.eye(4)
        pose[:3, :3] = fall.turns[k].T @ lens.pose[:3, :3]
        pose[:3, 3] = fall.turns[k].T @ (lens.pose[:3, 3] - fall.places[k]) + centre
        seen = render(ready, pose, lens.intrinsics, sides, "soft", 2)
        alpha = seen.alpha[..., None]
        pictures.append(Image.of(seen.colour * alpha + ground * (1 - alpha)))
    return tuple(pictures)


def _backdrop(pose: Array, intrinsics: Array, size: int) -> Array:
    """(size, size, 3): the floor at height 0, which fades with distance, and the sky above it."""
    rows = np.arange(size) + 0.5
    x, y = (rows - intrinsics[0, 2]) / intrinsics[0, 0], (rows - intrinsics[1, 2]) / intrinsics[1, 1]
    ray = np.stack(np.broadcast_arrays(x[None, :], -y[:, None], -1.0), axis=-1) @ pose[:3, :3].T
    falls = -ray[..., 1] / np.linalg.norm(ray, axis=-1)
    share = np.clip(falls * 4, 0, 1)[..., None]
    return np.asarray(SKY * (1 - share) + GROUND * share)
