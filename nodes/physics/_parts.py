"""A mesh as few convex parts, by CoACD (Wei and others 2022, MIT) on a reduced, closed stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh._reduce import Keep, reduced
from nodes.physics._fit import Hull, fitted

Array = NDArray[Any]
TOLERANCE = 1e-6


def stand_in(run: Run, mesh: Mesh, triangles: int, closed: bool) -> Mesh | None:
    """The mesh without attributes, with at most ``triangles`` triangles, its holes filled unless it is ``closed``.

    None where it cannot be closed.
    """
    from nodes.mesh.repair import repair

    bare = Mesh(mesh.vertices, mesh.faces)
    if not closed:
        bare = repair(Run(stop=run.stop), bare).mesh
        if not measure(bare).watertight:
            return None
    if len(bare.faces) > triangles:
        bare = reduced(run, bare, triangles, Keep(uv=False, hard=0, group=0), lambda _: run.check())
    return bare


def convex_parts(proxy: Mesh, concavity: float, hulls: int, seed: int) -> list[Array]:
    """Corners of each part, (N, 3) float64. One native call: it neither tells progress nor stops before its end."""
    import coacd

    coacd.set_log_level("error")
    low, high = proxy.bounds
    middle, size = (low.astype(np.float64) + high) / 2, float((high - low).max())
    at = (proxy.vertices - middle) / size
    found = coacd.run_coacd(
        coacd.Mesh(np.ascontiguousarray(at, np.float64), np.ascontiguousarray(proxy.faces, np.int32)),
        threshold=concavity,
        max_convex_hull=hulls,
        preprocess_mode="off",
        resolution=1000,
        mcts_nodes=10,
        mcts_iterations=60,
        mcts_max_depth=2,
        seed=seed,
    )
    return [np.asarray(points, np.float64) * size + middle for points, _ in found if len(points)]


def around(
    points: Array, parts: list[Array], corners: int, contain: bool, floor: float, told: Callable[[float], None]
) -> list[Hull]:
    """A hull for each part. ``contain``: each of ``points`` lies in one of the hulls, that which it was nearest to."""
    from nodes.physics._fit import hull_of
    from nodes.physics._stray import stray

    tight = [hull_of(part, floor) for part in parts]
    if contain:
        out, owner = stray(points, [hull.planes for hull in tight], lambda done: told(0.5 * done))
        size = float(np.ptp(points, axis=0).max())
        lost = out > TOLERANCE * size
        parts = [np.concatenate([part, points[lost & (owner == k)]]) for k, part in enumerate(parts)]
    hulls = []
    for number, part in enumerate(parts):
        told(0.5 + 0.5 * number / len(parts))
        hulls.append(fitted(part, corners, contain, floor))
    return hulls
