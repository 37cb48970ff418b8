"""Colours, materials and textures of 3MF (Materials and Properties Extension 1.2) as what a corner looks like."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Tree
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Image, Material
from nodes.image._pixels import to_linear
from nodes.io._xml_rows import attribute, local

AGAIN = "Export the file again."
HEX = re.compile(r"#([0-9A-Fa-f]{6})([0-9A-Fa-f]{2})?")
STYLES = {"wrap": "repeat", "mirror": "mirror", "clamp": "clamp", "none": "clamp"}


@dataclass(frozen=True, eq=False)
class Group:
    """What a property group says of its members. Only one of the three is there.

    ``materials``: one for each member. ``colours``: (K, 4) sRGB. ``uv``: (K, 2), with the ``texture`` they look up.
    """

    materials: list[Material] = field(default_factory=list)
    colours: NDArray[np.float32] | None = None
    uv: NDArray[np.float64] | None = None
    texture: Material | None = None

    def __len__(self) -> int:
        for values in (self.colours, self.uv):
            if values is not None:
                return len(values)
        return len(self.materials)


def srgb(text: str | None) -> NDArray[np.float32]:
    """(4,) float32 of ``#RRGGBB`` or ``#RRGGBBAA``."""
    match = HEX.fullmatch((text or "").strip())
    if not match:
        raise BadFile(f"{str(text)[:40]!r} is not a colour.", AGAIN)
    return np.frombuffer(bytes.fromhex(match[1] + (match[2] or "FF")), np.uint8).astype(np.float32) / np.float32(255)


def number_of(element: Tree.Element, name: str, default: str | None = None) -> int:
    """A whole number from an attribute."""
    text = attribute(element, name) or default
    if text is None or not text.strip().isdigit() or len(text) > 12:
        raise BadFile(f"{local(element)!r} has no sound {name!r}.", AGAIN)
    return int(text)


def read_groups(resources: Tree.Element, picture: Any) -> dict[int, Group]:
    """Property groups by their ids. ``picture``: (path) to (H, W, 4) uint8 or None."""
    shines = _shines(resources)
    groups: dict[int, Group] = {}
    textures = {number_of(e, "id"): e for e in resources if local(e) == "texture2d"}
    for element in resources:
        kind = local(element)
        if kind in ("basematerials", "colorgroup", "texture2dgroup", "compositematerials", "multiproperties"):
            groups[number_of(element, "id")] = _group(kind, element, groups, textures, shines, picture)
    return groups


def _group(
    kind: str,
    element: Tree.Element,
    groups: dict[int, Group],
    textures: dict[int, Tree.Element],
    shines: dict[int, list[tuple[float, float]]],
    picture: Any,
) -> Group:
    if kind == "basematerials":
        shine = shines.get(int(attribute(element, "displaypropertiesid") or -1), [])
        return Group(materials=[_base(e, shine[k] if k < len(shine) else None) for k, e in enumerate(element)])
    if kind == "colorgroup":
        return Group(colours=np.array([srgb(attribute(e, "color")) for e in element], np.float32).reshape(-1, 4))
    if kind == "texture2dgroup":
        pairs = [[float(attribute(e, "u") or "x"), float(attribute(e, "v") or "x")] for e in element]
        return Group(uv=np.array(pairs, np.float64).reshape(-1, 2), texture=_texture(element, textures, picture))
    return _mixed(element, groups) if kind == "compositematerials" else _layered(element, groups)


def _base(element: Tree.Element, shine: tuple[float, float] | None) -> Material:
    colour = srgb(attribute(element, "displaycolor") or "#CCCCCC")
    red, green, blue = (float(v) for v in to_linear(colour[:3]))
    metallic, roughness = shine or (0.0, 0.8)
    alpha = float(colour[3])
    return Material(
        name=attribute(element, "name") or "material",
        base_factor=(red, green, blue, alpha),
        metallic_factor=metallic,
        roughness_factor=roughness,
        alpha_mode="blend" if alpha < 1 else "opaque",
    )


def _shines(resources: Tree.Element) -> dict[int, list[tuple[float, float]]]:
    """(metallic, roughness) of each member, by the ids of metallic display properties."""
    return {
        number_of(group, "id"): [
            (float(attribute(e, "metallicness") or 0), float(attribute(e, "roughness") or 1)) for e in group
        ]
        for group in resources
        if local(group) == "pbmetallicdisplayproperties"
    }


def _texture(element: Tree.Element, textures: dict[int, Tree.Element], picture: Any) -> Material:
    found = textures.get(number_of(element, "texid"))
    if found is None:
        raise BadFile("A texture that the file refers to is not in it.", AGAIN)
    pixels = picture(attribute(found, "path") or "")
    wrap: Any = tuple(STYLES.get(attribute(found, f"tilestyle{axis}") or "wrap", "repeat") for axis in "uv")
    if pixels is None:
        return Material("texture")
    clear = bool(pixels[..., 3].min() < 255)
    return Material("texture", base_colour=Image.of(pixels), wrap=wrap, alpha_mode="blend" if clear else "opaque")


def _mixed(element: Tree.Element, groups: dict[int, Group]) -> Group:
    """Base materials mixed by weight."""
    bases = groups.get(number_of(element, "matid"), Group()).materials
    chosen = [bases[int(k)] for k in (attribute(element, "matindices") or "").split()]
    factors = np.array([material.base_factor for material in chosen], np.float64).reshape(-1, 4)
    mixed = []
    for composite in element:
        weights = np.array([float(v) for v in (attribute(composite, "values") or "").split()])
        weights = np.pad(weights, (0, max(0, len(factors) - len(weights))))[: len(factors)]
        red, green, blue, alpha = (weights @ factors / max(float(weights.sum()), 1e-9)).tolist()
        mixed.append(Material("mixed", base_factor=(red, green, blue, alpha)))
    return Group(materials=mixed)


def _layered(element: Tree.Element, groups: dict[int, Group]) -> Group:
    """Of several layers the last one that is a texture or colour counts, else the first."""
    ids = [int(k) for k in (attribute(element, "pids") or "").split()]
    rank = {k: (groups[k].uv is not None, groups[k].colours is not None) for k in ids if k in groups}
    if not rank:
        return Group()
    best = max(reversed(ids), key=lambda k: rank.get(k, (False, False)))
    layer, source = ids.index(best), groups[best]
    indices = []
    for multi in element:
        numbers = (attribute(multi, "pindices") or "").split()
        indices.append(int(numbers[layer]) if layer < len(numbers) else 0)
    if source.colours is not None:
        return Group(colours=source.colours[indices])
    if source.uv is not None:
        return Group(uv=source.uv[indices], texture=source.texture)
    return Group(materials=[source.materials[k] for k in indices])
