"""The numbers that rules are about, each measured only when a rule asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app.engine import Files, Image, Material, Mesh, Report, Run
from nodes.io._licences import named, non_commercial, unstated
from nodes.mesh._budget import budget_rows
from nodes.mesh._measure import Layout, Shape, Skin, measure, measure_uv, skin_of

FLOOR = 1e-3


@dataclass(frozen=True)
class Asset:
    """``files`` and ``lods``: what an export and a LOD chain gave, where they are connected. ``least_wall``: metres,
    what walls should have."""

    run: Run
    mesh: Mesh
    files: Files | None = None
    lods: Report | None = None
    least_wall: float = 0.0

    @cached_property
    def skin(self) -> Skin:
        return skin_of(self.mesh)

    @cached_property
    def shape(self) -> Shape:
        return measure(self.mesh, self.skin)

    @cached_property
    def layout(self) -> Layout | None:
        good = self.mesh.uv is not None and np.isfinite(self.mesh.uv).all()
        return measure_uv(self.mesh, self.shape.area) if good else None

    @cached_property
    def maps(self) -> list[Image]:
        material = self.mesh.material
        return [] if material is None else [m for n in Material.MAPS if (m := getattr(material, n)) is not None]

    @cached_property
    def budget(self) -> dict[str, Any]:
        return dict(budget_rows(self.mesh.material))

    @property
    def size(self) -> float:
        low, high = self.mesh.bounds
        return float((high.astype(np.float64) - low).max())

    @cached_property
    def levels(self) -> list[int] | None:
        """Triangles of each level."""
        if self.lods is None:
            return None
        rows = dict(self.lods.rows)

        return [int(rows[f"LOD{k} triangles"]) for k in range(len(rows)) if f"LOD{k} triangles" in rows]

    def crossings(self) -> int | None:
        from nodes.mesh._crossing import crossings

        found = crossings(self.skin.points, self.skin.faces, lambda _: self.run.check())
        return len(found.pairs) if found.whole else None

    def wall(self) -> float | None:
        from nodes.mesh._bvh import build
        from nodes.mesh._walls import thickness, walls_below

        low, high = self.mesh.bounds
        skin, least = self.skin, self.least_wall
        if not len(skin.faces):
            return None
        found = thickness(build(skin.points - (low + high) / 2, skin.faces), lambda _: self.run.check())
        walls = (found >= least) | walls_below(skin, found, least)
        thinnest = float(found[walls].min(initial=np.inf))
        return thinnest * 1000 if np.isfinite(thinnest) else None


def _density(asset: Asset, end: int) -> float | None:
    both = asset.layout.densities if asset.layout is not None else None
    return None if both is None else both[end]


def _files_mb(asset: Asset) -> float | None:
    return None if asset.files is None else sum(c.nbytes for c in asset.files.contents) / 1e6


MEASURES: dict[str, Callable[[Asset], float | bool | None]] = {
    "max_triangles": lambda a: len(a.mesh.faces),
    "max_vertices": lambda a: len(a.mesh.vertices),
    "max_parts": lambda a: a.shape.parts,
    "max_materials": lambda a: a.budget["materials"],
    "max_textures": lambda a: len(a.maps),
    "max_texture_px": lambda a: a.budget["largest texture (px)"],
    "max_texture_mb": lambda a: a.budget["textures on the card, BC7 (MB)"],
    "power_of_two": lambda a: all(side & (side - 1) == 0 for m in a.maps for side in m.size),
    "min_texels_per_m": lambda a: _density(a, 0),
    "max_texels_per_m": lambda a: _density(a, 1),
    "uvs": lambda a: a.layout is not None,
    "uvs_in_square": lambda a: None if a.layout is None else a.layout.outside == 0,
    "max_uv_overlap": lambda a: None if a.layout is None else a.layout.overlap,
    "normals": lambda a: a.mesh.normals is not None,
    "watertight": lambda a: a.shape.watertight,
    "manifold": lambda a: a.shape.manifold,
    "max_degenerate": lambda a: a.shape.degenerate + a.shape.duplicate,
    "max_intersections": lambda a: a.crossings(),
    "min_wall_mm": lambda a: a.wall(),
    "min_size_m": lambda a: a.size,
    "max_size_m": lambda a: a.size,
    "on_floor": lambda a: bool(abs(float(a.mesh.bounds[0][1])) <= FLOOR * a.size),
    "max_file_mb": _files_mb,
    "min_lods": lambda a: None if a.levels is None else len(a.levels),
    "licences_stated": lambda a: not unstated(a.run.credits),
    "commercial_use": lambda a: not non_commercial(a.run.credits),
    "max_last_lod_triangles": lambda a: a.levels[-1] if a.levels else None,
}

WHICH: dict[str, Callable[[Asset], str]] = {
    "licences_stated": lambda a: named(unstated(a.run.credits)),
    "commercial_use": lambda a: named(non_commercial(a.run.credits)),
}
