"""One primitive of a glTF 2.0 mesh: its triangles, attributes and material."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.engine import BadFile, Material
from nodes.image._pixels import to_srgb
from nodes.io import _gltf_material as materials
from nodes.io._gltf_data import AGAIN, DAMAGED, Array, Document
from nodes.io._parts import Part, checked_faces

TRIANGLES, STRIP, FAN = 4, 5, 6
DRACO = "KHR_draco_mesh_compression"
WIDTHS = {"POSITION": (3,), "NORMAL": (3,), "TEXCOORD": (2,), "COLOR": (3, 4), "JOINTS": (4,), "WEIGHTS": (4,)}
Bend = Callable[[Mapping[str, Array]], tuple[Array, Array | None]]


def read_primitive(
    document: Document, primitive: Mapping[str, Any], known: dict[int, Material], bend: Bend | None
) -> Part | None:
    """None, with a remark, for points and lines. ``known``: materials by number, each read once. ``bend``: gives the
    positions and normals of a mesh on a skeleton from its attributes."""
    mode = primitive.get("mode", TRIANGLES)
    if mode not in (TRIANGLES, STRIP, FAN) or "POSITION" not in primitive.get("attributes", {}):
        document.beside.warn("Points and lines in the file are left out.")
        return None
    index = primitive.get("material")
    if index is not None and index not in known:
        known[index] = materials.read_material(document, index)
    first, other = materials.main(document, index), materials.second(document, index)
    if other is None:  # a light map that no material names
        other = 1 if first.channel == 0 and "TEXCOORD_1" in primitive["attributes"] else None
    wanted = {"POSITION", "NORMAL", "COLOR_0", f"TEXCOORD_{first.channel}", f"TEXCOORD_{other}"}
    arrays, order = _arrays(document, primitive, wanted | ({"JOINTS_0", "WEIGHTS_0"} if bend else set()))
    vertices, normals = (arrays["POSITION"], arrays.get("NORMAL")) if bend is None else bend(arrays)
    faces = checked_faces(triangles(order, mode), len(vertices))
    return Part(
        vertices, faces, normals, upright(arrays.get(f"TEXCOORD_{first.channel}"), first.transform),
        _colours(arrays.get("COLOR_0")), None if index is None else known[index],
        second_uv=upright(arrays.get(f"TEXCOORD_{other}"), materials.AS_IT_IS),
    )  # fmt: skip


def _arrays(document: Document, primitive: Mapping[str, Any], wanted: set[str]) -> tuple[dict[str, Array], Array]:
    """The wanted attributes by name, and the order in which vertices make triangles."""
    attributes = {name: index for name, index in primitive["attributes"].items() if name in wanted}
    packed = primitive.get("extensions", {}).get(DRACO)
    arrays: dict[str, Array] = {}
    order: Array | None = None
    if packed is not None:
        from nodes.io._draco import unpacked

        data, start, size = document.view(packed.get("bufferView"))
        kinds = {name: document.item("accessors", index) for name, index in attributes.items()}
        arrays, order = unpacked(data[start : start + size], packed.get("attributes", {}), kinds)
    arrays |= {name: document.accessor(index) for name, index in attributes.items() if name not in arrays}
    count = len(arrays["POSITION"])
    for name, array in arrays.items():
        if len(array) != count or array.shape[1] not in WIDTHS[name.partition("_")[0]]:
            raise BadFile(f"{DAMAGED}: {name} has shape {array.shape} for {count:,} vertices.", AGAIN)
    if order is None and "indices" in primitive:
        order = document.accessor(primitive["indices"]).reshape(-1).astype(np.int64)
    return arrays, np.arange(count) if order is None else order


def triangles(order: Array, mode: int) -> Array:
    """(M, 3) from a list, a strip or a fan of vertices."""
    if mode == TRIANGLES:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if len(order) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == FAN:
        return np.column_stack([order[1:-1], order[2:], np.full(len(order) - 2, order[0])])
    triples = np.column_stack([order[:-2], order[1:-1], order[2:]])
    triples[1::2] = triples[1::2][:, [1, 0, 2]]
    return triples


def upright(uv: Array | None, transform: materials.Transform) -> Array | None:
    """UVs with KHR_texture_transform applied and the origin at the bottom left."""
    if uv is None:
        return None
    uv = uv.astype(np.float32, copy=False)
    if transform != materials.AS_IT_IS:
        uv = moved_uv(uv, transform)
    return np.column_stack([uv[:, 0], 1 - uv[:, 1]]).astype(np.float32)


def moved_uv(uv: Array, transform: materials.Transform) -> Array:
    """(N, 2) float64: scaled, turned, then moved, with the origin at the top left."""
    across, down, angle, wide, high = transform
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((uv.astype(np.float64) * (wide, high)) @ turn.T + (across, down))


def _colours(linear: Array | None) -> Array | None:
    """(N, 4) sRGB from linear RGB or RGBA."""
    if linear is None:
        return None
    clipped = np.clip(linear.astype(np.float32), 0, 1)
    alpha = clipped[:, 3:4] if clipped.shape[1] == 4 else np.ones((len(clipped), 1), np.float32)
    return np.column_stack([to_srgb(clipped[:, :3]), alpha])
