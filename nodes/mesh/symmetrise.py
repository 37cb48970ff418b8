"""Make both sides of a mesh alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._averaged import averaged
from nodes.mesh._halved import Mirror, doubled, half
from nodes.mesh._metrics import Surface, sample, surface_of
from nodes.mesh._rigid import STAY, Motion, least_turn, moved
from nodes.mesh._symmetry import Plane, best_plane, fitted, measured
from nodes.mesh._topology import diagonal

Array = NDArray[Any]
Which = Literal["auto", "x", "y", "z"]
Where = Literal["best fit", "middle", "origin"]
How = Literal["keep positive side", "keep negative side", "average"]
POINTS = 5000
SEED = 0


class Symmetrised(NamedTuple):
    """The mesh with equal sides, and the plane that was found."""

    mesh: Mesh
    report: Report


@node("mesh.symmetrise", title="Symmetrise", group="Repair and smooth")
def symmetrise(
    run: Run,
    mesh: Mesh,
    plane: Annotated[
        Which, Setting(help="auto: the plane in which the mesh mirrors itself best. x: between left and right.")
    ] = "auto",
    position: Annotated[
        Where, Setting(help="For x, y and z. best fit: where the sides fit best. middle: of the bounding box.")
    ] = "best fit",
    how: Annotated[
        How,
        Setting(
            help="keep: one side is cut at the plane and mirrored; positive is the side towards +X, +Y or +Z. average: "
            "vertices that have a partner on the other side meet halfway; UVs and faces stay."
        ),
    ] = "keep positive side",
    straighten: Annotated[
        bool,
        Setting(help="Turn the mesh so that a plane found askew is level with the axes. Only then sides are exact."),
    ] = True,
    weld: Annotated[
        float, Slider(0, 2, step=0.001, unit="% of size", help="What is nearer than this to the plane lies on it.")
    ] = 0.01,
) -> Symmetrised:
    """Find the mirror plane of a mesh and make both sides equal, to the last bit.

    What was closed stays closed: the halves share their vertices on the plane. A side that is kept gives its UVs to the
    other one, so both wear the same part of the texture; unwrap anew where they should differ.
    """
    run.progress(0.0, "preparing")
    found = _plane(run, surface_of(mesh), plane, position)
    axis = int(np.abs(found.normal).argmax())
    middle = found.normal * found.offset
    middle = middle + _across(mesh.vertices.mean(axis=0, dtype=np.float64) - middle, found.normal)
    turn = Motion.about(least_turn(found.normal, np.eye(3)[axis]), middle) if plane == "auto" else STAY
    straight = moved(mesh, turn)
    glass = Mirror.of(straight, axis, float(middle[axis]))
    run.progress(0.8, "mirroring")
    ready = glass.on_grid(straight, weld / 100 * diagonal(mesh))
    pairs = 1.0
    if how == "average":
        even, pairs = averaged(ready, glass)
    else:
        kept = half(ready, glass, positive=how == "keep positive side")
        if not len(kept.faces):
            raise BadInput(
                "There is nothing on the side that is kept.", "Keep the other side, or choose another plane."
            )
        even = doubled(kept, glass)
        if mesh.uv is not None:
            run.warn("Both sides share their UVs now: what is painted on one shows on the other.")
    if pairs < 1:
        run.warn(f"{100 * (1 - pairs):.2g} % of the vertices have no partner on the other side and stayed.")
    if not straighten:
        even, turn = moved(even, turn.back), STAY
    elif turn.degrees > 0.01:
        run.warn(f"The mesh was turned by {turn.degrees:.2f}°, so that the plane lies across {'XYZ'[axis]}.")
    return Symmetrised(even, _report(mesh, found, turn, glass, pairs))


def _across(vector: Array, normal: Array) -> Array:
    return np.asarray(vector - (vector @ normal) * normal)


def _plane(run: Run, surface: Surface, which: Which, where: Where) -> Plane:
    if which == "auto":
        return best_plane(surface, SEED, lambda done: run.progress(0.05 + 0.7 * done, "looking for the plane"))
    normal = np.eye(3)["xyz".index(which)]
    points = sample(surface, POINTS, SEED).points
    at = 0.0 if where == "origin" else float(normal @ surface.middle)
    if where == "best fit":
        return fitted(surface, points, normal, at, 40, turn=False)
    return measured(surface, points, normal, at)


def _report(mesh: Mesh, found: Plane, turn: Motion, glass: Mirror, pairs: float) -> Report:
    size = diagonal(mesh)
    x, y, z = (float(value) for value in np.round(found.normal, 9) + 0.0)
    rows: tuple[tuple[str, str | int | float | bool], ...] = (
        ("plane normal x", x),
        ("plane normal y", y),
        ("plane normal z", z),
        ("distance of the plane from the origin (m)", found.offset),
        ("sides were apart, mean (m)", found.apart),
        ("sides were apart, mean (% of size)", 100 * found.apart / size),
        ("sides were apart, 99 % nearer than (m)", found.most),
        ("turned by (°)", turn.degrees),
        ("mirror across", "XYZ"[glass.axis]),
        ("mirror at (m)", glass.at),
        ("vertices with a partner (%)", 100 * pairs),
    )
    told = f"Its sides were {found.apart / size:.3%} of its size apart on average."
    return Report(f"Symmetry of {mesh.name}", rows, told)
