"""A scene as USD text (usda) and as a USDZ package (Usdz File Format Specification 1.3)."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Scene
from nodes.image._pixels import to_linear
from nodes.io._parts import Warn
from nodes.io._rows_text import rows_text
from nodes.io._usd_material import Materials
from nodes.io._usd_names import Names, indented, number, quoted
from nodes.io._written import unit_normals

ALIGNED = 64
PADDING_ID = 0x1986
TYPED = {1: (), 2: (b", ",), 3: (b", ", b", ")}


class Stage:
    """The text of a stage and the pictures that it names."""

    def __init__(self, scene: Scene, warn: Warn, longest: int = 0, jpeg: int = 0, folder: str = "textures/") -> None:
        self.scene = scene
        self._names = Names()
        self.root = "/" + self._names.fresh(scene.name or "scene")
        self.materials = Materials(self.root, warn, longest, jpeg, folder)
        self._shared = {m for m, uses in Counter(m for row in scene.parts for m in row).items() if uses > 1}
        self._shapes: dict[int, str] = {}

    def text(self, said: Mapping[str, str]) -> bytes:
        """The whole file. ``said``: texts for its ``customLayerData``."""
        names = Names()
        names.fresh("Materials")
        names.fresh("Shapes")
        children: dict[int, list[int]] = {}
        for k, parent in enumerate(self.scene.parents.tolist()):
            children.setdefault(parent, []).append(k)
        shapes = [self._mesh(self.scene.meshes[m], self._shape(m), False) for m in sorted(self._shared)]
        objects = [self._object(k, names, children) for k in children.get(-1, [])]
        inside = [_block(b'def Scope "Materials"', [text.encode() for text in self.materials.text])]
        inside += [_block(b'class Scope "Shapes"', shapes)] if shapes else []
        root = _block(f'def Xform "{self.root[1:]}" (kind = "component")'.encode(), [*inside, *objects])
        return _head(self.root[1:], said) + root

    def _shape(self, mesh: int) -> str:
        if mesh not in self._shapes:
            self._shapes[mesh] = f"shape_{len(self._shapes) + 1}"
        return self._shapes[mesh]

    def _object(self, k: int, siblings: Names, children: dict[int, list[int]]) -> bytes:
        name = siblings.fresh(self.scene.names[k])
        inside: list[bytes] = []
        place = self.scene.places[k]
        if not np.array_equal(place, np.eye(4)):
            rows = ", ".join(f"({', '.join(number(float(v)) for v in row)})" for row in place.T)
            inside.append(
                f"matrix4d xformOp:transform = ( {rows} )\n"
                f'uniform token[] xformOpOrder = ["xformOp:transform"]\n'.encode()
            )
        own = Names()
        for m in self.scene.parts[k]:
            mesh = self.scene.meshes[m]
            if m in self._shared:
                inside.append(self._reference(mesh, own.fresh(mesh.name), m))
            else:
                inside.append(self._mesh(mesh, own.fresh(mesh.name), True))
        inside += [self._object(child, own, children) for child in children.get(k, [])]
        title = self.scene.names[k]
        label = f" (displayName = {quoted(title)})" if title != name else ""
        return _block(f'def Xform "{name}"{label}'.encode(), inside)

    def _reference(self, mesh: Mesh, name: str, number: int) -> bytes:
        bound = self._binding(mesh)
        api = 'prepend apiSchemas = ["MaterialBindingAPI"]\n' if bound else ""
        head = f'def Mesh "{name}" (\n{api}prepend references = <{self.root}/Shapes/{self._shape(number)}>\n)'
        return _block(head.encode(), [bound])

    def _binding(self, mesh: Mesh) -> bytes:
        path = self.materials.path(mesh)
        return f"rel material:binding = <{path}>\n".encode() if path else b""

    def _mesh(self, mesh: Mesh, name: str, bind: bool) -> bytes:
        mesh = unit_normals(mesh)
        bound = self._binding(mesh) if bind else b""
        double = mesh.material is not None and mesh.material.double_sided
        low, high = mesh.bounds
        lines = [
            f"uniform bool doubleSided = {int(double)}\n".encode(),
            b"float3[] extent = [" + _values(np.stack([low, high])) + b"]\n",
            b"int[] faceVertexCounts = [" + b", ".join([b"3"] * len(mesh.faces)) + b"]\n",
            b"int[] faceVertexIndices = [" + _values(mesh.faces.reshape(-1, 1)) + b"]\n",
            bound,
            b"point3f[] points = [" + _values(mesh.vertices) + b"]\n",
            _vertex("normal3f[] normals", mesh.normals),
            _vertex("texCoord2f[] primvars:st", mesh.uv),
            *_colours(mesh),
            b'uniform token subdivisionScheme = "none"\n',
        ]
        api = ' (prepend apiSchemas = ["MaterialBindingAPI"])' if bound else ""
        return _block(f'def Mesh "{name}"{api}'.encode(), lines)


def _colours(mesh: Mesh) -> Sequence[bytes]:
    if mesh.colours is None:
        return ()
    factor = np.array(mesh.material.base_factor if mesh.material else (1, 1, 1, 1), np.float32)
    colours = np.nan_to_num(mesh.colours)
    shown = _vertex("color3f[] primvars:displayColor", to_linear(np.ascontiguousarray(colours[:, :3])) * factor[:3])
    if float(colours[:, 3].min(initial=1)) == 1:
        return (shown,)
    return shown, _vertex("float[] primvars:displayOpacity", colours[:, 3:] * factor[3])


def _vertex(what: str, values: NDArray[Any] | None) -> bytes:
    """An attribute with one value for each vertex."""
    if values is None:
        return b""
    return what.encode() + b" = [" + _values(values) + b'] (interpolation = "vertex")\n'


def _values(rows: NDArray[Any]) -> bytes:
    """(N, 1) as numbers, (N, 2) and (N, 3) as tuples, parted by commas."""
    if not len(rows):
        return b""
    opening, closing = (b"", b", ") if rows.shape[1] == 1 else (b"(", b"), ")
    return rows_text(rows, opening, *TYPED[rows.shape[1]], closing)[:-2]


def _block(head: bytes, lines: Sequence[bytes]) -> bytes:
    """A prim. Long lines of numbers stay as they are; only what holds further prims is not indented."""
    return head + b"\n{\n" + b"".join(lines) + b"}\n"


def _head(root: str, said: Mapping[str, str]) -> bytes:
    data = [f"string {name} = {quoted(text)}" for name, text in said.items()]
    layer = ["customLayerData = {", indented(data), "}"] if data else []
    lines = [*layer, f'defaultPrim = "{root}"', "metersPerUnit = 1", 'upAxis = "Y"']
    return f"#usda 1.0\n(\n{indented(lines)}\n)\n\n".encode()


def usdz_bytes(files: Mapping[str, bytes]) -> bytes:
    """Files in a zip archive without compression, each beginning at a multiple of 64 bytes; the stage comes first."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            gap = -(out.tell() + 30 + len(name.encode()) + 4) % ALIGNED
            entry.extra = PADDING_ID.to_bytes(2, "little") + gap.to_bytes(2, "little") + bytes(gap)
            package.writestr(entry, data)
    return out.getvalue()
