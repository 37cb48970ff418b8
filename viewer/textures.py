"""Images as VTK textures, converted once per image."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import pyvista as pv

from app.engine.payloads import Image, Material, UInt8
from viewer.raster import as_bytes

MOST = 4096

WRAPS = {"clamp": 0, "repeat": 1, "mirror": 2}


_packed: WeakKeyDictionary[Material, Any] = WeakKeyDictionary()


class Sampling(NamedTuple):
    """How a texture is looked up. ``alpha``: with it; ``cut``: the alpha from which on it is opaque, else clear, or -1
    for as it is; ``wrap``: beyond 0..1 (VTK has one for both directions); ``nearest``: texels as squares."""

    alpha: bool = False
    cut: float = -1.0
    wrap: str = "repeat"
    nearest: bool = False

    @classmethod
    def of(cls, material: Material, alpha: bool = False) -> Sampling:
        cut = material.alpha_cutoff if alpha and material.alpha_mode == "mask" else -1.0
        nearest = any(name == "sampler.nearest" and value is True for name, value in material.layers)
        return cls(alpha and material.alpha_mode != "opaque", cut, material.wrap[0], nearest)


_made: WeakKeyDictionary[Image, dict[Sampling, Any]] = WeakKeyDictionary()


def colour_texture(image: Image, look: Sampling, srgb: bool) -> Any:
    """``srgb``: the shader is to read it as linear light. Larger images are reduced to ``MOST`` pixels a side."""
    kept = _made.setdefault(image, {})
    if look not in kept:
        pixels = _reduced(image)[..., : 4 if look.alpha else 3]
        if look.alpha and look.cut >= 0:
            pixels = np.where(np.arange(4) == 3, np.where(pixels >= look.cut * 255, 255, 0), pixels).astype(np.uint8)
        kept[look] = _texture(pixels)
        kept[look].SetWrap(WRAPS[look.wrap])
        kept[look].SetInterpolate(not look.nearest)
    kept[look].SetUseSRGBColorSpace(srgb)
    return kept[look]


def packed_texture(material: Material) -> Any | None:
    """Occlusion, roughness and metalness in red, green and blue, as glTF packs them; None when it has no such map."""
    maps = (material.occlusion, material.roughness, material.metallic)
    present = [m for m in maps if m is not None]
    if not present:
        return None
    if material not in _packed:
        width, height = (min(MOST, max(m.size[k] for m in present)) for k in (0, 1))
        planes = [_plane(m, width, height) for m in maps]
        _packed[material] = _texture(np.stack(planes, axis=-1))
    return _packed[material]


def _plane(image: Image | None, width: int, height: int) -> UInt8:
    if image is None:
        return np.full((height, width), 255, np.uint8)
    red = as_bytes(np.ascontiguousarray(image.pixels[..., 0]))
    return np.asarray(cv2.resize(red, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _reduced(image: Image) -> UInt8:
    pixels = cv2.convertScaleAbs(image.pixels, alpha=255).reshape(image.pixels.shape)
    scale = MOST / max(image.size)
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, np.uint8)


def _texture(pixels: UInt8) -> Any:
    texture = pv.Texture(np.ascontiguousarray(pixels))
    texture.MipmapOn()
    texture.InterpolateOn()
    texture.RepeatOn()
    texture.SetColorModeToDirectScalars()
    return texture


@cache
def checker(cells: int = 8, side: int = 1024) -> Any:
    """A UV test pattern: hue by column, lightness by row, each cell named by letter and number."""
    cell = side // cells
    picture = np.zeros((side, side, 3), np.uint8)
    for row in range(cells):
        for column in range(cells):
            colour = _cell_colour(row, column, cells)
            top, left = row * cell, column * cell
            picture[top : top + cell, left : left + cell] = colour
            name = f"{chr(65 + cells - 1 - row)}{column + 1}"
            at = (left + cell // 5, top + cell * 5 // 8)
            cv2.putText(picture, name, at, cv2.FONT_HERSHEY_SIMPLEX, cell / 58, (30, 33, 39), 2, cv2.LINE_AA)
            cv2.rectangle(picture, (left, top), (left + cell - 1, top + cell - 1), (30, 33, 39), 1)
    return _texture(picture)


def _cell_colour(row: int, column: int, cells: int) -> tuple[int, ...]:
    dark = (row + column) % 2
    hsv = np.array([[[180 * column // cells, 95 if dark else 45, 175 + 8 * row if dark else 235]]], np.uint8)
    return tuple(int(c) for c in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])
