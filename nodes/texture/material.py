"""Dress a mesh: textures and factors of a physically based material."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from app.engine import Colour, Image, Material, Mesh, Setting, Slider, node, rgba
from nodes.mesh._checks import need_uv


@node("texture.apply_material", title="Material", group="Material", version=2)
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
    keep: Annotated[
        bool, Setting(help="Keep maps that the mesh already has, with their strength, where none is linked.")
    ] = True,
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
    kept = {name for name in Material.MAPS if getattr(dressed, name) is not None} - set(linked)
    shade = old.base_factor if "base_colour" in kept else (1.0,) * 4
    light = old.emissive_factor if "emissive" in kept else (1.0,) * 3 if emissive is not None else (0.0,) * 3
    dressed = replace(
        dressed,
        base_factor=tuple(one * two for one, two in zip(shade, _linear(tint), strict=True)),  # type: ignore[arg-type]
        roughness_factor=_factor(dressed.roughness, "roughness" in kept, old.roughness_factor, roughness),
        metallic_factor=_factor(dressed.metallic, "metallic" in kept, old.metallic_factor, metallic),
        emissive_factor=tuple(glow * value for value in light),  # type: ignore[arg-type]
        alpha_mode=transparency,
        double_sided=double_sided,
    )
    return replace(mesh, material=dressed)


def _factor(image: Image | None, kept: bool, old: float, alone: float) -> float:
    """A map that was linked stands as it is, one that was kept goes on with its factor."""
    return alone if image is None else old if kept else 1.0


def _linear(colour: str) -> tuple[float, float, float, float]:
    red, green, blue, alpha = rgba(colour)
    lit = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (red, green, blue))
    return (*lit, alpha)  # type: ignore[return-value]
