"""3MF (Core Specification 1.3): meshes, components and build items, also spread over several model parts."""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._assembly import Assembly
from nodes.io._beside import Beside
from nodes.io._package import Package
from nodes.io._parts import Array, Part, split_corners, taken
from nodes.io._threemf_properties import Group, number_of, read_groups
from nodes.io._xml_rows import Document, Rows, attribute, child, local

METRES = {"micron": 1e-6, "millimeter": 1e-3, "centimeter": 1e-2, "inch": 0.0254, "foot": 0.3048, "meter": 1.0}
START = "3dmodel"
MOST_FACES = 100_000_000
MOST_OBJECTS = 100_000
DEEPEST = 64
AGAIN = "Export the file again."
Key = tuple[str, int]


@dataclass
class _Object:
    """One object: the numbers of its parts, or the components that it is put together from."""

    name: str
    parts: tuple[int, ...] = ()
    components: list[tuple[Key, Array]] = field(default_factory=list)


def read_3mf(data: bytes, beside: Beside) -> list[Part]:
    """Every build item in place, one part for each appearance of each object. Says its unit through ``beside``."""
    return list(read_3mf_scene(data, beside).flat())


def read_3mf_scene(data: bytes, beside: Beside) -> Assembly:
    """The build items and their components as objects; items that show the same object share its parts."""
    package = Package(data)
    book = _Book(package, beside)
    start = _start(package)
    root = book.open(start)
    unit = root.get("unit", "millimeter")
    if unit not in METRES:
        raise BadFile(f"The unit {unit[:40]!r} is not one that 3MF knows.", AGAIN)
    beside.says(METRES[unit], "+Z")
    build = child(root, "build")
    for item in build if build is not None else ():
        if local(item) == "item":
            book.place(_key(item, start, "objectid"), _matrix(item), -1, 0)
    if book.left_out:
        beside.warn(f"{book.left_out} support objects for the printer are left out.")
    return book.assembly


def _start(package: Package) -> str:
    """The model part that the package's relationships name."""
    relations = package.find("_rels/.rels")
    if relations:
        for relation in Document(package.read(relations)).root:
            if (relation.get("Type") or "").endswith(START) and (found := package.find(relation.get("Target") or "")):
                return found
    usual = package.find("3D/3dmodel.model")
    if usual is None:
        raise BadFile("The package holds no 3D model.", "Choose a 3MF file, or export it again.")
    return usual


def _key(element: Tree.Element, here: str, name: str) -> Key:
    """Production extension: ``path`` names another model part."""
    return (attribute(element, "path") or "/" + here).lstrip("/").lower(), number_of(element, name)


def _matrix(element: Tree.Element) -> Array:
    """(4, 4) for column vectors, from twelve numbers row by row for row vectors."""
    text = element.get("transform")
    matrix = np.eye(4)
    if text:
        numbers = np.array([float(word) for word in text.split()])
        if numbers.shape != (12,) or not np.isfinite(numbers).all():
            raise BadFile("A transform in the file is damaged.", AGAIN)
        matrix[:3] = numbers.reshape(4, 3).T
    return matrix


class _Book:
    """All objects of a package, read when they are asked for."""

    def __init__(self, package: Package, beside: Beside) -> None:
        self.package, self.beside = package, beside
        self.objects: dict[Key, _Object] = {}
        self.opened: dict[str, Tree.Element] = {}
        self.assembly = Assembly()
        self.left_out = self.faces = 0

    def open(self, name: str) -> Tree.Element:
        """Read a model part: its root."""
        small = name.lower()
        if small not in self.opened:
            document = Document(self.package.read(name))
            self.opened[small] = document.root
            if local(document.root) != "model":
                raise BadFile(f"{name[-80:]!r} in the package is no 3D model.", AGAIN)
            resources = child(document.root, "resources")
            if resources is not None:
                self._take(name, document, resources)
        return self.opened[small]

    def place(self, key: Key, matrix: Array, parent: int, depth: int) -> None:
        """Add an object and its components to the assembly, with (4, 4) matrices to their parents."""
        if key not in self.objects and key[0] not in self.opened and (name := self.package.find("/" + key[0])):
            self.open(name)
        if key not in self.objects:
            raise BadFile(f"The object {key[1]} that the file refers to is not in it.", AGAIN)
        if depth > DEEPEST:
            raise BadFile("Objects in the file contain one another without an end.", AGAIN)
        found = self.objects[key]
        self.faces += sum(len(self.assembly.parts[k].faces) for k in found.parts)
        if self.faces > MOST_FACES or len(self.assembly.names) >= MOST_OBJECTS:
            raise BadFile("The model has more than 100 million triangles or 100,000 objects.", "Reduce it first.")
        number = self.assembly.add(found.name, found.parts, matrix, parent)
        for inner, place in found.components:
            self.place(inner, place, number, depth + 1)

    def _take(self, name: str, document: Document, resources: Tree.Element) -> None:
        def picture(path: str) -> NDArray[np.uint8] | None:
            found = self.package.find(path, posixpath.dirname(name))
            return self.beside.inside(path, lambda: self.package.read(found) if found else None)

        groups = read_groups(resources, picture)
        for element in resources:
            if local(element) == "object":
                key = (name.lower(), number_of(element, "id"))
                if (element.get("type") or "model") in ("support", "solidsupport"):
                    self.left_out += 1
                    self.objects[key] = _Object("support")
                else:
                    self.objects[key] = self._object(element, name, document, groups)

    def _object(self, element: Tree.Element, here: str, document: Document, groups: dict[int, Group]) -> _Object:
        found = _Object(element.get("name") or f"object {number_of(element, 'id')}")
        mesh, components = child(element, "mesh"), child(element, "components")
        if mesh is not None:
            own = int(attribute(element, "pid") or -1), int(attribute(element, "pindex") or 0)
            rows = document.rows(child(mesh, "triangles"))
            parts = _parts(document.rows(child(mesh, "vertices")), rows, own, groups)
            first = len(self.assembly.parts)
            self.assembly.parts.extend(part.named(found.name) for part in parts)
            found.parts = tuple(range(first, len(self.assembly.parts)))
        for component in components if components is not None else ():
            found.components.append((_key(component, here, "objectid"), _matrix(component)))
        return found


def _parts(vertices: Rows, rows: Rows, own: tuple[int, int], groups: dict[int, Group]) -> Iterator[Part]:
    points = vertices.table("x", "y", "z")
    table = rows.whole("v1", "v2", "v3", "pid", "p1", "p2", "p3")
    faces = table[:, :3]
    if len(faces) and (faces.min() < 0 or faces.max() >= len(points)):
        raise BadFile("Triangles name vertices that the file does not have.", "Copy or export the file again.")
    pid = np.where(table[:, 3] < 0, own[0], table[:, 3])
    first = np.where(table[:, 4] >= 0, table[:, 4], np.where(pid == own[0], own[1], 0))
    members = np.where(table[:, 4:] >= 0, table[:, 4:], first[:, None])
    for number in np.unique(pid):
        chosen = pid == number
        group = groups.get(int(number), Group())
        if not len(group):
            yield _slim(Part(points, faces[chosen]))
        elif members[chosen].max() >= len(group):
            raise BadFile("Triangles name colours that the file does not have.", AGAIN)
        elif group.materials:
            for base in np.unique(members[chosen, 0]):
                same = chosen & (members[:, 0] == base)
                yield _slim(Part(points, faces[same], material=group.materials[base]))
        else:
            yield _cornered(points, faces[chosen], members[chosen], group)


def _slim(part: Part) -> Part:
    """Without the vertices that no face uses, where faces were shared out."""
    used, faces = np.unique(part.faces, return_inverse=True)
    if len(used) == len(part.vertices):
        return part
    return replace(part, vertices=part.vertices[used], faces=faces.reshape(-1, 3))


def _cornered(points: Array, faces: Array, members: Array, group: Group) -> Part:
    """A part whose corners have a colour or a place in a texture each."""
    (place, member), corner = split_corners([faces.reshape(-1), members.reshape(-1)], int(faces.max()) + 1)
    part = Part(points[place], corner.reshape(-1, 3), material=group.texture)
    if group.uv is not None:
        return _slim(replace(part, uv=taken(group.uv, member)))
    return _slim(replace(part, colours=taken(group.colours, member)))
