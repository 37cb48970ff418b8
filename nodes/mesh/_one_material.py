"""One material for meshes that come together in one: links carry meshes with one material each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from app.engine import Image, Material, Mesh


def under_one(meshes: Sequence[Mesh], warn: Callable[[str], None]) -> list[Mesh]:
    """The meshes with one material between them. Textures go onto one sheet and UVs move to match; plain colours
    become vertex colours. What is lost on the way is said in words. A single material stays as it is."""
    from nodes.io._combine import combined
    from nodes.io._parts import Part

    materials: list[Material | None] = []
    for mesh in meshes:
        known = next((m for m in materials if alike(m, mesh.material)), mesh.material)
        materials.append(known)
    if len({id(material) for material in materials}) == 1:
        return [replace(mesh, material=materials[0]) for mesh in meshes]
    given = [
        Part(mesh.vertices, mesh.faces, mesh.normals, mesh.uv, mesh.colours, material)
        for mesh, material in zip(meshes, materials, strict=True)
    ]
    parts, one = combined(given, warn)
    if one.name == "atlas":
        width, height = one.base_colour.size if one.base_colour else (0, 0)
        warn(f"The materials were put onto one texture sheet of {width:,} x {height:,} pixels; UVs moved to match.")
    return [
        replace(mesh, uv=part.uv, colours=part.colours, material=one) for mesh, part in zip(meshes, parts, strict=True)
    ]


def alike(one: Any, other: Any) -> bool:
    """Whether two materials, or two of their values, look the same by content; names do not count."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Material):
        return all(alike(getattr(one, f.name), getattr(other, f.name)) for f in fields(Material) if f.name != "name")
    if isinstance(one, Image):
        return one.space == other.space and np.array_equal(one.pixels, other.pixels)
    return bool(one == other)
