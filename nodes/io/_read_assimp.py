"""FBX, COLLADA and 3DS through the Assimp library. It is native code that may crash or hang on damaged files: the
loading nodes run in a helper process with a time limit."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np

from app.engine import BadFile, Material
from nodes.io._assembly import Assembly
from nodes.io._assimp_material import UInt8, material_of
from nodes.io._axes import Up, turned
from nodes.io._beside import Beside
from nodes.io._fbx_file import Inside, fbx_inside
from nodes.io._parts import Array, Part

HELPERS = "_$AssimpFbx$_"
MOST_OBJECTS = 200_000
MOST_FACES = 100_000_000
DEEPEST = 400
AGAIN = "Export the file again, or as GLB."


def read_assimp(data: bytes, beside: Beside) -> list[Part]:
    """Every mesh in place. Says units and axes through ``beside``."""
    return list(read_assimp_scene(data, beside).flat())


def read_assimp_scene(data: bytes, beside: Beside) -> Assembly:
    """The file's nodes with meshes as objects, in their hierarchy, at rest: without bones and animations."""
    import assimp_py

    path = beside.folder / beside.file
    steps = assimp_py.Process_Triangulate | assimp_py.Process_JoinIdenticalVertices | assimp_py.Process_SortByPType
    try:
        scene = assimp_py.import_file(str(path), steps | assimp_py.Process_FindInvalidData)
    except UnicodeDecodeError:
        raise BadFile(f"{path.name} holds names in an unknown alphabet.", AGAIN) from None
    except (RuntimeError, FileNotFoundError, MemoryError) as error:
        reason = str(error).rpartition("': ")[2].strip().rstrip(".")[:160] or "it is damaged"
        raise BadFile(f"{path.name} cannot be read: {reason}.", AGAIN) from error
    fbx = beside.file.lower().endswith(".fbx")
    inside = fbx_inside(data) if fbx else Inside(1.0, {})
    return _Walk(scene, beside, inside, fbx).assembly


class _Walk:
    """One pass over the nodes."""

    def __init__(self, scene: Any, beside: Beside, inside: Inside, fbx: bool) -> None:
        self.assembly = Assembly()
        self._beside, self._inside = beside, inside
        self._numbers = self._parts(scene, [material_of(entry, self._find, fbx) for entry in scene.materials or ()])
        self.faces = 0
        root = np.array(scene.root_node.transformation, np.float64).reshape(4, 4)
        metres, up, rest = _frame(root)
        beside.says(metres * inside.metres, up)
        self._add(scene.root_node, rest, -1, 0)
        self._trim()

    def _find(self, name: str) -> UInt8 | None:
        """A picture inside the file, else one beside it."""
        base = PurePosixPath(name.replace("\\", "/")).name
        content = self._inside.pictures.get(base.lower())
        return self._beside.inside(base, lambda: content) if content else self._beside.picture(name.removeprefix("./"))

    def _parts(self, scene: Any, materials: list[Material]) -> list[int | None]:
        """The number of the part of each mesh; None for points and lines."""
        numbers: list[int | None] = []
        for mesh in scene.meshes or ():
            part = _part(mesh, materials)
            numbers.append(None if part is None else len(self.assembly.parts))
            if part is not None:
                self.assembly.parts.append(part)
        return numbers

    def _add(self, node: Any, matrix: Array, parent: int, depth: int) -> None:
        """An object for each node; steps that the importer put between FBX nodes are joined with what they lead to."""
        if depth > DEEPEST or len(self.assembly.names) > MOST_OBJECTS:
            raise BadFile("The file holds too many objects.", AGAIN)
        if not np.isfinite(matrix).all():
            raise BadFile("A place in the file is not a number.", AGAIN)
        number, onward = parent, matrix
        if HELPERS not in node.name:
            shows = tuple(k for m in node.mesh_indices or () if (k := self._numbers[m]) is not None)
            self.faces += sum(len(self.assembly.parts[k].faces) for k in shows)
            if self.faces > MOST_FACES:
                raise BadFile("The model has more than 100 million triangles.", "Reduce it first.")
            number, onward = self.assembly.add(node.name or "object", shows, matrix, parent), np.eye(4)
        for child in node.children or ():
            place = np.array(child.transformation, np.float64).reshape(4, 4)
            self._add(child, onward @ place, number, depth + 1)

    def _trim(self) -> None:
        """Leave out objects under which nothing is to be seen, and the root that the importer adds."""
        found = self.assembly
        wanted = [bool(row) for row in found.shows]
        for k in range(len(found.names) - 1, -1, -1):
            if wanted[k] and found.parents[k] >= 0:
                wanted[found.parents[k]] = True
        if found.names and not found.shows[0] and np.array_equal(found.places[0], np.eye(4)):
            wanted[0] = False
        kept = [k for k, keep in enumerate(wanted) if keep]
        number = {k: place for place, k in enumerate(kept)}
        found.names[:] = [found.names[k] for k in kept]
        found.shows[:] = [found.shows[k] for k in kept]
        found.places[:] = [found.places[k] for k in kept]
        found.parents[:] = [number.get(found.parents[k], -1) for k in kept]


def _frame(root: Array) -> tuple[float, Up, Array]:
    """(scale, up axis, what is left) of the root's matrix, into which the importer puts unit and axes of the file."""
    volume = float(np.linalg.det(root[:3, :3]))
    scale = round(float(np.cbrt(volume)), 9) if volume > 0 else 0.0
    if scale > 0 and np.isfinite(root).all() and not root[:3, 3].any():
        axes: tuple[Up, ...] = ("+Y", "+Z")
        for up in axes:
            if np.allclose(root[:3, :3] / scale, turned(np.eye(3), up, "+Y").T, atol=1e-4):
                return scale, up, np.eye(4)
    return 1.0, "+Y", root


def _part(mesh: Any, materials: list[Material]) -> Part | None:
    if not mesh.num_faces or mesh.num_indices != 3 * mesh.num_faces:
        return None
    count = mesh.num_vertices
    faces = np.asarray(mesh.indices).reshape(-1, 3).astype(np.int64)
    if faces.max(initial=0) >= count:
        raise BadFile("Triangles name vertices that the file does not have.", "Copy or export the file again.")
    uv = _rows(mesh.texcoords[0], count) if mesh.texcoords else None
    colours = _rows(mesh.colors[0], count) if mesh.colors else None
    number = mesh.material_index
    return Part(
        _rows(mesh.vertices, count),
        faces,
        normals=None if mesh.normals is None else _rows(mesh.normals, count),
        uv=None if uv is None or uv.shape[1] < 2 else uv[:, :2],
        colours=None if colours is None or colours.shape[1] != 4 else np.clip(colours, 0, 1),
        material=materials[number] if 0 <= number < len(materials) else None,
        name=mesh.name or "mesh",
    )


def _rows(values: Any, count: int) -> Array:
    """(N, K) float32 of a flat view into the importer's memory, copied."""
    return np.array(values, np.float32).reshape(count, -1)
