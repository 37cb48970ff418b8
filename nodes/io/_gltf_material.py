"""glTF 2.0 materials to ours: textures parted into maps, and all that the file says beside them kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple, cast

from app.engine import BadFile, Image, Material
from app.engine.payloads import Layer, Wrap
from nodes.io import _gltf_layers as layers
from nodes.io._gltf_data import AGAIN, DAMAGED, Document

MODES: dict[str, Literal["opaque", "mask", "blend"]] = {"OPAQUE": "opaque", "MASK": "mask", "BLEND": "blend"}
WRAPS: dict[int, Wrap] = {10497: "repeat", 33071: "clamp", 33648: "mirror"}
NEAREST = 9728
Entry = Mapping[str, Any]
Transform = tuple[float, float, float, float, float]
AS_IT_IS: Transform = (0.0, 0.0, 0.0, 1.0, 1.0)


class Follows(NamedTuple):
    """Which UVs a map follows: the number of the set, and its KHR_texture_transform."""

    channel: int
    transform: Transform


def read_material(document: Document, index: int) -> Material:
    """The packed channels of occlusion, roughness and metallic become maps of their own."""
    entry = document.item("materials", index)
    pbr = _pbr(entry)
    packed = pbr.get("metallicRoughnessTexture")
    strength = entry.get("extensions", {}).get("KHR_materials_emissive_strength", {}).get("emissiveStrength", 1.0)
    glow = _numbers(entry.get("emissiveFactor"), (0.0, 0.0, 0.0))
    red, green, blue, alpha = _numbers(pbr.get("baseColorFactor"), (1.0, 1.0, 1.0, 1.0))
    normal, occlusion = entry.get("normalTexture"), entry.get("occlusionTexture")
    wrap, nearest = _sampling(document, index)
    made = Material(
        name=str(entry.get("name") or f"material {index}"),
        base_colour=_image(document, pbr.get("baseColorTexture"), "srgb"),
        normal=_image(document, normal, "data"),
        metallic=_image(document, packed, 2),
        roughness=_image(document, packed, 1),
        occlusion=_image(document, occlusion, 0),
        emissive=_image(document, entry.get("emissiveTexture"), "srgb"),
        base_factor=(red, green, blue, alpha),
        metallic_factor=_number(pbr, "metallicFactor", 1.0),
        roughness_factor=_number(pbr, "roughnessFactor", 1.0),
        emissive_factor=(glow[0] * strength, glow[1] * strength, glow[2] * strength),
        alpha_mode=MODES.get(str(entry.get("alphaMode", "OPAQUE")), "opaque"),
        double_sided=entry.get("doubleSided") is True,
        alpha_cutoff=_number(entry, "alphaCutoff", 0.5),
        normal_scale=_number(normal or {}, "scale", 1.0),
        occlusion_strength=_number(occlusion or {}, "strength", 1.0),
        unlit="KHR_materials_unlit" in entry.get("extensions", {}),
        wrap=wrap,
        transforms=_transforms(document, index),
        second_uv=_on_second(document, index),
        layers=(*_layers(document, entry), *([(layers.NEAREST, True)] if nearest else [])),
    )
    return _without_third(document, index, made)


def _without_third(document: Document, index: int, made: Material) -> Material:
    """Two sets of UVs are kept: maps on a third are left out, with a remark."""
    kept = {main(document, index).channel, second(document, index)}
    gone = [name for name, way in follows(document, index).items() if way.channel not in kept]
    if not gone:
        return made
    words = ", ".join("base colour" if name == "base_colour" else name.rpartition(".")[2] for name in gone)
    document.beside.warn(f"The maps of {words} follow a third set of UVs: left out.")
    none: dict[str, Any] = {name: None for name in gone if name in Material.MAPS}
    return replace(made, layers=tuple(row for row in made.layers if row[0] not in gone), **none)


def follows(document: Document, index: int | None) -> dict[str, Follows]:
    """Of each map that the material has, which UVs it follows; base colour first."""
    return {} if index is None else {name: _follows(place) for name, place in _places(document, index).items()}


def main(document: Document, index: int | None) -> Follows:
    """What the UVs of a mesh with this material are: those of its first map."""
    return next(iter(follows(document, index).values()), Follows(0, AS_IT_IS))


def second(document: Document, index: int | None) -> int | None:
    """The number of the other set of UVs that some of its maps follow, or None."""
    first = main(document, index).channel
    return next((way.channel for way in follows(document, index).values() if way.channel != first), None)


def _on_second(document: Document, index: int) -> tuple[str, ...]:
    other = second(document, index)
    return tuple(name for name, way in follows(document, index).items() if way.channel == other)


def _places(document: Document, index: int) -> dict[str, Entry]:
    """Texture infos by the names of our maps."""
    entry = document.item("materials", index)
    pbr = _pbr(entry)
    packed = pbr.get("metallicRoughnessTexture")
    named = {"base_colour": pbr.get("baseColorTexture"), "metallic": packed, "roughness": packed,
             "normal": entry.get("normalTexture"), "occlusion": entry.get("occlusionTexture"),
             "emissive": entry.get("emissiveTexture"), **dict(layers.textures_in(dict(entry)))}  # fmt: skip
    return {name: place for name, place in named.items() if isinstance(place, dict)}


def _pbr(entry: Entry) -> Entry:
    gloss = entry.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
    if gloss and "pbrMetallicRoughness" not in entry:
        return _from_gloss(gloss)
    return cast(Entry, entry.get("pbrMetallicRoughness", {}))


def _follows(place: Entry) -> Follows:
    found: Entry = place.get("extensions", {}).get("KHR_texture_transform", {})
    offset = _numbers(found.get("offset"), (0.0, 0.0))
    scale = _numbers(found.get("scale"), (1.0, 1.0))
    turn = _number(found, "rotation", 0.0)
    channel = found.get("texCoord", place.get("texCoord", 0))
    if not isinstance(channel, int):
        raise BadFile(f"{DAMAGED}: {channel!r} is not the number of a UV set.", AGAIN)
    return Follows(channel, (offset[0], offset[1], turn, scale[0], scale[1]))


def _transforms(document: Document, index: int) -> tuple[tuple[str, Transform], ...]:
    """That of the main UVs as ``"uv"``, then those of the maps that differ from what their UVs have."""
    ways, (channel, common) = follows(document, index), main(document, index)
    found = [("uv", common)] if common != AS_IT_IS else []
    for name, way in ways.items():
        if way.transform != (common if way.channel == channel else AS_IT_IS):
            found.append((name, way.transform))
    return tuple(found)


def _sampling(document: Document, index: int) -> tuple[tuple[Wrap, Wrap], bool]:
    """(wrap in u and v, whether texels are squares) of the first map; a remark when others differ."""
    found: list[tuple[tuple[Wrap, Wrap], bool]] = []
    for place in _places(document, index).values():
        texture = document.item("textures", place.get("index"))
        sampler = document.item("samplers", texture["sampler"]) if "sampler" in texture else {}
        wrap: tuple[Wrap, Wrap] = (
            WRAPS.get(sampler.get("wrapS", 0), "repeat"),
            WRAPS.get(sampler.get("wrapT", 0), "repeat"),
        )
        found.append((wrap, sampler.get("magFilter") == NEAREST))
    if any(other != found[0] for other in found):
        document.beside.warn("Maps of one material repeat or are filtered in different ways; all do as the first now.")
    return found[0] if found else (("repeat", "repeat"), False)


def _layers(document: Document, entry: Entry) -> list[tuple[str, Layer]]:
    found: list[tuple[str, Layer]] = []
    for name in layers.TEXTURES:
        values = entry.get("extensions", {}).get(layers.PREFIX + name, {})
        for key, value in values.items():
            layer = f"{name}.{key}"
            if isinstance(value, bool | int | float):
                found.append((layer, value if isinstance(value, bool) else float(value)))
            elif isinstance(value, list):
                found.append((layer, _numbers(value, (0.0,) * len(value))))
            elif key in layers.TEXTURES[name] and isinstance(value, dict):
                image = _image(document, value, "srgb" if layers.space_of(layer) == "srgb" else "raw")
                found += [(layer, image)] if image is not None else []
                if image is not None and "scale" in value:
                    found.append((layer + layers.SCALE, _number(value, "scale", 1.0)))
    return found


def _image(document: Document, place: Any, what: str | int) -> Image | None:
    return document.image(place.get("index"), what) if isinstance(place, dict) else None


def _number(entry: Entry, key: str, default: float) -> float:
    return _numbers([entry.get(key, default)], (default,))[0]


def _numbers(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return default
    if not isinstance(value, list) or len(value) != len(default) or not all(isinstance(v, int | float) for v in value):
        raise BadFile(f"{DAMAGED}: {str(value)[:60]} is not a material factor.", AGAIN)
    return tuple(float(v) for v in value)


def _from_gloss(gloss: Entry) -> Entry:
    """The older specular-glossiness material, near enough: diffuse as base colour, not metallic."""
    return {
        "baseColorFactor": gloss.get("diffuseFactor"),
        "baseColorTexture": gloss.get("diffuseTexture"),
        "metallicFactor": 0.0,
        "roughnessFactor": 1.0 - float(gloss.get("glossinessFactor", 1.0)),
    }
