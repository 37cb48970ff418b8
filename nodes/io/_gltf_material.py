"""glTF 2.0 materials to ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from app.engine import BadFile, Image, Material
from nodes.io._beside import UInt8, channel, colour, data
from nodes.io._gltf_data import AGAIN, DAMAGED, Document

MODES: dict[str, Literal["opaque", "mask", "blend"]] = {"OPAQUE": "opaque", "MASK": "mask", "BLEND": "blend"}
Entry = Mapping[str, Any]


def read_material(document: Document, index: int) -> Material:
    """Textures become pictures of their own: the packed channels of occlusion, roughness and metallic are parted."""
    entry = document.item("materials", index)
    gloss = entry.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
    pbr: Entry = (
        _from_gloss(gloss) if gloss and "pbrMetallicRoughness" not in entry else entry.get("pbrMetallicRoughness", {})
    )
    packed = _picture(document, pbr.get("metallicRoughnessTexture"))
    strength = entry.get("extensions", {}).get("KHR_materials_emissive_strength", {}).get("emissiveStrength", 1.0)
    glow = _numbers(entry.get("emissiveFactor"), (0.0, 0.0, 0.0))
    red, green, blue, alpha = _numbers(pbr.get("baseColorFactor"), (1.0, 1.0, 1.0, 1.0))
    return Material(
        name=str(entry.get("name") or f"material {index}"),
        base_colour=colour(_picture(document, pbr.get("baseColorTexture"))),
        normal=_normal(document, entry.get("normalTexture")),
        metallic=channel(packed, 2),
        roughness=channel(packed, 1),
        occlusion=_occlusion(document, entry.get("occlusionTexture")),
        emissive=colour(_picture(document, entry.get("emissiveTexture"))),
        base_factor=(red, green, blue, alpha),
        metallic_factor=_numbers([pbr.get("metallicFactor", 1.0)], (1.0,))[0],
        roughness_factor=_numbers([pbr.get("roughnessFactor", 1.0)], (1.0,))[0],
        emissive_factor=(glow[0] * strength, glow[1] * strength, glow[2] * strength),
        alpha_mode=MODES.get(str(entry.get("alphaMode", "OPAQUE")), "opaque"),
        double_sided=entry.get("doubleSided") is True,
    )


def uv_source(document: Document, index: int | None) -> tuple[int, Entry]:
    """Which TEXCOORD set the material's main texture uses, and its KHR_texture_transform (or nothing)."""
    if index is None:
        return 0, {}
    entry = document.item("materials", index)
    pbr = entry.get("pbrMetallicRoughness", {})
    places = [pbr.get("baseColorTexture"), pbr.get("metallicRoughnessTexture"), entry.get("normalTexture")]
    places += [entry.get("occlusionTexture"), entry.get("emissiveTexture")]
    used = [(_texcoord(place), _transform(place)) for place in places if isinstance(place, dict)]
    if any(other != used[0] for other in used):
        document.beside.warn("Some textures use other UVs than the base colour; they follow the base colour now.")
    return used[0] if used else (0, {})


def _texcoord(place: Entry) -> int:
    return int(_transform(place).get("texCoord", place.get("texCoord", 0)))


def _transform(place: Entry) -> Entry:
    found: Entry = place.get("extensions", {}).get("KHR_texture_transform", {})
    return found


def _picture(document: Document, place: Any) -> UInt8 | None:
    return document.picture(place.get("index")) if isinstance(place, dict) else None


def _numbers(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return default
    if not isinstance(value, list) or len(value) != len(default) or not all(isinstance(v, int | float) for v in value):
        raise BadFile(f"{DAMAGED}: {str(value)[:60]} is not a material factor.", AGAIN)
    return tuple(float(v) for v in value)


def _normal(document: Document, place: Any) -> Image | None:
    image = data(_picture(document, place))
    scale = float(place.get("scale", 1.0)) if isinstance(place, dict) else 1.0
    if image is None or scale == 1.0:
        return image
    vectors = (image.rgb * 2 - 1) * np.array([scale, scale, 1.0], np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
    return Image.of(vectors * 0.5 + 0.5, "data")


def _occlusion(document: Document, place: Any) -> Image | None:
    image = channel(_picture(document, place), 0)
    strength = float(place.get("strength", 1.0)) if isinstance(place, dict) else 1.0
    if image is None or strength == 1.0:
        return image
    pixels = 1 + np.float32(strength) * (image.pixels - 1)
    return replace(image, pixels=np.clip(pixels, 0, 1).astype(np.float32))


def _from_gloss(gloss: Entry) -> Entry:
    """The older specular-glossiness material, near enough: diffuse as base colour, not metallic."""
    return {
        "baseColorFactor": gloss.get("diffuseFactor"),
        "baseColorTexture": gloss.get("diffuseTexture"),
        "metallicFactor": 0.0,
        "roughnessFactor": 1.0 - float(gloss.get("glossinessFactor", 1.0)),
    }
