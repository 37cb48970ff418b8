"""GLB and glTF 2.0 (Khronos specification 2.0.1): the surfaces of the default scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine import BadFile, Material
from nodes.io._assembly import Assembly
from nodes.io._beside import Beside
from nodes.io._gltf_data import Document
from nodes.io._gltf_nodes import Placed, instances, objects, say_what_is_left_out
from nodes.io._gltf_primitive import read_primitive
from nodes.io._gltf_skin import Pose
from nodes.io._parts import Part

MOST_ROWS = 50_000_000


def read_gltf(data: bytes, beside: Beside) -> list[Part]:
    """One part for each primitive of each node, in its place. Points and lines are passed over."""
    return list(read_gltf_scene(data, beside).flat())


def read_gltf_scene(data: bytes, beside: Beside) -> Assembly:
    """The objects of the default scene, empties too; each glTF mesh once, as a part for each of its primitives.

    A mesh on a skeleton is bent as the nodes of the file stand, and then is where it is.
    """
    return _Reader(Document(data, beside)).read()


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.found = Assembly()
        self.nodes = list(objects(document))
        self._numbers: list[int] = []
        self._materials: dict[int, Material] = {}
        self._meshes: dict[tuple[Any, ...], tuple[int, ...]] = {}
        self._pose = Pose(document, self.nodes)
        self._room = MOST_ROWS

    def read(self) -> Assembly:
        say_what_is_left_out(self.document)
        for node in self.nodes:
            self._object(node)
        return self.found

    def _object(self, node: Placed) -> None:
        shows = self._mesh(node.entry) if "mesh" in node.entry else ()
        given = str(node.entry.get("name") or "")
        name = given or (self.found.parts[shows[0]].name if shows else "") or f"node {node.number}"
        many = instances(self.document, node.entry) if shows else []
        bent = bool(shows) and "skin" in node.entry
        parent = -1 if node.parent < 0 else self._numbers[node.parent]
        if bent and not node.entry.get("children"):
            self._numbers.append(self.found.add(name, shows))
            return
        self._numbers.append(self.found.add(name, () if many or bent else shows, node.matrix, parent))
        if bent:
            self.found.add(f"{name} mesh", shows)
        for k, place in enumerate(many):
            self.found.add(f"{name} {k + 1}", shows, place, self._numbers[-1])

    def _mesh(self, node: Mapping[str, Any]) -> tuple[int, ...]:
        """The numbers of a mesh's parts, read once. What it unfolds to is counted for every object."""
        key = (node["mesh"], node.get("skin"))
        if key not in self._meshes:
            entry = self.document.item("meshes", node["mesh"])
            bend = self._pose.bend(node["skin"]) if "skin" in node else None
            first = len(self.found.parts)
            for primitive in entry.get("primitives", []):
                part = read_primitive(self.document, primitive, self._materials, bend)
                if part is not None:
                    self.found.parts.append(part.named(str(entry.get("name") or node.get("name") or "")))
            self._meshes[key] = tuple(range(first, len(self.found.parts)))
        for number in self._meshes[key]:
            self._room -= len(self.found.parts[number].vertices) + len(self.found.parts[number].faces)
        if self._room < 0:
            raise BadFile("The file unfolds to more than 50 million vertices and faces.", "Use a smaller mesh.")
        return self._meshes[key]
