"""Dress a mesh: textures and factors of a physically based material."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from app.engine import Colour, Image, Material, Mesh, Setting, Slider, node, rgba
from nodes.mesh._checks import need_uv


@node("texture.apply_material", title="Material", group="Material")
def apply_material(
    mesh: Mesh,
    base_colour: Image | None = None,
    normal: Image | None = None,
    roughness_map: Image | None = None,
    metallic_map: Image | None = None,
    occlusion: Image | None = None,
    height: Image | None = None,
    emissive: Image | None = None,
    tint: Annotated[str, Colour(help="Multiplies the base colour; alone it is the colour.")] = "#ffffff",
    roughness: Annotated[float, Slider(0, 1, help="Used where no roughness map is linked.")] = 0.7,
    metallic: Annotated[float, Slider(0, 1, help="Used where no metallic map is linked.")] = 0.0,
    glow: Annotated[float, Slider(0, 1, help="Strength of the emissive map.")] = 1.0,
    transparency: Annotated[
        Literal["opaque", "mask", "blend"], Setting(help="What alpha does: nothing, cut at one half, or see through.")
    ] = "opaque",
    double_sided: Annotated[bool, Setting(help="Also draw the insides of surfaces.")] = False,
    keep: Annotated[bool, Setting(help="Keep maps that the mesh already has where none is linked.")] = True,
) -> Mesh:
    """Give a mesh its material: link the maps you have, set the rest by number.

    The mesh needs UVs as soon as a map is linked. Normal maps are OpenGL (+Y); grey maps are read as plain numbers.
    """
    old = mesh.material if keep and mesh.material is not None else Material()
    colours = {"base_colour": base_colour, "emissive": emissive}
    data = {"normal": normal, "roughness": roughness_map, "metallic": metallic_map, "occlusion": occlusion,
            "height": height}  # fmt: skip
    linked = {name: replace(map_, space="srgb") for name, map_ in colours.items() if map_ is not None}
    linked |= {name: replace(map_, space="data") for name, map_ in data.items() if map_ is not None}
    if linked:
        need_uv(mesh)
    dressed = replace(old, **linked)  # type: ignore[arg-type]
    light = glow if dressed.emissive is not None else 0.0
    dressed = replace(
        dressed,
        base_factor=_linear(tint),
        roughness_factor=roughness if dressed.roughness is None else 1.0,
        metallic_factor=metallic if dressed.metallic is None else 1.0,
        emissive_factor=(light, light, light),
        alpha_mode=transparency,
        double_sided=double_sided,
    )
    return replace(mesh, material=dressed)


def _linear(colour: str) -> tuple[float, float, float, float]:
    red, green, blue, alpha = rgba(colour)
    lit = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (red, green, blue))
    return (*lit, alpha)  # type: ignore[return-value]
