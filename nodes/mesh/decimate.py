"""Fewer triangles, same shape."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run, Setting, Slider, node
from nodes.mesh._attributes import carry
from nodes.mesh._checks import need_sound, need_uv
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import Ints, collapsed, edges_of, fans, weld_points, weld_rows

Array = NDArray[Any]
GENTLE, ROUGH = 3, 8


@node("mesh.decimate", title="Decimate")
def decimate(
    run: Run,
    mesh: Mesh,
    target_faces: Annotated[
        int, Slider(4, 5_000_000, log=True, unit="triangles", help="The result never has more triangles than this.")
    ] = 20_000,
    keep_uv: Annotated[
        bool,
        Setting(
            label="Keep UVs", help="Textures stay in place. Off: a little closer to the shape; UVs and textures go."
        ),
    ] = True,
) -> Mesh:
    """Fewer triangles, same shape. UVs and materials are kept, and a closed mesh stays closed.

    For the fewest triangles turn `keep_uv` off and follow with Unwrap UV and Bake.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    if len(mesh.faces) <= target_faces:
        return mesh
    run.progress(0.05, "simplifying")
    if mesh.uv is not None and keep_uv:
        need_uv(mesh)
        return _along_seams(run, mesh, target_faces)
    vertices, faces = _welded(mesh)
    if len(faces) > target_faces:
        vertices, faces = _simplified(run, vertices, faces, target_faces)
    run.progress(0.8, "attributes")
    bare = Mesh.of(vertices, faces, normals=smooth_normals(vertices.astype(np.float32), faces), name=mesh.name)
    return carry(mesh, bare)


def _along_seams(run: Run, mesh: Mesh, target: int) -> Mesh:
    """Vertices move onto neighbours, along seams where they lie on one: every attribute stays exact."""
    assert mesh.uv is not None
    place, wedge = weld_points(mesh.vertices), weld_rows(np.concatenate([mesh.vertices, mesh.uv], axis=1))
    faces = wedge.ids[mesh.faces]
    wedge_place = place.ids[wedge.first]
    real = np.flatnonzero(~collapsed(wedge_place[faces]))
    _some(len(real))
    points = mesh.vertices[place.first].astype(np.float64)
    kept, which = _collapsed(run, points, mesh.uv[wedge.first].astype(np.float64), wedge_place, faces[real], target)
    used, compact = np.unique(kept, return_inverse=True)
    source, faces = wedge.first[used], compact.reshape(-1, 3).astype(np.int32)
    return Mesh(
        vertices=mesh.vertices[source],
        faces=faces,
        normals=smooth_normals(mesh.vertices[source], faces),
        uv=mesh.uv[source],
        colours=None if mesh.colours is None else mesh.colours[source],
        material=mesh.material,
        face_groups=None if mesh.face_groups is None else mesh.face_groups[real[which]],
        name=mesh.name,
    )


def _collapsed(run: Run, points: Array, uv: Array, place: Ints, faces: Ints, target: int) -> tuple[Ints, Ints]:
    from nodes.mesh._collapse import collapse

    kept, which = collapse(points, uv, place, faces, target, run.check)
    if len(kept) > target:
        run.warn(f"{len(kept):,} triangles are the fewest this mesh allows; {target:,} were asked for.")
    return kept, which


def _some(count: int) -> None:
    if not count:
        raise BadInput("All faces of the mesh have collapsed to lines or points.", "Check the mesh that comes in.")


def _welded(mesh: Mesh) -> tuple[Array, Ints]:
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    real = ~collapsed(faces)
    _some(int(real.sum()))
    return mesh.vertices[weld.first].astype(np.float64), np.ascontiguousarray(faces[real])


def _simplified(run: Run, vertices: Array, faces: Ints, target: int) -> tuple[Array, Ints]:
    """Quadric edge collapse (Garland and Heckbert 1997): the gentlest schedule that reaches the target and keeps a
    closed manifold closed; own collapse, which always does, where none will."""
    from fast_simplification import simplify

    closed = _closed(faces)
    for agg in range(GENTLE, ROUGH + 1):
        run.check()
        points, kept = simplify(vertices, faces, target_count=target, agg=agg)
        kept = np.ascontiguousarray(kept, np.int32)
        if 0 < len(kept) <= target and (not closed or _closed(kept)):
            return points, kept
    every = np.arange(len(vertices), dtype=np.int32)
    kept, _ = _collapsed(run, vertices, np.zeros((len(vertices), 2)), every, faces, target)
    used, compact = np.unique(kept, return_inverse=True)
    return vertices[used], compact.reshape(-1, 3).astype(np.int32)


def _closed(faces: Ints) -> bool:
    """Every edge has two faces, and the faces around every vertex form one fan."""
    edges = edges_of(faces)
    return bool((edges.uses == 2).all()) and fans(edges, faces)[0] == len(np.unique(faces))
