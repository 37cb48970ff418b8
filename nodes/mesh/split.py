"""Take a mesh apart."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Number, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound
from nodes.mesh._rows import only
from nodes.mesh._topology import collapsed, edges_of, face_vectors, parts, weld_points

Array = NDArray[Any]
By = Literal["loose parts", "face groups", "UV islands"]
Order = Literal["largest first", "left to right", "bottom to top", "back to front", "as in the mesh"]
AXES = {"left to right": 0, "bottom to top": 1, "back to front": 2}
MOST = 1_000_000


class Split(NamedTuple):
    """What was picked, all the rest, and how many parts the mesh has."""

    part: Mesh
    rest: Mesh
    parts: Number


@node("mesh.split", title="Split", group="Solid")
def split(
    run: Run,
    mesh: Mesh,
    by: Annotated[
        By,
        Setting(help="loose parts: what hangs together by edges. face groups: by part number. UV islands: by chart."),
    ] = "loose parts",
    pick: Annotated[int, Slider(1, MOST, log=True, help="Which part goes out at 'part': 1 is the first.")] = 1,
    how_many: Annotated[int, Slider(1, MOST, log=True, unit="parts", help="So many, from the one picked on.")] = 1,
    order: Annotated[Order, Setting(help="How parts are counted; largest by area, the others by their middle.")] = (
        "largest first"
    ),
) -> Split:
    """Take a mesh apart: one part or several go out at `part`, everything else at `rest`.

    Vertices, UVs, colours and part numbers stay as they were. For further parts put another Split behind `rest`.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    run.progress(0.2, "looking for parts")
    count, label = labelled(mesh, by)
    if pick > count:
        raise BadInput(f"There is no part {pick:,}: split by {by}, the mesh has {count:,}.", "Pick a lower number.")
    run.progress(0.7, "taking apart")
    chosen = _ordered(mesh, count, label, order)[pick - 1 : pick - 1 + how_many]
    if len(chosen) < how_many:
        run.warn(f"Only {len(chosen):,} of {how_many:,} parts are there to be picked.")
    keep = np.isin(label, chosen)
    if keep.all():
        run.warn("Everything is picked: 'rest' has no faces.")
    return Split(only(mesh, keep), only(mesh, ~keep), Number(float(count)))


def labelled(mesh: Mesh, by: By) -> tuple[int, Array]:
    """(number of parts, (M,) part of each face, counted by first appearance)."""
    if by == "loose parts":
        return loose(mesh)
    if by == "UV islands":
        from nodes.mesh._checks import need_uv
        from nodes.mesh._measure import charts_of

        need_uv(mesh)
        return charts_of(mesh)
    if mesh.face_groups is None:
        raise BadInput("The mesh has no face groups.", "Split by loose parts, or choose another step before this one.")
    numbers, label = np.unique(mesh.face_groups, return_inverse=True)
    return len(numbers), label.reshape(-1)


def loose(mesh: Mesh) -> tuple[int, Array]:
    """Faces are of one part when they share an edge by position. Faces without area go with what touches them."""
    welded = weld_points(mesh.vertices).ids[mesh.faces]
    if collapsed(welded).all():
        return 1, np.zeros(len(welded), np.int32)
    return parts(welded, edges_of(welded))


def _ordered(mesh: Mesh, count: int, label: Array, order: Order) -> Array:
    """(count,) part numbers; equal ones in the order of the mesh."""
    if order == "as in the mesh":
        return np.arange(count)
    if order == "largest first":
        area = np.bincount(label, np.linalg.norm(face_vectors(mesh.vertices, mesh.faces), axis=1), minlength=count)
        return np.argsort(-area, kind="stable")
    at = mesh.vertices[mesh.faces][..., AXES[order]].astype(np.float64)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, label, at.min(axis=1))
    np.maximum.at(high, label, at.max(axis=1))
    return np.argsort(low + high, kind="stable")
