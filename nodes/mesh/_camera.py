"""Pinhole cameras: where one stands, what it sees, and back from pixels to points.

World: right-handed, +Y up, metres. Camera: +X to the right, +Y up, looking along -Z (OpenGL). Pixels: origin at the
top left corner of the picture, y down; the centre of the first pixel lies at (0.5, 0.5).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh

Array = NDArray[Any]
Size = tuple[int, int]
Point = tuple[float, float, float]


class Camera(NamedTuple):
    """``pose``: (4, 4) float64, camera to world. ``intrinsics``: (3, 3) float64, in pixels."""

    pose: Array
    intrinsics: Array


def camera(
    azimuth: float, elevation: float, distance: float, fov: float, size: Size, aim: Point | Array = (0.0, 0.0, 0.0)
) -> Camera:
    """A camera ``distance`` metres from ``aim``, turned by degrees.

    ``azimuth`` 0 stands in front (on +Z), 90 on the right (+X); ``elevation`` 90 looks straight down, and then the top
    of the picture is what lay behind. ``fov``: degrees from the lower to the upper border. ``size``: (width, height).
    """
    turn, rise = np.radians(azimuth), np.radians(elevation)
    away = np.array([np.cos(rise) * np.sin(turn), np.sin(rise), np.cos(rise) * np.cos(turn)])
    right = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(away, right), away
    pose[:3, 3] = np.asarray(aim, np.float64) + distance * away
    return Camera(pose, intrinsics_of(fov, size))


def intrinsics_of(fov: float, size: Size) -> Array:
    """(3, 3) float64 of a camera with square pixels that looks through the middle of the picture."""
    width, height = size
    focal = height / 2 / np.tan(np.radians(fov) / 2)
    return np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])


def middle(mesh: Mesh) -> Array:
    """(3,) float64: the middle of the box around a mesh."""
    low, high = mesh.bounds
    return (low.astype(np.float64) + high) / 2


def reach(mesh: Mesh) -> float:
    """Metres from :func:`middle` to the farthest vertex."""
    return float(np.sqrt(np.square(mesh.vertices - middle(mesh)).sum(axis=1).max(initial=0.0)))


def fitting_distance(radius: float, fov: float, size: Size, room: float = 0.05) -> float:
    """Metres at which a ball of ``radius`` fills the picture but for ``room`` (share of the shorter side)."""
    narrow = np.arctan(np.tan(np.radians(fov) / 2) * min(1.0, size[0] / size[1]) * (1 - room))
    return max(radius, 1e-6) / float(np.sin(narrow))


def orbit(mesh: Mesh, count: int, elevation: float, fov: float, size: Size) -> tuple[Camera, ...]:
    """``count`` cameras around a mesh at even steps from the front to the right, all at the distance that fits it."""
    distance = fitting_distance(reach(mesh), fov, size)
    aim = middle(mesh)
    return tuple(camera(360 * k / count, elevation, distance, fov, size, aim) for k in range(count))


def unproject(metres: Array, intrinsics: Array) -> Array:
    """(H, W, 3) float64 points in camera axes of a depth map (H, W) in metres along the view axis; NaN stays NaN."""
    if not (intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0):
        raise BadInput("The depth map has no valid camera.", "Mend the step that made it.")
    height, width = metres.shape
    x = (np.arange(width) + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0]
    y = (np.arange(height) + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1]
    z = np.asarray(metres, np.float64)
    return np.stack([x[None, :] * z, -y[:, None] * z, -z], axis=-1)
