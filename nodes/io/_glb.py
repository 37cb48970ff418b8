"""Write a mesh as binary glTF 2.0 (Khronos specification 2.0.1): one node, one primitive, pictures inside."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh
from nodes.image._pixels import to_linear
from nodes.io._textures import Encoded

ARRAY, ELEMENT = 34962, 34963
FLOAT, UINT16, UINT32 = 5126, 5123, 5125
ALPHA = {"opaque": "OPAQUE", "mask": "MASK", "blend": "BLEND"}
STRENGTH = "KHR_materials_emissive_strength"
GREY = (0.6, 0.6, 0.6, 1.0)


@dataclass
class Buffer:
    """Collects the binary chunk; every part starts at a multiple of four bytes."""

    parts: list[bytes] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0

    def view(self, data: bytes, **extra: int) -> int:
        self.views.append({"buffer": 0, "byteOffset": self.size, "byteLength": len(data), **extra})
        padding = bytes(-len(data) % 4)
        self.parts += [data, padding]
        self.size += len(data) + len(padding)
        return len(self.views) - 1

    def accessor(self, array: NDArray[Any], kind: str, component: int, target: int, **extra: Any) -> int:
        view = self.view(np.ascontiguousarray(array).tobytes(), target=target)
        entry = {"bufferView": view, "componentType": component, "count": len(array), "type": kind, **extra}
        self.accessors.append(entry)
        return len(self.accessors) - 1


def glb_bytes(
    mesh: Mesh, tangents: NDArray[np.float32] | None, textures: dict[str, Encoded], asset: Mapping[str, Any]
) -> bytes:
    """The whole ``.glb``. ``mesh``: triangles with finite positions and unit normals. ``tangents``: (N, 4) or None.

    ``textures``: encoded pictures under ``base_colour``, ``orm``, ``normal`` and ``emissive``. ``asset``: what
    ``asset`` says besides, such as ``copyright`` and ``extras``.
    """
    buffer = Buffer()
    primitive: dict[str, Any] = {
        "attributes": _attributes(buffer, mesh, tangents),
        "indices": _indices(buffer, mesh),
        "material": 0,
    }
    material, images = _material(buffer, mesh, textures)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Polyloom", **asset},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": mesh.name}],
        "meshes": [{"name": mesh.name, "primitives": [primitive]}],
        "materials": [material],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.size}],
    }
    if images:
        document |= {"images": images, "textures": [{"source": k} for k in range(len(images))]}
    if "extensions" in material:
        document["extensionsUsed"] = list(material["extensions"])
    return _container(document, buffer)


def _attributes(buffer: Buffer, mesh: Mesh, tangents: NDArray[np.float32] | None) -> dict[str, int]:
    low, high = mesh.bounds
    bounds = {"min": [float(v) for v in low], "max": [float(v) for v in high]}
    names = {"POSITION": buffer.accessor(mesh.vertices, "VEC3", FLOAT, ARRAY, **bounds)}
    if mesh.normals is not None:
        names["NORMAL"] = buffer.accessor(mesh.normals, "VEC3", FLOAT, ARRAY)
    if tangents is not None:
        names["TANGENT"] = buffer.accessor(tangents, "VEC4", FLOAT, ARRAY)
    if mesh.uv is not None:
        down = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])
        names["TEXCOORD_0"] = buffer.accessor(down, "VEC2", FLOAT, ARRAY)
    if mesh.colours is not None:
        names["COLOR_0"] = buffer.accessor(_linear_colours(mesh.colours), "VEC4", UINT16, ARRAY, normalized=True)
    return names


def _linear_colours(colours: NDArray[np.float32]) -> NDArray[np.uint16]:
    clipped = np.clip(np.nan_to_num(colours), 0, 1)
    clipped[:, :3] = to_linear(clipped[:, :3])
    return np.rint(clipped * 65535).astype(np.uint16)


def _indices(buffer: Buffer, mesh: Mesh) -> int:
    short = len(mesh.vertices) <= 65535
    flat = mesh.faces.reshape(-1).astype(np.uint16 if short else np.uint32)
    return buffer.accessor(flat, "SCALAR", UINT16 if short else UINT32, ELEMENT)


def _material(buffer: Buffer, mesh: Mesh, textures: dict[str, Encoded]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    source = mesh.material or Material("neutral", base_factor=GREY if mesh.colours is None else (1.0, 1.0, 1.0, 1.0))
    index = {name: {"index": k} for k, name in enumerate(textures)}
    images = [
        {"bufferView": buffer.view(picture.data), "mimeType": picture.mime, "name": name}
        for name, picture in textures.items()
    ]
    pbr: dict[str, Any] = {
        "baseColorFactor": _unit_range(source.base_factor),
        "metallicFactor": _unit_range((source.metallic_factor,))[0],
        "roughnessFactor": _unit_range((source.roughness_factor,))[0],
    }
    if "base_colour" in index:
        pbr["baseColorTexture"] = index["base_colour"]
    if "orm" in index and (source.roughness is not None or source.metallic is not None):
        pbr["metallicRoughnessTexture"] = index["orm"]
    result: dict[str, Any] = {"name": source.name, "pbrMetallicRoughness": pbr}
    if "orm" in index and source.occlusion is not None:
        result["occlusionTexture"] = index["orm"]
    if "normal" in index:
        result["normalTexture"] = index["normal"]
    if "emissive" in index:
        result["emissiveTexture"] = index["emissive"]
    if any(source.emissive_factor):
        strength = max(1.0, *source.emissive_factor)
        result["emissiveFactor"] = _unit_range(tuple(v / strength for v in source.emissive_factor))
        if strength > 1:
            result["extensions"] = {STRENGTH: {"emissiveStrength": float(strength)}}
    result |= {"alphaMode": ALPHA[source.alpha_mode], "doubleSided": source.double_sided}
    return result, images


def _unit_range(values: tuple[float, ...]) -> list[float]:
    return [min(1.0, max(0.0, float(v))) for v in values]


def _container(document: dict[str, Any], buffer: Buffer) -> bytes:
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.size
    head = struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON")
    return b"".join([head, text, struct.pack("<I4s", buffer.size, b"BIN\0"), *buffer.parts])
