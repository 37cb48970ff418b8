"""Smooth a mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound
from nodes.mesh._shading import corner_angles, grouped_normals
from nodes.mesh._topology import Ints, edges_of, signed_volume, weld_points, weld_rows

Array = NDArray[Any]
PASS_BAND = 0.1


@node("mesh.smooth", title="Smooth")
def smooth(
    run: Run,
    mesh: Mesh,
    steps: Annotated[int, Slider(0, 200, help="How often every vertex moves towards its neighbours.")] = 10,
    strength: Annotated[float, Slider(0.01, 1.0, step=0.01, help="Share of the way it moves each time.")] = 0.5,
    method: Annotated[
        Literal["taubin", "laplacian"],
        Setting(help="taubin: removes noise and keeps the size. laplacian: rounds everything off."),
    ] = "taubin",
    weights: Annotated[
        Literal["uniform", "cotangent"],
        Setting(
            help="uniform: also evens out the triangles. cotangent: moves along the surface as little as possible."
        ),
    ] = "uniform",
    keep_borders: Annotated[bool, Setting(help="Vertices on open borders stay where they are.")] = True,
    keep_volume: Annotated[bool, Setting(help="Scale a closed mesh back to the volume it had.")] = True,
) -> Mesh:
    """Remove noise from the surface. Faces, UVs and colours stay as they are, and UV seams do not open.

    Taubin smoothing (1995) steps forward and back, so that the shape does not shrink.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    before = mesh.vertices[weld.first].astype(np.float64)
    pull = _averaging(before, faces, weights, keep_borders)
    back = -strength / (1 - PASS_BAND * strength) if method == "taubin" else 0.0
    after = before
    for step in range(steps):
        run.progress(step / steps, "smoothing")
        after = after + strength * (pull @ after)
        if back:
            after = after + back * (pull @ after)
    if keep_volume:
        after = _with_volume_of(before, after, faces)
    return _moved(mesh, after[weld.ids])


def _averaging(points: Array, faces: Ints, weights: str, keep_borders: bool) -> Any:
    """Sparse (K, K) matrix that takes positions to the way from each to the mean of its neighbours."""
    from scipy.sparse import coo_array

    edges = edges_of(faces)
    strength = np.ones(len(edges.ends)) if weights == "uniform" else _cotangents(points, faces, edges.sides)
    a, b = edges.ends.T
    here, there, count = np.concatenate([a, b]), np.concatenate([b, a]), len(points)
    total = np.bincount(here, np.tile(strength, 2), minlength=count)
    free = total > 0
    if keep_borders:
        free[edges.ends[edges.boundary].ravel()] = False
    share = np.where(free, 1.0 / np.where(total > 0, total, 1.0), 0.0)
    every = np.arange(count)
    values = np.concatenate([np.tile(strength, 2) * share[here], -free.astype(np.float64)])
    places = np.concatenate([here, every]), np.concatenate([there, every])
    return coo_array((values, places), shape=(count, count)).tocsr()


def _cotangents(points: Array, faces: Ints, sides: Ints) -> Array:
    """(E,) half the sum of the cotangents opposite each edge (Pinkall and Polthier 1993), never negative."""
    angle = np.clip(corner_angles(points, faces), 1e-3, np.pi - 1e-3)
    opposite = np.roll(angle, 1, axis=1)
    total = np.bincount(sides.ravel(), 1 / np.tan(opposite).ravel())
    return np.maximum(total / 2, 0.0)


def _with_volume_of(before: Array, after: Array, faces: Ints) -> Array:
    """Scaled about its middle to the old volume, where the mesh is closed."""
    edges = edges_of(faces)
    if not (edges.uses == 2).all():
        return after
    middle = after.mean(axis=0)
    was = float(signed_volume(before - before.mean(axis=0), faces).sum())
    now = float(signed_volume(after - middle, faces).sum())
    if was * now <= 0:
        return after
    return np.asarray(middle + (after - middle) * np.cbrt(was / now))


def _moved(mesh: Mesh, vertices: Array) -> Mesh:
    """New positions; vertices at one place that shared a normal share one again, so that hard edges stay hard."""
    if mesh.normals is None:
        return replace(mesh, vertices=vertices.astype(np.float32))
    alike = weld_rows(np.concatenate([mesh.vertices, mesh.normals], axis=1))
    normals = grouped_normals(vertices, mesh.faces, alike.ids[mesh.faces], alike.count)[alike.ids]
    return replace(mesh, vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))
