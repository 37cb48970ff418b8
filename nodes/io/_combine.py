"""Several materials to one: shared factors and vertex colours where nothing is textured, else an atlas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.engine import Material
from nodes.image._pixels import to_srgb
from nodes.io._atlas import maps_of, placed, surface_of
from nodes.io._neutral import neutral
from nodes.io._parts import Array, Part, Warn


def combined(parts: Sequence[Part], warn: Warn) -> tuple[list[Part], Material]:
    """The parts changed so that one material serves all of them, and that material. Says in words what was lost.

    A part without a material keeps its neutral grey.
    """
    parts = [part if part.material else replace(part, material=neutral(part.colours is not None)) for part in parts]
    main = _largest(parts)
    _say_what_differs(parts, warn)
    if not any(maps_of(part.material) for part in parts):
        if len({surface_of(part.material) for part in parts}) > 1:
            warn("The parts differ in metalness, roughness or glow; those of the largest part are used for all.")
        plain = replace(main, base_factor=(1.0, 1.0, 1.0, 1.0), layers=(), unlit=_all_unlit(parts))
        return [replace(part, colours=_painted(part), material=plain) for part in parts], plain
    sheet = placed(parts)
    if sheet is None:
        warn("The materials do not fit one texture; the one that covers most of the surface is used for all parts.")
        return [replace(part, material=main) for part in parts], main
    return sheet.parts(), sheet.material(main)


def _say_what_differs(parts: Sequence[Part], warn: Warn) -> None:
    """Of what no map can hold."""
    materials = [part.material or Material() for part in parts]
    names = sorted({layer.partition(".")[0] for m in materials for layer, _ in m.layers} - {"sampler"})
    if names:
        warn(f"One material has no place for {', '.join(names)} of some parts; Load scene keeps them.")
    if len({m.unlit for m in materials}) > 1:
        warn("Some parts are unlit and some are not; all are lit now.")


def _all_unlit(parts: Sequence[Part]) -> bool:
    return all((part.material or Material()).unlit for part in parts)


def _largest(parts: Sequence[Part]) -> Material:
    area: dict[int, float] = {}
    for part in parts:
        a, b, c = (part.vertices[part.faces[:, k]].astype(np.float64) for k in range(3))
        size = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
        area[id(part.material)] = area.get(id(part.material), 0.0) + size
    return max(parts, key=lambda part: area[id(part.material)]).material or Material()


def _painted(part: Part) -> Array:
    """Vertex colours that show the base factor."""
    factor = _shown((part.material or Material()).base_factor)
    own = np.ones((len(part.vertices), 4), np.float32) if part.colours is None else part.colours
    return (own * factor).astype(np.float32)


def _shown(factor: tuple[float, float, float, float]) -> NDArray[np.float32]:
    value = np.array(factor, np.float32)
    return np.concatenate([to_srgb(value[:3]), value[3:]])
