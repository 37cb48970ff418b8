"""Pictures of a mesh from many sides on one sheet, and the quads that show them.

Cameras look at the middle of the mesh from so far away that lines of sight are parallel to better than 0.03 degrees.
A cell of the sheet shows a square of twice ``half`` metres, so that a ball around the mesh fits with a rim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mesh
from nodes.mesh._camera import camera, middle, reach
from nodes.mesh._render import Light, Rendered, render, subject

Array = NDArray[Any]
RIM_PX = 2
FAR = 2000.0
SEEN = 0.004


class View(NamedTuple):
    """Degrees, as :func:`nodes.mesh._camera.camera` has them."""

    azimuth: float
    elevation: float


@dataclass(frozen=True)
class Sheet:
    """``colour``, ``normal``, ``height``: (rows * size, columns * size, C) float32; cells from the top left, by rows.

    ``normal``: axes of the camera of its cell, 0..1. ``height``: 0.5 on the plane through the middle of the mesh, 1 at
    ``half`` metres in front of it. ``boxes``: (V, 4) left, right, bottom, top of what is seen, metres from the middle.
    """

    views: tuple[View, ...]
    columns: int
    rows: int
    size: int
    half: float
    middle: Array
    colour: Array
    normal: Array
    height: Array
    boxes: Array


def around(count: int, elevation: float) -> tuple[View, ...]:
    """Even steps from the front to the right."""
    return tuple(View(360 * k / count, elevation) for k in range(count))


def octahedral(side: int, upper: bool) -> tuple[View, ...]:
    """``side`` squared directions, row by row from the top left, on the corners of a grid over an octahedral map.

    The unit square is folded onto the sphere (Engelhardt and Dachsbacher 2008), or onto its upper half; x of the map
    runs to the right, its y to the front.
    """
    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    if upper:
        x, y = (x + y) / 2, (y - x) / 2
    up = 1 - np.abs(x) - np.abs(y)
    folded = up < 0
    fx = np.where(folded, (1 - np.abs(y)) * np.where(x < 0, -1, 1), x)
    fz = np.where(folded, (1 - np.abs(x)) * np.where(y < 0, -1, 1), y)
    azimuth, elevation = np.degrees(np.arctan2(fx, fz)), np.degrees(np.arctan2(up, np.hypot(fx, fz)))
    return tuple(View(float(a), float(e)) for a, e in zip(azimuth.ravel(), elevation.ravel(), strict=True))


def photograph(
    mesh: Mesh, views: Sequence[View], columns: int, size: int, light: Light, told: Callable[[float], None]
) -> Sheet:
    """One picture a view. Colours, normals and heights reach beyond the outline, so that small versions have no rim."""
    ready, aim = subject(mesh), middle(mesh)
    half = max(reach(mesh), 1e-6) * size / (size - 2 * RIM_PX)
    rows = -(-len(views) // columns)
    colour = np.zeros((rows * size, columns * size, 4), np.float32)
    normal, height = np.zeros((*colour.shape[:2], 3), np.float32), np.zeros((*colour.shape[:2], 1), np.float32)
    boxes = np.zeros((len(views), 4))
    away = FAR * half
    fov = float(np.degrees(2 * np.arctan2(half, away)))
    for k, view in enumerate(views):
        told(k / len(views))
        seen = render(ready, *camera(*view, away, fov, (size, size), aim), (size, size), light, finer=3)
        y, x = k // columns * size, k % columns * size
        cell = slice(y, y + size), slice(x, x + size)
        colour[cell], normal[cell], height[cell] = _spread(seen, away, half)
        boxes[k] = _box(seen.alpha, half)
    return Sheet(tuple(views), columns, rows, size, half, aim, colour, normal, height, boxes)


def _spread(seen: Rendered, away: float, half: float) -> tuple[Array, Array, Array]:
    """(colour with alpha, normal 0..1, height 0..1), each continued over the empty ground."""
    from nodes.texture._margin import Margin

    colour = np.concatenate([seen.colour, seen.alpha[..., None]], axis=-1)
    normal = seen.normal / 2 + 0.5
    height = 0.5 + (away - np.nan_to_num(seen.depth, nan=away))[..., None] / (2 * half)
    some, hit = seen.alpha > SEEN, seen.face >= 0
    if not hit.any() or not some.any():
        return colour, np.broadcast_to(np.array([0.5, 0.5, 1], np.float32), normal.shape), height
    reach = seen.alpha.shape[0]
    painted = Margin(some, reach).fill(colour[..., :3])
    beyond = Margin(hit, reach)
    height = np.clip(beyond.fill(height), 0, 1)
    return np.concatenate([painted, colour[..., 3:]], axis=-1), beyond.fill(normal), height


def _box(alpha: Array, half: float) -> Array:
    """What is seen, in whole pixels: left, right, bottom, top, metres from the middle. A point where nothing is."""
    y, x = np.nonzero(alpha > SEEN)
    if not len(x):
        return np.zeros(4)
    scale = 2 * half / len(alpha)
    return np.array([x.min(), x.max() + 1, len(alpha) - y.max() - 1, len(alpha) - y.min()]) * scale - half


def quads(sheet: Sheet, which: Sequence[int]) -> Mesh:
    """An upright card through the middle for each of the views in ``which``, cut to what is seen, facing its camera."""
    vertices: list[Array] = []
    normals: list[Array] = []
    uvs: list[Array] = []
    faces: list[Array] = []
    for k in which:
        left, right, bottom, top = sheet.boxes[k]
        if right <= left:
            continue
        pose = camera(*sheet.views[k], 1, 30, (1, 1)).pose
        corner = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
        faces.append(np.array([[0, 1, 2], [0, 2, 3]]) + 4 * len(faces))
        vertices.append(sheet.middle + corner @ pose[:3, :2].T)
        normals.append(np.repeat(pose[None, :3, 2], 4, axis=0))
        inside = (corner / sheet.half + 1) / 2
        place = np.array([k % sheet.columns, sheet.rows - 1 - k // sheet.columns])
        uvs.append((place + inside) / (sheet.columns, sheet.rows))
    return Mesh.of(
        np.concatenate(vertices),
        np.concatenate(faces),
        normals=np.concatenate(normals).astype(np.float32),
        uv=np.concatenate(uvs).astype(np.float32),
    )


def pictures(sheet: Sheet) -> tuple[Image, Image, Image]:
    """(colour with alpha, normal map, height map)."""
    return Image.of(sheet.colour), Image.of(sheet.normal, "data"), Image.of(sheet.height, "data")
