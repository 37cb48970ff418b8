"""From a scene to a mesh that stands on the floor and faces +Z, and to pictures of it from around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Material, Mesh, Views
from nodes.image_to_3d._triposr.scene import Scene
from nodes.mesh._shading import smooth_normals

Float32 = NDArray[np.float32]
Told = Callable[[float], None]
Search = Literal["near", "careful", "everywhere"]
TO_WORLD, TO_FIELD = [1, 2, 0], [2, 0, 1]


@dataclass(frozen=True)
class Frame:
    """Field space (x to the front camera, y to its right, z up) to the world (+Y up, facing +Z) and back."""

    scale: float
    offset: NDArray[np.float64]

    @classmethod
    def of(cls, points: Float32, height: float) -> Frame:
        """The object on the floor, in the middle, ``height`` metres high."""
        turned = points[:, TO_WORLD].astype(np.float64)
        low, high = turned.min(axis=0), turned.max(axis=0)
        middle = (low + high) / 2
        return cls(height / max(float(high[1] - low[1]), 1e-6), -np.array([middle[0], low[1], middle[2]]))

    def world(self, points: NDArray[Any]) -> Float32:
        return np.asarray((points[:, TO_WORLD] + self.offset) * self.scale, np.float32)

    def field(self, points: NDArray[Any]) -> Float32:
        return np.asarray((points / self.scale - self.offset)[:, TO_FIELD], np.float32)

    def poses(self, poses: Float32) -> Float32:
        """(V, 4, 4) camera poses in the world."""
        turned = poses.copy()
        turned[:, :3, :3] = poses[:, TO_WORLD, :3]
        turned[:, :3, 3] = self.world(poses[:, :3, 3])
        return turned


@dataclass(frozen=True)
class Shape:
    """A surface in field space. ``points``: (V, 3). ``faces``: (M, 3). ``asked``: points that it took to find it."""

    points: Float32
    faces: NDArray[np.int32]
    asked: int


def shape_of(scene: Scene, grid: int, threshold: float, search: Search, told: Told) -> Shape:
    """The surface where density is ``threshold``. Raises :class:`BadInput` where there is none."""
    import torch

    from nodes.image_to_3d._triposr import surface

    coarse = {"near": surface.COARSE, "careful": 2 * surface.COARSE, "everywhere": grid}[search]
    level = scene.level(threshold)
    space = surface.Space(level, scene.radius, grid, scene.chunk, scene.workplace, told, coarse)
    with torch.inference_mode():
        found = surface.near(space)
    if not len(found.faces):
        raise BadInput(
            f"Nothing in the scene is denser than {threshold:g}.", "Lower the threshold, or use a clearer cut-out."
        )
    return Shape(found.points.cpu().numpy(), found.faces.cpu().numpy().astype(np.int32), found.asked)


def mesh_of(scene: Scene, shape: Shape, frame: Frame, told: Told) -> Mesh:
    """A mesh with smooth normals and vertex colours."""
    rgb = scene.colours(shape.points, told)
    colours = np.concatenate([rgb, np.ones((len(rgb), 1), np.float32)], axis=1)
    vertices = frame.world(shape.points)
    normals = smooth_normals(vertices, shape.faces)
    material = Material(name="triposr", roughness_factor=0.7)
    return Mesh.of(vertices, shape.faces, normals=normals, colours=colours, material=material, name="triposr")


def sketch(scene: Scene, threshold: float, height: float, check: Callable[[], None]) -> Mesh | None:
    """A rough mesh to show while the fine one is made."""
    try:
        shape = shape_of(scene, 40, threshold, "everywhere", lambda _: check())
    except BadInput:
        return None
    return mesh_of(scene, shape, Frame.of(shape.points, height), lambda _: check())


def views_of(scene: Scene, frame: Frame, count: int, size: int, told: Told) -> Views:
    """``count`` pictures from around with transparent ground, cameras in the mesh's own space."""
    import torch

    from nodes.image_to_3d._triposr import render

    around = render.cameras(count, size)
    pictures = []
    for view in range(count):
        origins, directions = (part.reshape(-1, 3) for part in around.rays(view))
        samples = scene.network.config.samples
        with torch.inference_mode():
            rgb, opacity = render.gather(
                scene.shade, origins, directions, scene.radius, samples, scene.chunk, partial(_share, told, view, count)
            )
        pictures.append(_picture(rgb.numpy(), opacity.numpy(), size))
    lens = np.array([[around.focal, 0, size / 2], [0, around.focal, size / 2], [0, 0, 1]], np.float32)
    return Views(tuple(pictures), np.repeat(lens[None], count, axis=0), frame.poses(around.poses.numpy()))


def _share(told: Told, view: int, count: int, done: float) -> None:
    told((view + done) / count)


def _picture(weighted: Float32, opacity: Float32, size: int) -> Image:
    alpha = np.clip(opacity, 0, 1)[:, None]
    rgb = np.clip(weighted / np.maximum(alpha, 1e-6), 0, 1)
    return Image(np.ascontiguousarray(np.concatenate([rgb, alpha], axis=1).reshape(size, size, 4), np.float32))
