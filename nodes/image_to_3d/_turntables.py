"""Meshes side by side: equally tall, before the same camera, one row each, with what is known about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Mesh
from nodes.image._sheet import Style, fitted, put, sheet, words
from nodes.mesh._camera import camera, fitting_distance, reach
from nodes.mesh._render import render, subject

Float32 = NDArray[np.float32]
Array = NDArray[Any]
FOV = 30.0
PANEL = 0.9
CLAY = (0.72, 0.71, 0.69, 1.0)


@dataclass(frozen=True)
class Row:
    """``pictures``: of one cell each; where there are none, ``trouble`` is written in their place."""

    title: str
    facts: str
    pictures: tuple[Image, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Stage:
    """``views``: how many, at even steps from the front to the right. ``elevation``: degrees. ``size``: pixels."""

    views: int
    elevation: float
    size: int
    clay: bool = False

    @property
    def cell(self) -> tuple[int, int]:
        return self.size, self.size


def levelled(mesh: Mesh) -> Mesh:
    """One metre tall, with the middle of its box at the origin. A mesh without height: one metre at its longest."""
    low, high = (corner.astype(np.float64) for corner in mesh.bounds)
    extent = high - low
    tall = float(extent[1]) if extent[1] > 1e-3 * extent.max() else float(extent.max())
    at = (mesh.vertices - (low + high) / 2) / max(tall, 1e-12)
    return replace(mesh, vertices=at.astype(np.float32))


def turntables(meshes: Sequence[Mesh], stage: Stage, told: Callable[[float], None]) -> list[tuple[Image, ...]]:
    """Pictures of each mesh on nothing, lit, from cameras that are the same for all and see all of the largest."""
    ready = [levelled(mesh) for mesh in meshes]
    distance = fitting_distance(max((reach(mesh) for mesh in ready), default=1.0), FOV, stage.cell)
    rows = []
    for number, mesh in enumerate(ready):
        shown = subject(_bare(mesh) if stage.clay else mesh)
        pictures = []
        for view in range(stage.views):
            told((number + view / stage.views) / len(ready))
            place = camera(360 * view / stage.views, stage.elevation, distance, FOV, stage.cell)
            seen = render(shown, *place, stage.cell, "soft", finer=2)
            pictures.append(Image(np.concatenate([seen.colour, seen.alpha[..., None]], axis=-1)))
        rows.append(tuple(pictures))
    return rows


def _bare(mesh: Mesh) -> Mesh:
    colours = np.broadcast_to(np.array(CLAY, np.float32), (len(mesh.vertices), 4))
    return replace(mesh, material=None, uv=None, colours=colours)


def sheet_of(rows: Sequence[Row], stage: Stage) -> Image:
    """Words on the left, pictures on the right."""
    style = Style(stage.cell, gap=max(4, stage.size // 32))
    panel = round(stage.size * PANEL)
    strip = stage.views * stage.size + (stage.views - 1) * style.gap
    cells = [[_panel(row, style, panel), _strip(row, style, strip)] for row in rows]
    return Image(sheet(cells, style, widths=(panel, strip)))


def _panel(row: Row, style: Style, width: int) -> Float32:
    size = style.cell[1]
    inset = style.gap
    part = np.zeros((size, width, 4), np.float32)
    letters = max(11.0, size / 16)
    title = words(row.title, letters * 1.15, style.ink, (width - inset, round(letters * 1.6 * 2)))
    used = int(np.flatnonzero(title[..., 3].max(axis=1))[-1]) + round(letters * 0.7) if title[..., 3].any() else 0
    put(part, title, inset, inset)
    put(part, words(row.facts, letters * 0.85, style.pale, (width - inset, size - inset - used)), inset, inset + used)
    return part


def _strip(row: Row, style: Style, width: int) -> Float32:
    part = np.zeros((style.cell[1], width, 4), np.float32)
    if not row.pictures:
        letters = max(11.0, style.cell[1] / 18)
        put(part, words(row.trouble, letters, style.pale, (width, style.cell[1] - style.gap)), 0, style.gap)
    for number, picture in enumerate(row.pictures):
        shown = fitted(picture, style.cell)
        left = number * (style.cell[0] + style.gap) + (style.cell[0] - shown.shape[1]) // 2
        put(part, shown, left, (style.cell[1] - shown.shape[0]) // 2)
    return part
