"""Materials as the Assimp library gives them to ours."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material
from nodes.io._beside import channel, colour, data

UInt8 = NDArray[np.uint8]
Find = Callable[[str], UInt8 | None]
KINDS = {"base_colour": (12, 1), "emissive": (14, 4), "normal": (6, 13), "bump": (5,), "opacity": (8,),
         "metallic": (15,), "roughness": (16,), "occlusion": (17, 10), "height": (9,)}  # fmt: skip
"""Numbers of Assimp's texture types, the better one first."""


def material_of(entry: Mapping[str, Any], find: Find, phong: bool) -> Material:
    """``find``: a picture by the name that the file gives it. ``phong``: FBX, whose exponent tells the roughness."""
    maps = {name: _picture(entry, kinds, find) for name, kinds in KINDS.items()}
    normal, height = _relief(maps)
    base = _with_opacity(maps["base_colour"], maps["opacity"])
    red, green, blue = _triple(entry, "COLOR_DIFFUSE", 0.8) if maps["base_colour"] is None else (1.0, 1.0, 1.0)
    glow = _triple(entry, "COLOR_EMISSIVE", 0.0)
    alpha = _number(entry, "OPACITY", 1.0)
    alpha = min(1.0, max(0.0, alpha)) if alpha > 0 else 1.0  # some exporters write 0 and mean opaque
    return Material(
        name=re.sub(r"\.\d+$|\0", "", str(entry.get("NAME") or "")) or "material",
        base_colour=colour(base),
        normal=data(normal),
        metallic=channel(maps["metallic"], 0),
        roughness=channel(maps["roughness"], 0),
        occlusion=_grey(maps["occlusion"]),
        emissive=colour(maps["emissive"]),
        height=channel(height, 0),
        base_factor=(red, green, blue, alpha),
        metallic_factor=1.0 if maps["metallic"] is not None else _number(entry, "METALLICFACTOR", 0.0),
        roughness_factor=1.0 if maps["roughness"] is not None else _roughness(entry, phong),
        emissive_factor=glow if maps["emissive"] is None else (1.0, 1.0, 1.0),
        alpha_mode="blend" if alpha < 1 or maps["opacity"] is not None else "opaque",
        double_sided=_number(entry, "TWOSIDED", 0.0) == 1,
    )


def _picture(entry: Mapping[str, Any], kinds: tuple[int, ...], find: Find) -> UInt8 | None:
    textures = entry.get("TEXTURES")
    if isinstance(textures, dict):
        for kind in kinds:
            for name in textures.get(kind) or ():
                if isinstance(name, str) and name and (pixels := find(name)) is not None:
                    return pixels
    return None


def _relief(maps: Mapping[str, UInt8 | None]) -> tuple[UInt8 | None, UInt8 | None]:
    """(normal map, height map). A coloured bump map is a normal map, whatever it is called."""
    normal, height, bump = maps["normal"], maps["height"], maps["bump"]
    if bump is not None:
        few = bump[::7, ::7].astype(np.int16)
        if np.abs(few[..., 0] - few[..., 2]).max(initial=0) <= 8:
            height = bump if height is None else height
        else:
            normal = bump if normal is None else normal
    return normal, height


def _with_opacity(base: UInt8 | None, opacity: UInt8 | None) -> UInt8 | None:
    """The base colour with the opacity map as its alpha: its own alpha where it has one, else its red channel."""
    if base is None or opacity is None:
        return None if base is None else base
    values = opacity[..., 3 if opacity[..., 3].min() < 255 else 0]
    if values.shape != base.shape[:2]:
        from PIL import Image as Pictures

        values = np.asarray(Pictures.fromarray(np.ascontiguousarray(values)).resize(base.shape[1::-1]))
    return np.dstack([base[..., :3], values])


def _grey(pixels: UInt8 | None) -> Image | None:
    return channel(pixels, 0)


def _triple(entry: Mapping[str, Any], name: str, default: float) -> tuple[float, float, float]:
    values = entry.get(name)
    if not isinstance(values, list | tuple) or len(values) < 3:
        return default, default, default
    red, green, blue = (float(v) if math.isfinite(v) and v >= 0 else 0.0 for v in values[:3])
    return red, green, blue


def _number(entry: Mapping[str, Any], name: str, default: float) -> float:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default


def _roughness(entry: Mapping[str, Any], phong: bool) -> float:
    """Blender writes roughness into the Phong exponent as (10 (1 - roughness)) squared."""
    known = _number(entry, "ROUGHNESSFACTOR", -1.0)
    exponent = _number(entry, "SHININESS", -1.0)
    if 0 <= known <= 1:
        return known
    return min(1.0, max(0.0, 1 - math.sqrt(exponent) / 10)) if phong and exponent > 0 else 0.8
