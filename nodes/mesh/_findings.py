"""What is wrong with which faces, and the mesh coloured by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh import _holes as holes
from nodes.mesh._measure import Layout, Skin, flat_faces, uv_turns
from nodes.mesh._mending import sheet_of
from nodes.mesh._topology import by_bands, face_vectors, turned, weld_bits

if TYPE_CHECKING:
    from nodes.mesh._bvh import Tree

Array = NDArray[Any]
Told = Callable[[float], None]
SOUND = (0.55, 0.57, 0.60)
COLOURS = {
    "holes": (0.95, 0.15, 0.15),
    "non-manifold": (0.85, 0.10, 0.75),
    "self-intersections": (1.00, 0.50, 0.00),
    "flipped": (0.15, 0.35, 1.00),
    "degenerate or duplicate": (0.45, 0.00, 0.60),
    "thin walls": (1.00, 0.85, 0.10),
    "UV overlap": (0.00, 0.75, 0.75),
    "mirrored UVs": (0.30, 0.85, 0.25),
    "UV stretch": (0.65, 0.45, 0.20),
    "sharp edges": (0.10, 0.10, 0.12),
}
PROBLEMS = tuple(kind for kind in COLOURS if kind != "sharp edges")
STRETCHED = 2.0


@dataclass(frozen=True)
class Findings:
    """``marks``: (M,) bool of all faces for each kind looked for. The numbers are None where they were not counted.

    ``crossings``: pairs of faces that run through one another. ``flipped``: faces wound against the rest of their
    part. ``flipped_parts``: closed parts that look inward. ``thin``: share of the area under the wall threshold,
    ``thinnest``: metres. ``sharp``: edges.
    """

    marks: dict[str, Array]
    crossings: int | None
    flipped: int
    flipped_parts: int
    thin: float
    thinnest: float
    sharp: int


def find(
    mesh: Mesh, skin: Skin, layout: Layout | None, wall: float, angle: float, search: bool, told: Told
) -> Findings:
    """``wall``: metres. ``angle``: degrees. ``search``: for faces that run through one another."""
    from nodes.mesh._bvh import build

    tree = build(skin.points, skin.faces) if len(skin.faces) else None
    told(0.1)
    marks = {"holes": skin.marked(skin.edges.at(skin.edges.boundary)), "non-manifold": _odd(skin)}
    crossings = None
    if search:
        crossings, marks["self-intersections"] = _crossed(skin, tree, lambda done: told(0.1 + 0.5 * done))
    marks["flipped"], faces, parts = _flipped(skin)
    bad = flat_faces(mesh) | ~skin.real
    bad[skin.real] |= skin.repeats
    marks["degenerate or duplicate"] = bad
    marks["thin walls"], thin, thinnest = _thin(skin, tree, wall, lambda done: told(0.6 + 0.4 * done))
    marks["sharp edges"], sharp = _sharp(skin, angle)
    if layout is not None:
        marks |= _uv_marks(mesh, layout)
    return Findings(marks, crossings, faces, parts, thin, thinnest, sharp)


def _odd(skin: Skin) -> Array:
    at_vertex = (skin.fan_count > 1)[skin.faces].any(axis=1)
    return skin.marked(skin.edges.at(skin.edges.crowded) | at_vertex)


def _crossed(skin: Skin, tree: Tree | None, told: Told) -> tuple[int | None, Array]:
    from nodes.mesh._crossing import crossings

    found = crossings(skin.points, skin.faces, told, tree)
    return len(found.pairs) if found.whole else None, skin.marked(found.faces(len(skin.faces)))


def _flipped(skin: Skin) -> tuple[Array, int, int]:
    """(faces to turn, how many are turned against their part, how many parts look inward)."""
    from nodes.mesh._winding import wind

    if not len(skin.faces):
        return skin.marked(np.zeros(0, bool)), 0, 0
    area = np.linalg.norm(face_vectors(skin.points, skin.faces), axis=1)
    flip, _ = wind(skin.faces, skin.edges.pairs, area, skin.edges.forward.ravel())
    part, inward = holes.inward_parts(sheet_of(skin.points, turned(skin.faces, flip)), skin.edges)
    return skin.marked(flip ^ inward[part]), int(flip.sum()), int(inward.sum())


def _thin(skin: Skin, tree: Tree | None, wall: float, told: Told) -> tuple[Array, float, float]:
    from nodes.mesh._walls import thickness

    found = np.zeros(0) if tree is None else thickness(tree, told)
    area = np.linalg.norm(face_vectors(skin.points, skin.faces), axis=1)
    share = float(area[found < wall].sum() / max(area.sum(), 1e-300))
    return skin.marked(found < wall), share, float(found.min(initial=np.inf))


def _sharp(skin: Skin, angle: float) -> tuple[Array, int]:
    normal, forward = face_vectors(skin.points, skin.faces), skin.edges.forward.ravel()
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    least, a = np.cos(np.radians(angle)) - 1e-6, skin.edges.pairs[:, 0]

    def is_sharp(pairs: Array) -> Array:
        one, other = pairs.T
        way = np.where(forward[one] == forward[other], -1.0, 1.0)
        return np.asarray(np.einsum("ij,ij->i", normal[one // 3], normal[other // 3]) * way < least)

    sharp = by_bands(is_sharp, skin.edges.pairs)
    marked = np.zeros(len(skin.edges.ends), bool)
    marked[skin.edges.sides.ravel()[a[sharp]]] = True
    return skin.marked(skin.edges.at(marked)), int(sharp.sum())


def _uv_marks(mesh: Mesh, layout: Layout) -> dict[str, Array]:
    from nodes.mesh._overlaps import overlapping

    assert mesh.uv is not None
    pulled = layout.stretch
    return {
        "UV overlap": overlapping(mesh.uv, mesh.faces),
        "mirrored UVs": uv_turns(mesh) < 0,
        "UV stretch": ((pulled.long > STRETCHED) | (pulled.short * STRETCHED < 1)) & (pulled.area > 0),
    }


def coloured(mesh: Mesh, marks: dict[str, Array], show: str) -> Mesh:
    """Faces in the colour of what is wrong with them, the first kind of COLOURS that applies; all others grey.

    ``show``: "nothing", "all problems" or one kind. Face groups: 0, or 1 and up in the order of COLOURS. Vertices are
    doubled where two colours meet.
    """
    group = np.zeros(len(mesh.faces), np.int32)
    for number, kind in reversed(list(enumerate(COLOURS, start=1))):
        if kind in marks and (show == kind or (show == "all problems" and kind in PROBLEMS)):
            group[marks[kind]] = number
    return painted(mesh, group, [SOUND, *COLOURS.values()])


def painted(mesh: Mesh, group: Array, colours: Sequence[tuple[float, float, float]]) -> Mesh:
    """Each face in one of ``colours`` (sRGB), by ``group`` (M,) int32; vertices are doubled where two colours meet."""
    vertex = weld_bits(np.stack([mesh.faces.ravel(), np.repeat(group, 3)], axis=1))
    source = mesh.faces.ravel()[vertex.first]
    table = np.array(colours, np.float32)
    paint = np.ones((vertex.count, 4), np.float32)
    paint[:, :3] = table[np.repeat(group, 3)[vertex.first]]
    return replace(
        mesh,
        vertices=mesh.vertices[source],
        faces=vertex.ids.reshape(-1, 3),
        normals=None if mesh.normals is None else mesh.normals[source],
        uv=None,
        colours=paint,
        material=None,
        face_groups=group,
    )
