"""Take the textures off a mesh as pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from app.engine import Image, Material, Mesh, node
from nodes.image._pixels import to_linear, to_srgb


class MeshMaps(NamedTuple):
    """``base_colour``: sRGB. ``normal``: tangent space, OpenGL +Y. The others: grey data. Factors are multiplied in."""

    base_colour: Image
    normal: Image
    roughness: Image
    metallic: Image
    occlusion: Image


@node("texture.mesh_maps", title="Mesh maps", group="Material")
def mesh_maps(mesh: Mesh) -> MeshMaps:
    """The textures of a mesh as pictures, to work on them and put them back with Material.

    A map that the mesh does not have comes as an even picture of the same effect.
    """
    material = mesh.material or Material()
    base = material.base_colour or Image.of(np.ones((4, 4, 3), np.float32))
    tint = np.array(material.base_factor, np.float32)
    if (tint != 1).any():
        coloured = to_srgb(to_linear(base.rgb) * tint[:3])
        base = Image(np.ascontiguousarray(np.dstack([coloured, base.alpha * tint[3]]), np.float32))
    size = base.pixels.shape[:2]
    return MeshMaps(
        base_colour=base,
        normal=material.normal or _even(size, (0.5, 0.5, 1.0)),
        roughness=_scaled(material.roughness, material.roughness_factor, size),
        metallic=_scaled(material.metallic, material.metallic_factor, size),
        occlusion=_scaled(material.occlusion, 1.0, size),
    )


def _scaled(picture: Image | None, factor: float, size: tuple[int, ...]) -> Image:
    if picture is None:
        return _even(size, (factor,) * 3)
    return picture if factor == 1 else Image.of(np.ascontiguousarray(picture.rgb * np.float32(factor)), "data")


def _even(size: tuple[int, ...], colour: tuple[float, float, float]) -> Image:
    return Image.of(np.broadcast_to(np.array(colour, np.float32), (*size, 3)), "data")
