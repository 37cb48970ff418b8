"""The glTF 2.0 surface properties beyond metal and roughness, as ``layers`` of a :class:`Material` keep them.

A layer is called by its extension and property, ``clearcoat.clearcoatFactor``, and holds what the file says: a number,
several numbers, or a picture. The table says which extensions there are and which of their textures are colours.
"""

from __future__ import annotations

from typing import Any

PREFIX = "KHR_materials_"
TEXTURES: dict[str, dict[str, str]] = {
    "clearcoat": {"clearcoatTexture": "data", "clearcoatRoughnessTexture": "data", "clearcoatNormalTexture": "data"},
    "transmission": {"transmissionTexture": "data"},
    "volume": {"thicknessTexture": "data"},
    "ior": {},
    "specular": {"specularTexture": "data", "specularColorTexture": "srgb"},
    "sheen": {"sheenColorTexture": "srgb", "sheenRoughnessTexture": "data"},
    "iridescence": {"iridescenceTexture": "data", "iridescenceThicknessTexture": "data"},
    "anisotropy": {"anisotropyTexture": "data"},
    "dispersion": {},
    "diffuse_transmission": {"diffuseTransmissionTexture": "data", "diffuseTransmissionColorTexture": "srgb"},
}
NEAREST = "sampler.nearest"
"""The layer, True, of textures whose texels are shown as squares."""
SCALE = ".scale"

UNDERSTOOD = {
    *(PREFIX + name for name in TEXTURES),
    "KHR_materials_unlit",
    "KHR_materials_emissive_strength",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_texture_transform",
    "KHR_mesh_quantization",
    "KHR_draco_mesh_compression",
    "EXT_meshopt_compression",
    "EXT_texture_webp",
    "EXT_mesh_gpu_instancing",
}
SAID_ELSEWHERE = {"KHR_lights_punctual", "KHR_texture_basisu"}
HARMLESS = {"KHR_xmp_json_ld", "KHR_xmp", "EXT_lights_image_based", "KHR_animation_pointer", "KHR_node_visibility"}


def textures_in(entry: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(layer, texture info) of every further texture that a material of a file has."""
    found = []
    for name, kinds in TEXTURES.items():
        values = entry.get("extensions", {}).get(PREFIX + name, {})
        found += [(f"{name}.{key}", values[key]) for key in kinds if isinstance(values.get(key), dict)]
    return found


def space_of(layer: str) -> str:
    """``"srgb"`` or ``"data"`` for the picture of a layer."""
    name, _, key = layer.partition(".")
    return TEXTURES.get(name, {}).get(key, "data")
