"""Smooth a mesh."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound
from nodes.mesh._diffuse import cotangents, diffused
from nodes.mesh._masked import masked
from nodes.mesh._shading import reshaped
from nodes.mesh._topology import Ints, diagonal, edges_of, signed_volume, weld_points

Array = NDArray[Any]
PASS_BAND = 0.1


@node("mesh.smooth", title="Smooth", group="Repair and smooth")
def smooth(
    run: Run,
    mesh: Mesh,
    steps: Annotated[int, Slider(0, 200, help="How often every vertex moves towards its neighbours.")] = 10,
    strength: Annotated[float, Slider(0.01, 1.0, step=0.01, help="Share of the way it moves each time.")] = 0.5,
    method: Annotated[
        Literal["taubin", "laplacian", "implicit"],
        Setting(
            help="taubin: removes noise and keeps the size. laplacian: rounds everything off. implicit: removes what "
            "is smaller than 'detail', however fine the triangles are, in one go."
        ),
    ] = "taubin",
    weights: Annotated[
        Literal["uniform", "cotangent"],
        Setting(
            help="uniform: also evens out the triangles. cotangent: moves along the surface as little as possible."
        ),
    ] = "uniform",
    detail: Annotated[
        float,
        Slider(
            0.05, 100, log=True, unit="% of size", help="Waves of this length lose half their height; for implicit."
        ),
    ] = 5.0,
    keep_borders: Annotated[bool, Setting(help="Vertices on open borders stay where they are.")] = True,
    keep_volume: Annotated[
        bool, Setting(help="Scale a closed mesh back to the volume it had; not with a mask.")
    ] = True,
    mask: Mask | None = None,
) -> Mesh:
    """Remove noise from the surface. Faces, UVs and colours stay as they are, and UV seams do not open.
    A mask lies on the UVs: where it is black nothing moves.

    Taubin smoothing (1995) steps forward and back, so that the shape does not shrink. Implicit is one backward step of
    curvature flow (Desbrun and others 1999); steps, strength and weights do not count there. To keep edges: Denoise.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    before = mesh.vertices[weld.first].astype(np.float64)
    if method == "implicit":
        after = diffused(before, faces, detail / 100 * diagonal(mesh), keep_borders, run.check)
    else:
        pull = _averaging(before, faces, weights, keep_borders)
        after = _stepped(run, before, pull, steps, strength, method == "taubin")
    if keep_volume and mask is None:
        after = _with_volume_of(before, after, faces)
    return reshaped(mesh, masked(mesh, after[weld.ids], mask))


def _stepped(run: Run, at: Array, pull: Any, steps: int, strength: float, taubin: bool) -> Array:
    back = -strength / (1 - PASS_BAND * strength)
    for step in range(steps):
        run.progress(step / steps, "smoothing")
        at = at + strength * (pull @ at)
        if taubin:
            at = at + back * (pull @ at)
    return at


def _averaging(points: Array, faces: Ints, weights: str, keep_borders: bool) -> Any:
    """Sparse (K, K) matrix that takes positions to the way from each to the mean of its neighbours."""
    from scipy.sparse import coo_array

    edges = edges_of(faces)
    strength = np.ones(len(edges.ends)) if weights == "uniform" else cotangents(points, faces, edges.sides)
    a, b = edges.ends.T
    here, there, count = np.concatenate([a, b]), np.concatenate([b, a]), len(points)
    total = np.bincount(here, np.tile(strength, 2), minlength=count)
    free = total > 0
    if keep_borders:
        free[edges.ends[edges.boundary].ravel()] = False
    share = np.where(free, 1.0 / np.where(total > 0, total, 1.0), 0.0)
    every = np.arange(count, dtype=np.int32)
    values = np.concatenate([np.tile(strength, 2) * share[here], -free.astype(np.float64)])
    places = np.concatenate([here, every]), np.concatenate([there, every])
    return coo_array((values, places), shape=(count, count)).tocsr()


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
