"""New faces over the same shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Isolated, Mesh, Run, Setting, Slider, node
from nodes.io._quad_rows import quad_rows
from nodes.mesh._checks import need_faces
from nodes.mesh._remeshing import Colours, Sheet, dressed, sheet_of
from nodes.mesh._shading import creased, creased_along, smooth_normals
from nodes.mesh.repair import repair

Array = NDArray[Any]
Method = Literal["triangles", "quads", "voxels"]
MOST = 8_000_000
MOST_VOXELS = 500
MOST_ALONG, THREADS = 100_000, 10  # triangles along the longest side; times their whole number
EQUILATERAL, HALF_SQUARE = 0.4330127, 0.5  # area of a triangle with edges of 1
TRIES = (1.0, 1.05, 0.95, 1.1)  # shares of the number of quads, until a closed mesh stays closed
AFTER_VOXELS = 4  # rounds that make even triangles of the grid's slivers


@node("mesh.remesh", title="Remesh", group="Reduce and remesh", isolated=Isolated(limit_s=600))
def remesh(
    run: Run,
    mesh: Mesh,
    method: Annotated[
        Method,
        Setting(
            help="triangles: even and almost equilateral. quads: a grid that follows the shape, for retopology. "
            "voxels: one closed skin of what is inside; parts that overlap become one."
        ),
    ] = "triangles",
    size_by: Annotated[
        Literal["count", "edge length"], Setting(help="How fine: by the number of triangles or by the length of edges.")
    ] = "count",
    target_faces: Annotated[
        int, Slider(20, 2_000_000, log=True, unit="triangles", help="About so many; a quad is two triangles.")
    ] = 20_000,
    edge_length: Annotated[
        float, Slider(0.0001, 100, log=True, unit="m", help="Usual length of an edge, or size of a voxel.")
    ] = 0.02,
    adaptivity: Annotated[
        float,
        Slider(0, 1, step=0.05, help="Smaller triangles where the surface bends, larger where not. Triangles only."),
    ] = 0.0,
    feature_angle: Annotated[
        float, Slider(5, 180, unit="°", help="Edges sharper than this stay edges. 180: none do. Not for voxels.")
    ] = 40.0,
    keep_parts: Annotated[bool, Setting(help="Borders between parts (face groups) stay edges. Triangles only.")] = True,
    colours: Annotated[
        Colours, Setting(help="What the vertex colours of the result are taken from, at the nearest place.")
    ] = "vertex colours",
    rounds: Annotated[
        int, Slider(1, 50, help="How often triangles are split, joined, turned and evened out.", advanced=True)
    ] = 10,
) -> Mesh:
    """New faces over the same shape, even in size: the usual first step of retopology, before Unwrap UV and Bake.

    triangles keep borders, features, handles and parts, and closed stays closed (Botsch and Kobbelt 2004). quads come
    in pairs of triangles, which Export OBJ can write as quads (Instant Meshes, Jakob et al. 2015). UVs are lost.
    """
    need_faces(mesh)
    run.progress(0.0, "checking")
    sheet = sheet_of(mesh)
    count = _count(sheet, method, size_by, target_faces, edge_length)
    if method != "voxels":
        _need_width(sheet, count)
    if method == "voxels":
        bare = _voxels(run, sheet, count)
    elif method == "quads":
        bare = _quads(run, sheet, count, feature_angle)
    else:
        bare = _triangles(run, sheet, count, adaptivity, feature_angle, keep_parts, rounds)
    run.progress(0.9, "colours and parts")
    return dressed(run, mesh, bare, colours)


def _count(sheet: Sheet, method: Method, size_by: str, target: int, length: float) -> int:
    """Triangles to make."""
    if size_by == "count":
        return target
    count = sheet.area / ((HALF_SQUARE if method == "quads" else EQUILATERAL) * length**2)
    if count > MOST:
        raise BadInput(
            f"Edges of {length:g} m would need {count / 1e6:,.0f} million triangles on a mesh of {sheet.area:,.3g} m².",
            "Raise 'edge length', or size by count.",
        )
    return max(4, round(count))


def _need_width(sheet: Sheet, count: int) -> None:
    """A thread or a needle has room for few even triangles, each shorter than it is wide, and needs many along it."""
    along = sheet.size / np.sqrt(sheet.area / count / EQUILATERAL)
    if along > max(THREADS * count, MOST_ALONG):
        raise BadInput(
            f"The mesh is so thin for its length that {along:,.0f} triangles would be needed along it, to be even.",
            "Use Repair, which removes needles, use the method 'voxels', or ask for longer edges.",
        )


def _triangles(
    run: Run, sheet: Sheet, count: int, adaptivity: float, sharp: float, keep_parts: bool, rounds: int
) -> Mesh:
    from nodes.mesh._even import Order, remeshed

    groups = sheet.groups if keep_parts else None
    order = Order(count, sharp, adaptivity, rounds)
    found = remeshed(sheet.points, sheet.faces, groups, order, lambda done: run.progress(0.9 * done, "remeshing"))
    bare = Mesh.of(found.points, found.faces, face_groups=None if groups is None else found.groups)
    return creased_along(bare, found.sharp)


def _quads(run: Run, sheet: Sheet, count: int, sharp: float) -> Mesh:
    """The first grid that closes where the mesh does; else the one with the fewest gaps, mended with triangles."""
    from nodes.mesh._quads import in_pairs, quads

    closed, least, best = _open_edges(sheet.faces) == 0, 0, None
    for turn, share in enumerate(TRIES):
        run.progress(0.05 + 0.75 * turn / len(TRIES), "laying quads")
        points, found = quads(sheet.points, sheet.faces, max(1, round(count / 2 * share)), sharp)
        if not len(found):
            continue
        faces = in_pairs(points, found)
        gaps = _open_edges(faces) if closed else 0
        if best is None or gaps < least:
            best, least = Mesh.of(points, faces), gaps
        if not least:
            break
    if best is None:
        raise BadInput("No quads could be laid over this mesh.", "Put a Repair step before this one.")
    return creased(_closed_up(run, best) if least else best, sharp)


def _open_edges(faces: Array) -> int:
    """Edges that do not join exactly two faces."""
    from nodes.mesh._topology import edges_of

    return int((edges_of(faces).uses != 2).sum())


def _closed_up(run: Run, mesh: Mesh) -> Mesh:
    """The grid with its gaps filled; quads stay pairs of triangles that follow one another."""
    run.progress(0.8, "closing gaps")
    mended = repair(Run(stop=run.stop), mesh, weld=0.0, smallest_part=0.0).mesh
    if _open_edges(mended.faces):
        run.warn("The quads do not close everywhere, though the mesh did. Another number of triangles may help.")
        return mesh
    lone = int((quad_rows(mended.vertices, mended.faces)[:, 3] < 0).sum())
    run.warn(f"The grid had gaps, which are closed: {lone:,} triangles of {len(mended.faces):,} are in no quad.")
    return replace(mended, normals=None)


def _voxels(run: Run, sheet: Sheet, count: int) -> Mesh:
    from nodes.mesh._even import Order, remeshed
    from nodes.mesh._wrap import wrap

    voxels = sheet.size / np.sqrt(sheet.area / count / EQUILATERAL)
    if voxels > MOST_VOXELS:
        run.warn(
            f"{MOST_VOXELS} voxels along the longest side are the most there can be; {voxels:,.0f} were asked for."
        )
        count = round(count * (MOST_VOXELS / voxels) ** 2)
    voxels = float(np.clip(voxels, 4, MOST_VOXELS))
    found = wrap(sheet.points, sheet.faces, voxels, lambda done: run.progress(0.5 * done, "filling voxels"))
    if found is None:
        raise BadInput(
            "The mesh encloses nothing: it is an open sheet, or thinner than a voxel.",
            "Use smaller voxels, or the method 'triangles'.",
        )
    order, skin = Order(count, 180, rounds=AFTER_VOXELS), found[0].astype(np.float64)
    even = remeshed(skin, found[1], None, order, lambda done: run.progress(0.5 + 0.4 * done, "evening out"))
    points, faces = even.points.astype(np.float32), even.faces
    return Mesh(points, faces, smooth_normals(points, faces))
