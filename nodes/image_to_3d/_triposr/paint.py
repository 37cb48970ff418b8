"""The colours of a scene as a texture: sampled where each texel's centre lies on the mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material, Mesh

Array = NDArray[Any]
Colours = Callable[[Array, Callable[[float], None]], Array]
RIM = 1.5
TEXELS_AT_ONCE = 1 << 18


def textured(mesh: Mesh, colours: Colours, size: int, margin: int, told: Callable[[float], None]) -> Mesh:
    """The mesh, which has UVs, with a base colour texture of ``size`` texels a side instead of vertex colours.

    ``colours``: (P, 3) points on the mesh to (P, 3) sRGB 0..1. Texels up to ``margin`` outside take the nearest colour.
    """
    from nodes.mesh._blend import blend
    from nodes.mesh._raster import draw, texel_corners
    from nodes.texture._margin import Margin

    assert mesh.uv is not None
    corners = texel_corners(mesh.uv, mesh.faces, size)
    rows = max(1, TEXELS_AT_ONCE // size)
    texels = np.zeros((size, size, 4), np.float32)
    for first in range(0, size, rows):
        band = range(first, min(first + rows, size))
        owner, inside, _ = draw(corners, size, band, RIM)
        seen = owner >= 0
        at = np.concatenate([np.zeros((int(seen.sum()), 1)), inside[seen]], axis=1)
        points = blend(mesh.vertices, mesh.faces, owner[seen], at)
        part = texels[band.start : band.stop]
        part[seen, :3] = colours(points, partial(_share, told, first / size, rows / size))
        part[seen, 3] = 1
    edge = Margin(texels[..., 3] > 0, margin)
    picture = Image.of(edge.fill(texels[..., :3]))
    material = mesh.material or Material(name="triposr", roughness_factor=0.7)
    return replace(mesh, material=replace(material, base_colour=picture), colours=None)


def _share(told: Callable[[float], None], start: float, length: float, done: float) -> None:
    told(start + length * done)
