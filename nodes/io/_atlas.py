"""A texture atlas: the maps of several materials on one sheet, with UVs moved to match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.engine import Image, Material
from nodes.io._factors import times_factor
from nodes.io._parts import Array, Part
from nodes.texture._scaling import Content, fitted

MAPS = ("base_colour", "normal", "metallic", "roughness", "occlusion", "emissive")
CONTENT: dict[str, Content] = {"base_colour": "colour", "emissive": "colour", "normal": "normal"}
NEUTRAL = {"normal": (0.5, 0.5, 1.0)}
LARGEST_SHEET = 4096
MOST_REPEATS = 16
PLAIN_CELL = 16
GUTTER = 8


def maps_of(material: Material | None) -> list[str]:
    """Names of the maps that a material has."""
    return [name for name in MAPS if getattr(material, name, None) is not None]


def surface_of(material: Material | None) -> tuple[float, ...]:
    """(metalness, roughness, red, green, blue glow): the factors that a vertex colour cannot show."""
    m = material or Material()
    return m.metallic_factor, m.roughness_factor, *m.emissive_factor


@dataclass(frozen=True)
class Cell:
    """Where a material lies in the sheet: the content's box in pixels from the left bottom, and its repeats."""

    material: Material
    size: tuple[int, int]
    repeats: tuple[int, int]
    left: int = 0
    bottom: int = 0

    @property
    def outer(self) -> tuple[int, int]:
        """Pixels with repeats and gutter, (width, height)."""
        return tuple(s * r + 2 * GUTTER for s, r in zip(self.size, self.repeats, strict=True))  # type: ignore[return-value]


@dataclass(frozen=True)
class Sheet:
    """One texture sheet for all parts."""

    sources: Sequence[Part]
    cells: dict[int, Cell]
    shifts: list[Array]
    size: tuple[int, int]

    def parts(self) -> list[Part]:
        return [self._moved(part, shift) for part, shift in zip(self.sources, self.shifts, strict=True)]

    def _moved(self, part: Part, shift: Array) -> Part:
        cell = self.cells[id(part.material)]
        centre = np.full((len(part.vertices), 2), 0.5)
        uv = centre if part.uv is None else part.uv.astype(np.float64) - shift
        pixels = uv * cell.size + (cell.left + GUTTER, cell.bottom + GUTTER)
        return replace(part, uv=(pixels / self.size).astype(np.float32))

    def material(self, main: Material) -> Material:
        used = {name for cell in self.cells.values() for name in maps_of(cell.material)} | {"base_colour"}
        if len({surface_of(cell.material)[:2] for cell in self.cells.values()}) > 1:
            used |= {"metallic", "roughness"}
        if len({surface_of(cell.material)[2:] for cell in self.cells.values()}) > 1:
            used |= {"emissive"}
        pictures: dict[str, Any] = {name: self._drawn(name) for name in MAPS if name in used}
        one = (1.0, 1.0, 1.0)
        return Material(
            name="atlas",
            base_factor=(*one, 1.0),
            metallic_factor=1.0 if "metallic" in used else main.metallic_factor,
            roughness_factor=1.0 if "roughness" in used else main.roughness_factor,
            emissive_factor=one if "emissive" in used else main.emissive_factor,
            alpha_mode=_alpha_mode([cell.material for cell in self.cells.values()]),
            double_sided=any(cell.material.double_sided for cell in self.cells.values()),
            alpha_cutoff=main.alpha_cutoff,
            unlit=all(cell.material.unlit for cell in self.cells.values()),
            **pictures,
        )

    def _drawn(self, name: str) -> Image:
        width, height = self.size
        pixels = np.ones((height, width, 4), np.float32)
        pixels[..., :3] = NEUTRAL.get(name, (1.0, 1.0, 1.0))
        for cell in self.cells.values():
            w, h = cell.outer
            top = height - cell.bottom - h
            pixels[top : top + h, cell.left : cell.left + w] = _content(cell, name)
        return Image(pixels, "srgb" if name in ("base_colour", "emissive") else "data")


def _alpha_mode(materials: Sequence[Material]) -> Any:
    modes = {material.alpha_mode for material in materials}
    return "blend" if "blend" in modes else "mask" if "mask" in modes else "opaque"


def _content(cell: Cell, name: str) -> Array:
    """(outer height, outer width, 4): the map times its factor, repeated, with a gutter that wraps around."""
    image = getattr(cell.material, name)
    solid = name == "base_colour" and cell.material.alpha_mode == "opaque"
    width, height = cell.size
    if image is None:
        tile = np.ones((height, width, 4), np.float32)
        tile[..., :3] = NEUTRAL.get(name, (1.0, 1.0, 1.0))
    else:
        tile = fitted(
            replace(image, pixels=opaque(image.pixels)) if solid else image, cell.size, CONTENT.get(name, "data")
        )
    tile = times_factor(tile, name, cell.material)
    tile = opaque(tile) if solid else tile
    gutter = ((GUTTER, GUTTER), (GUTTER, GUTTER), (0, 0))
    return np.pad(np.tile(tile, (cell.repeats[1], cell.repeats[0], 1)), gutter, "wrap")


def opaque(pixels: Array) -> Array:
    """(H, W, 4) with an alpha of 1."""
    return np.concatenate([pixels[..., :3], np.ones_like(pixels[..., 3:])], axis=-1)


def placed(parts: Sequence[Part]) -> Sheet | None:
    """All materials on one sheet of at most 4096 pixels a side, or None when they do not fit."""
    shifts = [_origin(part) for part in parts]
    cells: dict[int, Cell] = {}
    for part, shift in zip(parts, shifts, strict=True):
        repeats = (1, 1) if part.uv is None else _repeats(part.uv - shift)
        known = cells.get(id(part.material))
        if known:
            repeats = tuple(max(a, b) for a, b in zip(repeats, known.repeats, strict=True))  # type: ignore[assignment]
        if max(repeats) > MOST_REPEATS:
            return None
        material = part.material or Material()
        cells[id(part.material)] = Cell(material, _cell_size(material), repeats)
    for reduction in (1, 2, 4, 8):
        smaller = {key: replace(c, size=(_reduced(c.size[0], reduction), _reduced(c.size[1], reduction)))
                   for key, c in cells.items()}  # fmt: skip
        size, laid = _laid_out(smaller)
        if max(size) <= LARGEST_SHEET:
            return Sheet(parts, laid, shifts, size)
    return None


def _origin(part: Part) -> Array:
    return np.zeros(2) if part.uv is None else np.floor(part.uv.min(axis=0).astype(np.float64) + 1e-4)


def _repeats(uv: Array) -> tuple[int, int]:
    across, up = np.ceil(uv.max(axis=0) - 1e-4)
    return max(1, int(across)), max(1, int(up))


def _cell_size(material: Material) -> tuple[int, int]:
    sizes = [getattr(material, name).size for name in maps_of(material)]
    return (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else (PLAIN_CELL, PLAIN_CELL)


def _reduced(side: int, by: int) -> int:
    return max(min(side, PLAIN_CELL), side // by)


def _laid_out(cells: dict[int, Cell]) -> tuple[tuple[int, int], dict[int, Cell]]:
    """Shelves from the bottom, tallest cells first, about as wide as high. Returns the sheet's (width, height)."""
    order = sorted(cells, key=lambda key: cells[key].outer[::-1], reverse=True)
    area = sum(w * h for w, h in (cell.outer for cell in cells.values()))
    widest = max(max(cell.outer[0] for cell in cells.values()), int(np.sqrt(area) * 1.1))
    left = bottom = shelf = right = 0
    laid: dict[int, Cell] = {}
    for key in order:
        width, height = cells[key].outer
        if left and left + width > widest:
            left, bottom, shelf = 0, bottom + shelf, 0
        laid[key] = replace(cells[key], left=left, bottom=bottom)
        left, shelf, right = left + width, max(shelf, height), max(right, left + width)
    return (right, bottom + shelf), {key: laid[key] for key in cells}
