"""Materials as glTF 2.0 has them: each picture and each material once, however many meshes share it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from app.engine import Image, Material, Mesh
from nodes.io import _gltf_layers as layers
from nodes.io._glb_buffer import Buffer
from nodes.io._glb_geometry import placing_of
from nodes.io._gltf_material import AS_IT_IS, Transform
from nodes.io._neutral import neutral
from nodes.io._textures import UInt8, colour_bytes, encode_all, orm_bytes

ALPHA = {"opaque": "OPAQUE", "mask": "MASK", "blend": "BLEND"}
WRAPS = {"repeat": 10497, "clamp": 33071, "mirror": 33648}
NEAREST = 9728
STRENGTH, UNLIT, MOVED = "KHR_materials_emissive_strength", "KHR_materials_unlit", "KHR_texture_transform"


class Sheet(NamedTuple):
    """A picture to write. ``key``: what decides it, so that equal ones are written once; ``colour``: may be JPEG."""

    key: tuple[Any, ...]
    paint: Callable[[], UInt8 | None]
    colour: bool


def sheets(material: Material, longest: int) -> dict[str, Sheet]:
    """Its pictures by name: ``base_colour``, ``orm``, ``occlusion`` where it follows other UVs, ``normal``,
    ``emissive``, and the layers."""
    m, clear = material, material.alpha_mode != "opaque"
    found: dict[str, Sheet] = {}
    if m.base_colour is not None:
        found["base_colour"] = _colour(m.base_colour, longest, clear)
    together = m if occlusion_is_packed(m) else replace(m, occlusion=None)
    packed = (together.occlusion, together.roughness, together.metallic)
    if any(image is not None for image in packed):
        found["orm"] = Sheet(("orm", *map(_place, packed), longest), lambda: orm_bytes(together, longest), False)
    if m.occlusion is not None and not occlusion_is_packed(m):
        alone = replace(m, roughness=None, metallic=None)
        found["occlusion"] = Sheet(("occlusion", _place(m.occlusion)), lambda: orm_bytes(alone, longest), False)
    if m.normal is not None:
        found["normal"] = _colour(m.normal, longest, False, normal=True)
    if m.emissive is not None:
        found["emissive"] = _colour(m.emissive, longest, False)
    for name, value in m.layers:
        if isinstance(value, Image):
            found[name] = _colour(value, longest, True, normal="Normal" in name)
    return found


def occlusion_is_packed(material: Material) -> bool:
    """Whether occlusion shares a picture with roughness and metallic: it follows the same UVs in the same way."""
    partner = next((name for name in ("roughness", "metallic") if getattr(material, name) is not None), "occlusion")
    return _follows(material, "occlusion") == _follows(material, partner)


def _follows(material: Material, name: str) -> tuple[bool, Transform]:
    second = name in material.second_uv
    return second, dict(material.transforms).get(name, AS_IT_IS if second else placing_of(material))


def _colour(image: Image, longest: int, alpha: bool, normal: bool = False) -> Sheet:
    paint = partial(colour_bytes, image, longest, alpha, normal)
    return Sheet((_place(image), alpha, normal), paint, image.space == "srgb" and not normal)


def _place(image: Image | None) -> tuple[int, ...]:
    """Where its values lie in memory: pictures that were read once are known by it."""
    return () if image is None else (image.pixels.ctypes.data, *image.size)


@dataclass
class Materials:
    """Collects materials, pictures and samplers of a document."""

    longest: int = 0
    quality: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    textures: list[dict[str, int]] = field(default_factory=list)
    samplers: list[dict[str, int]] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _pictures: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def encode(self, buffer: Buffer, meshes: list[Mesh]) -> None:
        """Writes every picture that the materials of ``meshes`` need, encoded side by side."""
        painted: dict[str, UInt8] = {}
        jpeg: dict[str, int] = {}
        named = self._named(meshes)
        for name, sheet in named:
            if sheet.key not in self._pictures:
                pixels = sheet.paint()
                assert pixels is not None
                self._pictures[sheet.key] = len(painted)
                key = f"{len(painted)} {name}"
                painted[key], jpeg[key] = pixels, self.quality if sheet.colour else 0
        for key, picture in encode_all(painted, jpeg).items():
            view = buffer.view(picture.data)
            self.images.append({"bufferView": view, "mimeType": picture.mime, "name": key.partition(" ")[2]})

    def _named(self, meshes: list[Mesh]) -> Iterator[tuple[str, Sheet]]:
        found = {id(m.material): m.material for m in meshes if m.uv is not None and m.material is not None}
        for material in found.values():
            for name, sheet in sheets(material, self.longest).items():
                yield (name if len(found) == 1 else f"{material.name} {name}"), sheet

    def number(self, mesh: Mesh) -> int:
        """The number of a mesh's material; one that says the same as an earlier one is that one."""
        entry = self._entry(mesh)
        text = json.dumps(entry, sort_keys=True)
        if text not in self._numbers:
            self._numbers[text] = len(self.entries)
            self.entries.append(entry)
        return self._numbers[text]

    def _entry(self, mesh: Mesh) -> dict[str, Any]:
        m = mesh.material or neutral(mesh.colours is not None)
        mapped = sheets(m, self.longest) if mesh.uv is not None else {}
        at = {name: self._texture(m, name, sheet) for name, sheet in mapped.items()}
        pbr: dict[str, Any] = {
            "baseColorFactor": _unit_range(m.base_factor),
            "metallicFactor": _unit_range((m.metallic_factor,))[0],
            "roughnessFactor": _unit_range((m.roughness_factor,))[0],
        }
        if "base_colour" in at:
            pbr["baseColorTexture"] = at["base_colour"]
        if "orm" in at and (m.roughness is not None or m.metallic is not None):
            pbr["metallicRoughnessTexture"] = at["orm"]
        entry: dict[str, Any] = {"name": m.name, "pbrMetallicRoughness": pbr}
        if m.occlusion is not None and mapped:
            shade = at["orm" if occlusion_is_packed(m) else "occlusion"]
            entry["occlusionTexture"] = shade | _unless("strength", m.occlusion_strength, 1.0)
        if "normal" in at:
            entry["normalTexture"] = at["normal"] | _unless("scale", m.normal_scale, 1.0)
        if "emissive" in at:
            entry["emissiveTexture"] = at["emissive"]
        extensions = _further(m, at)
        if any(m.emissive_factor):
            strength = max(1.0, *m.emissive_factor)
            entry["emissiveFactor"] = _unit_range(tuple(v / strength for v in m.emissive_factor))
            if strength > 1:
                extensions[STRENGTH] = {"emissiveStrength": float(strength)}
        entry |= {"extensions": extensions} if extensions else {}
        entry |= {"alphaMode": ALPHA[m.alpha_mode], "doubleSided": m.double_sided}
        return entry | (_unless("alphaCutoff", m.alpha_cutoff, 0.5) if m.alpha_mode == "mask" else {})

    def _texture(self, material: Material, name: str, sheet: Sheet) -> dict[str, Any]:
        """A texture info: the number of the texture, the UVs it follows and how they are moved."""
        texture = {"source": self._pictures[sheet.key]} | self._sampler(material)
        if texture not in self.textures:
            self.textures.append(texture)
        role = {"orm": "roughness" if material.roughness is not None else "metallic"}.get(name, name)
        if name == "orm" and material.roughness is None and material.metallic is None:
            role = "occlusion"
        second, transform = _follows(material, role)
        moved = {"extensions": {MOVED: _moved(transform)}} if transform != AS_IT_IS else {}
        return {"index": self.textures.index(texture)} | ({"texCoord": 1} if second else {}) | moved

    def _sampler(self, material: Material) -> dict[str, int]:
        nearest = dict(material.layers).get(layers.NEAREST) is True
        if material.wrap == ("repeat", "repeat") and not nearest:
            return {}
        sampler = {"wrapS": WRAPS[material.wrap[0]], "wrapT": WRAPS[material.wrap[1]]}
        sampler |= {"magFilter": NEAREST} if nearest else {}
        if sampler not in self.samplers:
            self.samplers.append(sampler)
        return {"sampler": self.samplers.index(sampler)}


def _further(material: Material, at: dict[str, Any]) -> dict[str, Any]:
    """The extensions of unlit materials and of layers."""
    found: dict[str, Any] = {UNLIT: {}} if material.unlit else {}
    values = dict(material.layers)
    for layer, value in material.layers:
        name, _, key = layer.partition(".")
        if name not in layers.TEXTURES or key.endswith(layers.SCALE):
            continue
        entry = found.setdefault(layers.PREFIX + name, {})
        if not isinstance(value, Image):
            entry[key] = list(value) if isinstance(value, tuple) else value
        elif layer in at:
            scale = values.get(layer + layers.SCALE)
            entry[key] = at[layer] | ({"scale": scale} if scale is not None else {})
    return found


def _moved(transform: Transform) -> dict[str, Any]:
    across, down, angle, wide, high = transform
    found: dict[str, Any] = {"offset": [across, down]} if (across, down) != (0, 0) else {}
    found |= {"rotation": angle} if angle else {}
    return found | ({"scale": [wide, high]} if (wide, high) != (1, 1) else {})


def _unless(name: str, value: float, usual: float) -> dict[str, float]:
    return {} if value == usual else {name: float(value)}


def _unit_range(values: tuple[float, ...]) -> list[float]:
    return [float(v) for v in np.clip(values, 0.0, 1.0)]
