"""Turn a mesh upright by its own shape, or lay it onto another one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._icp import laid_onto
from nodes.mesh._mass import mass_of, smallest_box
from nodes.mesh._measure import measure
from nodes.mesh._metrics import surface_of
from nodes.mesh._principal import area_moments, onto_axes, principal_axes, skewness
from nodes.mesh._rigid import STAY, Motion, least_turn, moved, turned
from nodes.mesh._topology import diagonal
from nodes.physics._stable import sides_of

Array = NDArray[Any]
By = Literal["principal axes", "smallest box", "flattest side", "nothing"]
Place = Literal["keep", "centre", "centre of mass", "floor"]
Axis = Literal["x", "y", "z"]
Rows = list[tuple[str, str | int | float | bool]]
DOWN = np.array([0.0, -1.0, 0.0])
FIRM = 1.0
SEED = 0


class Aligned(NamedTuple):
    """The mesh in its place, and how it got there: the 4 x 4 matrix, and what was measured."""

    mesh: Mesh
    report: Report


@node("mesh.align", title="Align", group="Place and arrange")
def align(
    run: Run,
    mesh: Mesh,
    onto: Mesh | None = None,
    by: Annotated[
        By,
        Setting(
            help="principal axes: how the surface is spread. smallest box: for things with flat sides. flattest side: "
            "lies down on the largest side on which it is stable. Without a mesh to lie onto."
        ),
    ] = "principal axes",
    longest: Annotated[Axis, Setting(help="The axis along which it extends farthest; for axes and box.")] = "x",
    shortest: Annotated[Axis, Setting(help="The axis along which it extends least; for axes and box.")] = "z",
    place: Annotated[
        Place,
        Setting(help="centre: middle of its bounding box at the origin. floor: standing on the origin."),
    ] = "floor",
    start: Annotated[
        Literal["anywhere", "as placed"],
        Setting(help="Onto a mesh: look for the best turn everywhere, or only near where it is now."),
    ] = "anywhere",
    overlap: Annotated[
        float, Slider(0.1, 1, step=0.01, help="Onto a mesh: the share of the surface that has a counterpart there.")
    ] = 0.9,
    match_size: Annotated[bool, Setting(help="Onto a mesh: scale it evenly, too.")] = False,
) -> Aligned:
    """Bring a mesh that lies askew in line with the axes, lay it on the floor, or lay it onto another mesh.

    Which end looks forward is told by the shape: the one with the longer tail, so that equal shapes come out alike
    however they lay. Onto another mesh it is turned and moved until the surfaces fit (iterative closest points).
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    if onto is not None:
        return _onto(run, mesh, onto, start == "anywhere", overlap, match_size)
    if longest == shortest:
        raise BadInput("The longest and the shortest side cannot lie along one axis.", "Choose two different axes.")
    run.progress(0.2, "turning")
    motion = _turned(mesh, by, ("xyz".index(longest), "xyz".index(shortest)))
    run.progress(0.7, "placing")
    motion = motion.then(Motion(np.eye(3), _place(mesh, motion, place)))
    return _result(mesh, motion, [], f"Turned by {motion.degrees:.2f}°.")


def _turned(mesh: Mesh, by: By, axes: tuple[int, int]) -> Motion:
    """About the centre of the area."""
    vertices, faces = mesh.vertices, mesh.faces
    centre, _ = area_moments(vertices, faces)
    if by == "nothing":
        return STAY
    if by == "flattest side":
        return Motion.about(_lying(mesh), centre)
    frame = principal_axes(vertices, faces)
    if by == "smallest box":
        own = onto_axes(frame, skewness(vertices, faces, centre, frame), (0, 1, 2))
        frame = smallest_box(turned(vertices[np.unique(faces)] - centre, own))[1] @ own
    order = (axes[0], 3 - axes[0] - axes[1], axes[1])
    return Motion.about(onto_axes(frame, skewness(vertices, faces, centre, frame), order), centre)


def _lying(mesh: Mesh) -> Array:
    """(3, 3) the least turn onto the largest side of the hull on which the mesh is stable."""
    sides = sides_of(mesh.vertices[np.unique(mesh.faces)], _centre_of_mass(mesh))
    firm = sides.tip >= FIRM
    if not firm.any():
        firm = sides.margin > 0
    area = np.where(firm, sides.area, 0.0)
    large = np.flatnonzero(area >= area.max() * (1 - 1e-6))
    return least_turn(sides.normal[large[(sides.normal[large] @ DOWN).argmax()]], DOWN)


def _centre_of_mass(mesh: Mesh) -> Array:
    """Of the body where the mesh is closed, else of its surface."""
    if measure(mesh).watertight:
        return mass_of(mesh.vertices, mesh.faces).centre
    return area_moments(mesh.vertices, mesh.faces)[0]


def _place(mesh: Mesh, motion: Motion, place: Place) -> Array:
    """(3,) how far to move what was turned."""
    if place == "keep":
        return np.zeros(3)
    if place == "centre of mass":
        return np.asarray(-motion.of(_centre_of_mass(mesh)[None])[0])
    at = motion.of(mesh.vertices[np.unique(mesh.faces)])
    low, high = at.min(axis=0), at.max(axis=0)
    middle = (low + high) / 2
    return -np.array([middle[0], low[1] if place == "floor" else middle[1], middle[2]])


def _onto(run: Run, mesh: Mesh, onto: Mesh, anywhere: bool, overlap: float, scaled: bool) -> Aligned:
    one, other = surface_of(mesh), surface_of(onto, "mesh to lie onto")
    laid = laid_onto(
        one, other, anywhere, overlap, scaled, SEED, lambda done: run.progress(0.05 + 0.9 * done, "aligning")
    )
    size = diagonal(onto)
    rows: Rows = [
        ("apart, mean of what overlaps (m)", laid.apart),
        ("apart, mean of what overlaps (% of size)", 100 * laid.apart / size),
        ("apart, mean (m)", laid.all_apart),
    ]
    if laid.apart > 0.05 * size:
        run.warn("The meshes do not fit: start nearer, or choose less overlap.")
    return _result(mesh, laid.motion, rows, f"What overlaps is {laid.apart / size:.3%} of the size apart on average.")


def _result(mesh: Mesh, motion: Motion, more: Rows, told: str) -> Aligned:
    done = moved(mesh, motion)
    low, high = (corner.astype(np.float64) for corner in done.bounds)
    x, y, z = (float(value) for value in motion.move)
    wide, tall, deep = (float(value) for value in high - low)
    rows: Rows = [
        *motion.rows(),
        ("turned by (°)", motion.degrees),
        ("moved by x, y, z (m)", f"{x:.6g}, {y:.6g}, {z:.6g}"),
        ("scaled by", motion.scale),
        ("width (m)", wide),
        ("height (m)", tall),
        ("depth (m)", deep),
        *more,
    ]
    return Aligned(done, Report(f"Alignment of {mesh.name}", tuple(rows), told))
