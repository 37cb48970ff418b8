"""Smooth flat and round places, and keep edges."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._masked import masked
from nodes.mesh._shading import reshaped
from nodes.mesh._topology import Ints, by_bands, edges_of, weld_points

Array = NDArray[Any]
REACH = 2.1


@node("mesh.denoise", title="Denoise", group="Repair and smooth")
def denoise(
    run: Run,
    mesh: Mesh,
    steps: Annotated[
        int, Slider(1, 100, help="How often normals are averaged: noise over so many triangles goes.")
    ] = 12,
    edges: Annotated[
        float,
        Slider(2, 90, unit="°", help="Neighbours that turn by more count little, twice as sharp ones not at all."),
    ] = 25.0,
    fitting: Annotated[int, Slider(1, 200, help="How often vertices move to fit the normals.", advanced=True)] = 15,
    keep_borders: Annotated[bool, Setting(help="Vertices on open borders stay where they are.")] = True,
    mask: Mask | None = None,
) -> Mesh:
    """Remove noise and keep edges, where Smooth would round them off. UVs and colours stay.

    A mask lies on the UVs: where it is black nothing moves.

    Bilateral filtering of face normals (Zheng and others 2011); vertices then follow the normals (Sun and others 2007).
    """
    from nodes.mesh import _bilateral

    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    points = mesh.vertices[weld.first].astype(np.float64)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points -= middle
    start, around = _bilateral.faces_around(faces, len(points))
    normal = _filtered(run, points, faces, (start, around), steps, edges)
    fixed = np.zeros(len(points), np.bool_)
    if keep_borders:
        table = edges_of(faces)
        fixed[table.ends[table.boundary]] = True
    for step in range(fitting):
        run.progress(0.6 + 0.35 * step / fitting, "fitting")
        moved = np.empty_like(points)
        _bilateral.followed(points, faces, start, around, normal, fixed, moved)
        points = moved
    return reshaped(mesh, masked(mesh, (points + middle)[weld.ids], mask))


def _filtered(run: Run, points: Array, faces: Ints, fans: tuple[Array, Array], steps: int, edges: float) -> Array:
    """(M, 3) unit normals. Distances are told from the mean one between centres of faces beside each other."""
    from nodes.mesh import _bilateral

    normal, centre, area = np.empty((len(faces), 3)), np.empty((len(faces), 3)), np.empty(len(faces))
    _bilateral.measured(points, faces, normal, centre, area)
    beside = edges_of(faces).touching // 3
    apart = by_bands(lambda two: np.linalg.norm(centre[two[:, 0]] - centre[two[:, 1]], axis=1), beside)
    gap = float(apart.mean()) if len(beside) else 1.0
    del beside, apart
    near = 1 / (2 * max(gap, 1e-30) ** 2)
    alike = 1 / (REACH * 2 * np.sin(np.radians(edges) / 2)) ** 2
    for step in range(steps):
        run.progress(0.6 * step / steps, "averaging normals")
        out = np.empty_like(normal)
        _bilateral.filtered(faces, *fans, normal, centre, area, near, alike, out)
        normal = out
    return normal
