"""The hierarchy of a glTF 2.0 document: its objects, parents before children, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nodes.io._gltf_data import Array, Document

INSTANCING = "EXT_mesh_gpu_instancing"
LEFT_OUT = {
    "skins": "a skeleton; the mesh is loaded in the pose of the file",
    "animations": "animation",
    "cameras": "cameras",
}


class Placed(NamedTuple):
    """A node of the document: its entry, its number there, (4, 4) to its parent, and which of the nodes before it the
    parent is, -1 for none."""

    entry: Mapping[str, Any]
    number: int
    matrix: Array
    parent: int


def objects(document: Document) -> Iterator[Placed]:
    """Nodes of the default scene. A node is visited once, whatever the file claims."""
    waiting = [(index, -1) for index in reversed(_roots(document))]
    seen: set[int] = set()
    while waiting:
        index, parent = waiting.pop()
        if index in seen:
            continue
        entry = document.item("nodes", index)
        yield Placed(entry, index, local(entry), parent)
        waiting += [(child, len(seen)) for child in reversed(entry.get("children", []))]
        seen.add(index)


def _roots(document: Document) -> list[int]:
    tree = document.tree
    scenes = tree.get("scenes", [])
    if scenes:
        if len(scenes) > 1:
            document.beside.warn(f"The file has {len(scenes)} scenes; the one it shows by default is loaded.")
        return list(document.item("scenes", tree.get("scene", 0)).get("nodes", []))
    children = {child for node in tree.get("nodes", []) for child in node.get("children", [])}
    return [k for k in range(len(tree.get("nodes", []))) if k not in children]


def local(node: Mapping[str, Any]) -> Array:
    """(4, 4) float64 of a node to its parent."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    turn = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    return placing(node.get("translation", (0, 0, 0)), turn, node.get("scale", (1, 1, 1)))


def placing(translation: Any, rotation: Any, scale: Any) -> Array:
    """(4, 4) of a translation, a quaternion (x, y, z, w) and a scale, each as it stands in a file."""
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(np.array(rotation, np.float64).reshape(4)) * np.array(scale, np.float64).reshape(3)
    matrix[:3, 3] = np.array(translation, np.float64).reshape(3)
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


def instances(document: Document, entry: Mapping[str, Any]) -> list[Array]:
    """The places that EXT_mesh_gpu_instancing gives a node's mesh, (4, 4) each to the node; none where it has none."""
    found = entry.get("extensions", {}).get(INSTANCING, {}).get("attributes", {})
    rows = {name: document.accessor(found[name]) for name in ("TRANSLATION", "ROTATION", "SCALE") if name in found}
    count = min((len(array) for array in rows.values()), default=0)
    empty = {"TRANSLATION": (0.0, 0.0, 0.0), "ROTATION": (0.0, 0.0, 0.0, 1.0), "SCALE": (1.0, 1.0, 1.0)}
    return [placing(*(rows[name][k] if name in rows else value for name, value in empty.items())) for k in range(count)]


def say_what_is_left_out(document: Document) -> None:
    """One remark on all that a still scene of surfaces cannot keep."""
    tree = document.tree
    found = [words for key, words in LEFT_OUT.items() if tree.get(key)]
    if "KHR_lights_punctual" in tree.get("extensions", {}):
        found.append("lights")
    if any("targets" in p for mesh in tree.get("meshes", []) for p in mesh.get("primitives", [])):
        found.append("morph targets; the mesh is loaded in its base shape")
    if found:
        document.beside.warn(f"Not kept: {', '.join(sorted(found, key=len))}.")
