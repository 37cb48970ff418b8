"""Write a scene as binary glTF 2.0 (Khronos specification 2.0.1), each mesh, material and picture in it once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from app.engine import Mesh, Scene
from nodes.io._glb_buffer import Buffer, container
from nodes.io._glb_geometry import DRACO, Surface, primitive
from nodes.io._glb_material import Materials

IDENTITY = np.eye(4, dtype=np.float32)


def glb_bytes(
    scene: Scene,
    surfaces: Sequence[Surface],
    materials: Materials,
    asset: Mapping[str, Any],
    draco_bits: int = 0,
    tick: Callable[[float], None] = lambda share: None,
) -> bytes:
    """The whole ``.glb``. ``surfaces``: of each mesh of the scene, as it is to be written. ``asset``: what ``asset``
    says besides, such as ``copyright`` and ``extras``. ``draco_bits``: see :func:`primitive`. ``tick`` hears 0..1."""
    buffer = Buffer()
    meshes: list[Mesh] = [surface.mesh for surface in surfaces]
    materials.encode(buffer, meshes)
    primitives = []
    for number, surface in enumerate(surfaces):
        tick(number / len(surfaces))
        made = primitive(buffer, surface, draco_bits)
        primitives.append(made | {"material": materials.number(surface.mesh)})
    rows = {row: number for number, row in enumerate(dict.fromkeys(row for row in scene.parts if row))}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Polyloom", **asset},
        "scene": 0,
        "scenes": [{"nodes": np.flatnonzero(scene.parents < 0).tolist()}],
        "nodes": _nodes(scene, rows),
        "meshes": [{"name": meshes[row[0]].name, "primitives": [primitives[k] for k in row]} for row in rows],
        "materials": materials.entries,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.size}],
    }
    tables = {"images": materials.images, "textures": materials.textures, "samplers": materials.samplers}
    document |= {name: table for name, table in tables.items() if table}
    if used := _extensions(document):
        document["extensionsUsed"] = used
    if DRACO in used:
        document["extensionsRequired"] = [DRACO]
    return container(document, buffer)


def _nodes(scene: Scene, rows: Mapping[tuple[int, ...], int]) -> list[dict[str, Any]]:
    children: dict[int, list[int]] = {}
    for number, parent in enumerate(scene.parents.tolist()):
        children.setdefault(parent, []).append(number)
    found = []
    for number, (name, row) in enumerate(zip(scene.names, scene.parts, strict=True)):
        shown = {"mesh": rows[row]} if row else {}
        below = {"children": children[number]} if number in children else {}
        found.append({**shown, "name": name, **_placing(scene.places[number]), **below})
    return found


def _placing(place: np.ndarray) -> dict[str, list[float]]:
    """As the document says it, bit for bit: nothing, a translation, a scale with one, or the whole matrix."""
    linear, at = place[:3, :3], place[:3, 3].tolist()
    if np.array_equal(place, IDENTITY):
        return {}
    if np.array_equal(linear, IDENTITY[:3, :3]):
        return {"translation": at}
    if np.array_equal(linear, np.diag(np.diag(linear))):
        return (
            {"translation": at, "scale": np.diag(linear).tolist()} if any(at) else {"scale": np.diag(linear).tolist()}
        )
    return {"matrix": place.T.ravel().tolist()}


def _extensions(document: Mapping[str, Any]) -> list[str]:
    """Names of all extensions that stand anywhere in the document."""
    found: set[str] = set()
    waiting: list[Any] = [document["materials"], document["meshes"]]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= set(value.get("extensions", ()))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return sorted(found)
