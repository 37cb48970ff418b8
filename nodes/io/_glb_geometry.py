"""The triangles of a mesh as a glTF 2.0 primitive, plain or packed by Draco."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh
from nodes.image._pixels import to_linear
from nodes.io._glb_buffer import ARRAY, ELEMENT, FLOAT, UINT16, UINT32, Buffer
from nodes.io._gltf_material import AS_IT_IS, Transform
from nodes.io._tangents import with_tangents
from nodes.io._written import unit_normals

Array = NDArray[Any]
DRACO = "KHR_draco_mesh_compression"


class Surface(NamedTuple):
    """A mesh to write, with unit normals; ``tangents``: (N, 4) or None; ``second_uv``: (N, 2) or None."""

    mesh: Mesh
    tangents: NDArray[np.float32] | None
    second_uv: NDArray[np.float32] | None


def surface_of(mesh: Mesh, second_uv: NDArray[np.float32] | None) -> Surface:
    """With unit normals, and with tangents where a normal map follows the first UVs."""
    mesh = unit_normals(mesh)
    material = mesh.material
    if mesh.uv is None or material is None or material.normal is None or "normal" in material.second_uv:
        return Surface(mesh, None, second_uv)
    split, tangents = with_tangents(mesh)
    if second_uv is not None and len(split.vertices) != len(mesh.vertices):
        source = np.arange(len(split.vertices))
        source[split.faces.ravel()] = mesh.faces.ravel()
        second_uv = second_uv[source]
    return Surface(split, tangents, second_uv)


def placing_of(material: Material | None) -> Transform:
    """What a writer takes out of the UVs and says beside the maps; nothing where it cannot be taken out."""
    found = dict(material.transforms if material else ()).get("uv", AS_IT_IS)
    return found if found[3] and found[4] else AS_IT_IS


def primitive(buffer: Buffer, surface: Surface, draco_bits: int) -> dict[str, Any]:
    """``draco_bits``: bits for each coordinate of a position when packed by Draco, 0 for plain arrays."""
    arrays = _attributes(surface)
    if draco_bits and len(surface.mesh.faces):
        return _packed(buffer, surface, arrays, draco_bits)
    names = {name: buffer.accessor(a, kind, component, ARRAY, **extra) for name, (a, kind, component, extra) in arrays}
    return {"attributes": names, "indices": _indices(buffer, surface.mesh)}


def _attributes(surface: Surface) -> list[tuple[str, tuple[Array, str, int, dict[str, Any]]]]:
    mesh, (low, high) = surface.mesh, surface.mesh.bounds
    bounds = {"min": [float(v) for v in low], "max": [float(v) for v in high]}
    found: list[tuple[str, tuple[Array, str, int, dict[str, Any]]]] = [
        ("POSITION", (mesh.vertices, "VEC3", FLOAT, bounds))
    ]
    if mesh.normals is not None:
        found.append(("NORMAL", (mesh.normals, "VEC3", FLOAT, {})))
    if surface.tangents is not None:
        found.append(("TANGENT", (surface.tangents, "VEC4", FLOAT, {})))
    if mesh.uv is not None:
        found.append(("TEXCOORD_0", (_down(mesh.uv, placing_of(mesh.material)), "VEC2", FLOAT, {})))
    if surface.second_uv is not None:
        name = "TEXCOORD_1" if mesh.uv is not None else "TEXCOORD_0"
        found.append((name, (_down(surface.second_uv, AS_IT_IS), "VEC2", FLOAT, {})))
    if mesh.colours is not None:
        found.append(("COLOR_0", (_linear_colours(mesh.colours), "VEC4", UINT16, {"normalized": True})))
    return found


def _down(uv: Array, placing: Transform) -> NDArray[np.float32]:
    """UVs with the origin at the top left, before ``placing`` moves them."""
    down = np.empty_like(uv, np.float32)
    down[:, 0] = uv[:, 0]
    np.subtract(1, uv[:, 1], out=down[:, 1])
    if placing == AS_IT_IS:
        return down
    across, below, angle, wide, high = placing
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (down.astype(np.float64) - (across, below)) @ turn.T / (wide, high)
    return np.ascontiguousarray(moved, np.float32)


def _linear_colours(colours: NDArray[np.float32]) -> NDArray[np.uint16]:
    clipped = np.clip(np.nan_to_num(colours), 0, 1)
    clipped[:, :3] = to_linear(clipped[:, :3])
    return np.rint(clipped * 65535).astype(np.uint16)


def _indices(buffer: Buffer, mesh: Mesh) -> int:
    short = len(mesh.vertices) <= 65535
    flat = mesh.faces.reshape(-1)
    flat = flat.astype(np.uint16) if short else flat.view(np.uint32)
    return buffer.accessor(flat, "SCALAR", UINT16 if short else UINT32, ELEMENT)


def _packed(
    buffer: Buffer, surface: Surface, arrays: list[tuple[str, tuple[Array, str, int, dict[str, Any]]]], bits: int
) -> dict[str, Any]:
    """Accessors describe what comes out of the packed data, which may be another number of vertices."""
    from nodes.io._draco import packed

    data, ids, count, corners, (low, high) = packed({name: row[0] for name, row in arrays}, surface.mesh.faces, bits)
    view = buffer.view(data)
    names = {}
    for name, (_, kind, component, extra) in arrays:
        bounds = {"min": low, "max": high} if name == "POSITION" else extra
        names[name] = buffer.described(count, kind, component, **bounds)
    order = buffer.described(corners, "SCALAR", UINT16 if count <= 65535 else UINT32)
    extension = {"bufferView": view, "attributes": ids}
    return {"attributes": names, "indices": order, "extensions": {DRACO: extension}}
