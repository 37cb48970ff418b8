"""Materials for a single mesh: what lies beside the maps is worked into them, since nodes look at maps alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.engine import Image, Material
from nodes.io._parts import Part, Warn


def settled(material: Material | None, warn: Warn) -> Material | None:
    """The material with its normal scale and occlusion strength in the maps, and every map on the mesh's own UVs.

    Maps on a second set of UVs are left out, with a remark: a mesh carries one set. So is a placing of their own.
    """
    if material is None:
        return None
    changes: dict[str, Any] = {}
    if material.normal_scale != 1:
        changes |= {"normal_scale": 1.0, "normal": _scaled(material.normal, material.normal_scale)}
    if material.occlusion_strength != 1:
        changes |= {"occlusion_strength": 1.0, "occlusion": _weaker(material.occlusion, material.occlusion_strength)}
    if material.second_uv:
        warn(f"{_words(material.second_uv)} on a second set of UVs, which a mesh does not carry: left out.")
        changes |= dict.fromkeys((n for n in material.second_uv if n in Material.MAPS), None) | {"second_uv": ()}
        changes["layers"] = tuple(row for row in material.layers if row[0] not in material.second_uv)
    own = [name for name, _ in material.transforms if name != "uv" and name not in material.second_uv]
    if own:
        warn(f"{_words(own)} placed in another way than the base colour and follow it now.")
    if any(name != "uv" for name, _ in material.transforms):
        changes["transforms"] = tuple(row for row in material.transforms if row[0] == "uv")
    return replace(material, **changes) if changes else material


def on_one_set(parts: Sequence[Part], warn: Warn) -> list[Part]:
    """Parts with settled materials, one for each that they had, and without second UVs."""
    out = []
    found: dict[tuple[int, bool], Material | None] = {}
    for part in parts:
        same = part.uv is not None and part.second_uv is not None and np.array_equal(part.uv, part.second_uv)
        key = (id(part.material), same)
        if key not in found:
            found[key] = settled(_joined(part.material) if same else part.material, warn)
        out.append(replace(part, material=found[key], second_uv=None))
    return out


def _joined(material: Material | None) -> Material | None:
    """For a mesh whose second UVs are the first ones again."""
    return None if material is None else replace(material, second_uv=())


def _words(names: Any) -> str:
    words = ("base colour" if name == "base_colour" else name.rpartition(".")[2] for name in names)
    return f"The maps of {', '.join(words)} are"


def _scaled(normal: Image | None, scale: float) -> Image | None:
    if normal is None:
        return None
    vectors = (normal.rgb * 2 - 1) * np.array([scale, scale, 1.0], np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
    return Image.of(vectors * 0.5 + 0.5, "data")


def _weaker(occlusion: Image | None, strength: float) -> Image | None:
    if occlusion is None:
        return None
    pixels = 1 + np.float32(strength) * (occlusion.pixels - 1)
    return replace(occlusion, pixels=np.clip(pixels, 0, 1).astype(np.float32))
