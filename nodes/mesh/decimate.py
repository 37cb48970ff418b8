"""Fewer triangles, same shape."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Run, Slider, node
from nodes.mesh._attributes import carry
from nodes.mesh._checks import need_sound
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import Ints, collapsed, edges_of, fans, weld_points

Array = NDArray[Any]
GENTLE, ROUGH = 3, 8


@node("mesh.decimate", title="Decimate")
def decimate(
    run: Run,
    mesh: Mesh,
    target_faces: Annotated[
        int, Slider(4, 5_000_000, log=True, unit="triangles", help="The result never has more triangles than this.")
    ] = 20_000,
    keep_uv: bool = False,
) -> Mesh:
    """Fewer triangles, same shape. A closed mesh stays closed.

    Colours per vertex are kept. UVs and textures are dropped unless `keep_uv` is on; the usual order is Decimate,
    Unwrap UV, then Bake to bring colours and detail back.
    """
    need_sound(mesh)
    if len(mesh.faces) <= target_faces:
        return mesh
    vertices, faces = _welded(mesh)
    if len(faces) > target_faces:
        run.progress(0.05, "simplifying")
        vertices, faces = _simplified(run, vertices, faces, target_faces)
    run.progress(0.8, "attributes")
    bare = Mesh.of(vertices, faces, normals=smooth_normals(vertices.astype(np.float32), faces), name=mesh.name)
    _say(run, mesh, keep_uv)
    return carry(mesh, bare, keep_uv)


def _welded(mesh: Mesh) -> tuple[Array, Ints]:
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    real = ~collapsed(faces)
    if not real.any():
        raise BadInput("All faces of the mesh have collapsed to lines or points.", "Check the mesh that comes in.")
    return mesh.vertices[weld.first].astype(np.float64), np.ascontiguousarray(faces[real])


def _simplified(run: Run, vertices: Array, faces: Ints, target: int) -> tuple[Array, Ints]:
    """Quadric edge collapse (Garland and Heckbert 1997): the gentlest schedule that reaches the target and keeps a
    closed manifold closed."""
    from fast_simplification import simplify

    closed = _closed(faces)
    best: tuple[Array, Ints] | None = None
    for agg in range(GENTLE, ROUGH + 1):
        run.check()
        points, kept = simplify(vertices, faces, target_count=target, agg=agg)
        kept = np.ascontiguousarray(kept, np.int32)
        if len(kept) and (best is None or len(kept) < len(best[1])):
            best = points, kept
        if 0 < len(kept) <= target and (not closed or _closed(kept)):
            return points, kept
    if best is None:
        raise BadInput("The mesh cannot be simplified.", "Put a Repair step before this one.")
    if len(best[1]) > target:
        run.warn(f"{len(best[1]):,} triangles are the fewest this mesh allows; {target:,} were asked for.")
    elif closed:
        run.warn("The mesh is no longer closed at so few triangles; a Repair step after this one closes it.")
    return best


def _closed(faces: Ints) -> bool:
    """Every edge has two faces, and the faces around every vertex form one fan."""
    edges = edges_of(faces)
    return bool((edges.uses == 2).all()) and fans(edges, faces)[0] == len(np.unique(faces))


def _say(run: Run, mesh: Mesh, keep_uv: bool) -> None:
    if mesh.uv is None:
        return
    if keep_uv:
        run.warn("UVs were carried over by the nearest point; expect smears where the texture has seams.")
    else:
        run.warn("UVs and textures were dropped. Follow with Unwrap UV and Bake to bring them back.")
