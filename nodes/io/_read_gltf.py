"""GLB and glTF 2.0 (Khronos specification 2.0.1): the triangles of the default scene, moved into place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from app.engine import BadFile, Material
from nodes.image._pixels import to_srgb
from nodes.io._beside import Beside
from nodes.io._gltf_data import AGAIN, DAMAGED, Array, Document
from nodes.io._gltf_material import read_material, uv_source
from nodes.io._parts import Part, checked_faces

TRIANGLES, STRIP, FAN = 4, 5, 6
MOST_ROWS = 50_000_000
IDENTITY = np.eye(4)
ATTRIBUTES = {"POSITION": (3,), "NORMAL": (3,), "TEXCOORD": (2,), "COLOR": (3, 4)}


def read_gltf(data: bytes, beside: Beside) -> list[Part]:
    """One part for each primitive of each node. Skins stay in their bind pose; points and lines are passed over."""
    document = Document(data, beside)
    materials: dict[int, Material] = {}
    parts: list[Part] = []
    room = MOST_ROWS
    for node, matrix in _placed_nodes(document):
        for primitive in document.item("meshes", node["mesh"]).get("primitives", []):
            part = _part(document, primitive, matrix, materials)
            if part is not None:
                parts.append(part)
                room -= len(part.vertices) + len(part.faces)
            if room < 0:
                raise BadFile("The file unfolds to more than 50 million vertices and faces.", "Use a smaller mesh.")
    return parts


def _placed_nodes(document: Document) -> Iterator[tuple[Mapping[str, Any], Array]]:
    """Nodes with a mesh, and their (4, 4) matrix to the world. A node is visited once, whatever the file claims."""
    tree = document.tree
    scenes = tree.get("scenes", [])
    if scenes:
        roots = document.item("scenes", tree.get("scene", 0)).get("nodes", [])
    else:
        children = {child for node in tree.get("nodes", []) for child in node.get("children", [])}
        roots = [k for k in range(len(tree.get("nodes", []))) if k not in children]
    waiting = [(index, IDENTITY) for index in reversed(roots)]
    seen: set[int] = set()
    while waiting:
        index, above = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        node = document.item("nodes", index)
        matrix = above @ _local(node)
        if "skin" in node:
            document.beside.warn("The mesh has a skeleton; it is loaded in its bind pose.")
        if "mesh" in node:
            yield node, matrix
        waiting += [(child, matrix) for child in reversed(node.get("children", []))]


def _local(node: Mapping[str, Any]) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    if "rotation" in node:
        matrix[:3, :3] = _rotation(np.array(node["rotation"], np.float64).reshape(4))
    if "scale" in node:
        matrix[:3, :3] *= np.array(node["scale"], np.float64).reshape(3)
    if "translation" in node:
        matrix[:3, 3] = np.array(node["translation"], np.float64).reshape(3)
    return matrix


def _rotation(quaternion: Array) -> Array:
    """(3, 3) of a quaternion (x, y, z, w)."""
    length = float(np.linalg.norm(quaternion))
    x, y, z, w = quaternion / (length or 1.0)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _part(
    document: Document, primitive: Mapping[str, Any], matrix: Array, materials: dict[int, Material]
) -> Part | None:
    mode = primitive.get("mode", TRIANGLES)
    attributes = primitive.get("attributes", {})
    if mode not in (TRIANGLES, STRIP, FAN) or "POSITION" not in attributes:
        document.beside.warn("Points and lines in the file are left out.")
        return None
    if "KHR_draco_mesh_compression" in primitive.get("extensions", {}) and "bufferView" not in document.item(
        "accessors", attributes["POSITION"]
    ):
        raise BadFile("The file is compressed with Draco, which cannot be read.", "Export it uncompressed.")
    index = primitive.get("material")
    if index is not None and index not in materials:
        materials[index] = read_material(document, index)
    arrays = {name: document.accessor(attributes[name]) for name in attributes if name in _wanted(document, index)}
    vertices = arrays["POSITION"]
    for name, array in arrays.items():
        if len(array) != len(vertices) or array.shape[1] not in ATTRIBUTES[name.partition("_")[0]]:
            raise BadFile(f"{DAMAGED}: {name} has shape {array.shape} for {len(vertices):,} vertices.", AGAIN)
    faces = checked_faces(_triangles(document, primitive, len(vertices), mode), len(vertices))
    normals = arrays.get("NORMAL")
    if not np.array_equal(matrix, IDENTITY):
        vertices, normals, faces = _moved(vertices, normals, faces, matrix)
    uv = _uv(document, index, arrays)
    return Part(vertices, faces, normals, uv, _colours(arrays.get("COLOR_0")), materials.get(index))  # type: ignore[arg-type]


def _wanted(document: Document, material: int | None) -> tuple[str, ...]:
    return "POSITION", "NORMAL", "COLOR_0", f"TEXCOORD_{uv_source(document, material)[0]}"


def _triangles(document: Document, primitive: Mapping[str, Any], count: int, mode: int) -> Array:
    if "indices" in primitive:
        order = document.accessor(primitive["indices"]).reshape(-1).astype(np.int64)
    else:
        order = np.arange(count)
    if mode == TRIANGLES:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if len(order) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == FAN:
        return np.column_stack([order[1:-1], order[2:], np.full(len(order) - 2, order[0])])
    triples = np.column_stack([order[:-2], order[1:-1], order[2:]])
    triples[1::2] = triples[1::2][:, [1, 0, 2]]
    return triples


def _moved(vertices: Array, normals: Array | None, faces: Array, matrix: Array) -> tuple[Array, Array | None, Array]:
    linear = matrix[:3, :3]
    moved = vertices.astype(np.float64) @ linear.T + matrix[:3, 3]
    if np.linalg.det(linear) < 0:
        faces = faces[:, ::-1]
    if normals is None or abs(np.linalg.det(linear)) < 1e-30:
        return moved, None, faces
    turned = normals.astype(np.float64) @ np.linalg.inv(linear)
    return moved, turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-30), faces


def _uv(document: Document, material: int | None, arrays: Mapping[str, Array]) -> Array | None:
    """UVs with the origin at the bottom left."""
    channel, transform = uv_source(document, material)
    uv = arrays.get(f"TEXCOORD_{channel}")
    if uv is None:
        return None
    if transform:
        angle = float(transform.get("rotation", 0.0))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        scale, offset = (np.array(transform.get(k, d), float) for k, d in (("scale", (1, 1)), ("offset", (0, 0))))
        uv = (uv * scale) @ turn.T + offset
    return np.column_stack([uv[:, 0], 1 - uv[:, 1]]).astype(np.float32)


def _colours(linear: Array | None) -> Array | None:
    """(N, 4) sRGB from linear RGB or RGBA."""
    if linear is None:
        return None
    clipped = np.clip(linear.astype(np.float32), 0, 1)
    alpha = clipped[:, 3:4] if clipped.shape[1] == 4 else np.ones((len(clipped), 1), np.float32)
    return np.column_stack([to_srgb(clipped[:, :3]), alpha])
