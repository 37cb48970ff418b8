"""Points on the surface of a mesh."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, PointCloud, Run, Seed, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import face_vectors, weld_points
from nodes.points._cloud import unit

Array = NDArray[Any]
Method = Literal["poisson disk", "random", "vertices"]
MOST = 20_000_000
MORE = 4
DENSER = 12


@node("points.from_mesh", title="Mesh to points")
def from_mesh(
    run: Run,
    mesh: Mesh,
    method: Annotated[
        Method,
        Setting(
            help="poisson disk: evenly, like a good scan. random: equally likely everywhere. vertices: those of the "
            "mesh."
        ),
    ] = "poisson disk",
    count: Annotated[int, Slider(1, 10_000_000, log=True, unit="points")] = 20_000,
    spacing: Annotated[
        float,
        Slider(0, 1000, unit="m", help="Instead of a number: no two points closer than this. 0: by the number."),
    ] = 0.0,
    normals: Annotated[bool, Setting(help="Give every point the normal of the surface.")] = True,
    colours: Annotated[bool, Setting(help="From the base colour texture, else from vertex colours.")] = True,
    seed: Annotated[int, Seed(help="Another choice of points; not for vertices.")] = 0,
) -> PointCloud:
    """Points on the surface of a mesh, with the normals and colours found there.

    A number of evenly spread points is reached by sample elimination (Yuksel 2015), a spacing by dart throwing.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    if method == "vertices":
        used = np.unique(mesh.faces)
        first = used[weld_points(mesh.vertices[used]).first]
        return _at_vertices(mesh, first, normals, colours)
    vectors = face_vectors(mesh.vertices, mesh.faces)
    area = np.linalg.norm(vectors, axis=1) / 2
    if not area.sum() > 0:
        raise BadInput("The mesh has no area: every triangle is a line or a point.", "Connect another mesh.")
    face, share = _chosen(run, mesh, area, method, count, spacing, seed)
    run.progress(0.95, "normals and colours")
    return _at_places(mesh, face, share, normals, colours)


def _chosen(
    run: Run, mesh: Mesh, area: Array, method: Method, count: int, spacing: float, seed: int
) -> tuple[Array, Array]:
    """((N,) faces, (N, 3) shares of their corners) of the points."""
    total = float(area.sum())
    if spacing:
        count = max(1, round(total / (spacing**2 * math.sqrt(3) / 2)))
    even = method == "poisson disk"
    candidates = count * (DENSER if spacing else MORE) if even else count
    if candidates > MOST * (MORE if even else 1):
        raise BadInput(f"That would be about {count:,} points.", "Choose a larger spacing or a smaller number.")
    random = np.random.default_rng(seed)
    run.progress(0.1, "choosing places")
    face, share = scattered(area, candidates, random)
    if not even:
        return face, share
    from nodes.points._disk import apart, eliminated

    low, high = mesh.bounds
    middle = (low + high) / 2
    at = np.einsum("ij,ijk->ik", share, mesh.vertices[mesh.faces[face]] - middle)
    if spacing:
        kept = apart(at, spacing, seed)
    else:
        kept = eliminated(at, count, total, seed, lambda done: run.progress(0.2 + 0.7 * done, "spreading"))
    return face[kept], share[kept]


def scattered(area: Array, count: int, random: np.random.Generator) -> tuple[Array, Array]:
    """((count,) faces, (count, 3) shares of corners): equal shares of the area, a random place in each."""
    upto = np.cumsum(area)
    at = (np.arange(count) + random.random(count)) / count * upto[-1]
    face = np.minimum(np.searchsorted(upto, at, side="right"), len(upto) - 1)
    along, across = np.sqrt(random.random(count)), random.random(count)
    return face, np.stack([1 - along, along * (1 - across), along * across], axis=1)


def _at_vertices(mesh: Mesh, which: Array, normals: bool, colours: bool) -> PointCloud:
    found = None
    if normals:
        found = mesh.normals if mesh.normals is not None else smooth_normals(mesh.vertices, mesh.faces)
        found = unit(found[which])
    return PointCloud(mesh.vertices[which], _painted(mesh, mesh.uv, mesh.colours, which) if colours else None, found)


def _at_places(mesh: Mesh, face: Array, share: Array, normals: bool, colours: bool) -> PointCloud:
    corner = mesh.faces[face]

    def blended(values: Array) -> Array:
        total = share[:, :1] * values[corner[:, 0]]
        total += share[:, 1:2] * values[corner[:, 1]]
        total += share[:, 2:] * values[corner[:, 2]]
        return total.astype(np.float32)

    found = None
    if normals:
        found = mesh.normals if mesh.normals is not None else smooth_normals(mesh.vertices, mesh.faces)
        found = unit(blended(found))
    paint = None
    if colours:
        uv = None if mesh.uv is None else blended(mesh.uv)
        paint = _painted(mesh, uv, None if mesh.colours is None else blended(mesh.colours), slice(None))
    return PointCloud(blended(mesh.vertices), paint, found)


def _painted(mesh: Mesh, uv: Array | None, colours: Array | None, which: Any) -> Array | None:
    """(N, 4) sRGB: the texture where there is one, else vertex colours, else the colour of the material."""
    material = mesh.material
    if material is not None and material.base_colour is not None and uv is not None and np.isfinite(uv).all():
        from nodes.texture._loops import look_up

        return look_up(material.base_colour.pixels, uv[which]).clip(0, 1)
    if colours is not None:
        return np.asarray(colours[which].clip(0, 1))
    return None
