"""Copies of a mesh in a line, in a grid, around a circle, along a border."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Mesh, Run, Setting, Slider, node
from app.engine.placing import moved
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._copies import Array, Spots, copied, merged, need_room
from nodes.mesh._deform import Axis, frame
from nodes.mesh._rims import Track, footprint, longest_rim

Many = Slider(1, 10_000, log=True, help="How many there are in all.")
Row = Slider(1, 1000, log=True)
LYING = np.array([[0.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
Sizes = Slider(-10, 10, step=0.01, help="From one to the next, in sizes of the mesh. 1: they touch.")
Metres = Slider(-1000, 1000, unit="m", help="Added to the step from one to the next.", advanced=True)
Merge = Annotated[
    float,
    Slider(
        0,
        1,
        unit="m",
        advanced=True,
        help="Vertices nearer than this become one and walls between copies go: touching copies become one solid. "
        "0: they stay apart.",
    ),
]


@node("mesh.array", title="Array", group="Place and arrange")
def array(
    run: Run,
    mesh: Mesh,
    count: Annotated[int, Many] = 5,
    x: Annotated[float, Sizes] = 1.2,
    y: Annotated[float, Sizes] = 0.0,
    z: Annotated[float, Sizes] = 0.0,
    more_x: Annotated[float, Metres] = 0.0,
    more_y: Annotated[float, Metres] = 0.0,
    more_z: Annotated[float, Metres] = 0.0,
    turn: Annotated[float, Slider(-180, 180, unit="°", help="Each is turned so far from the last, upright.")] = 0.0,
    scale: Annotated[float, Slider(0.5, 2, step=0.01, help="Size of each, as a factor of the last.")] = 1.0,
    merge: Merge = 0.0,
) -> Mesh:
    """Copy a mesh again and again in a straight line. Each copy is a part (face group) of its own.

    The step is a multiple of the size of the mesh plus a length in metres; 1 puts the copies end to end. Turn and scale
    are about the middle of the mesh.
    """
    low, high = _checked(run, mesh, count)
    step = np.array([x, y, z]) * (high - low) + (more_x, more_y, more_z)
    if abs(scale) ** (count - 1) * float((high - low).max()) > 1e6 or scale ** (count - 1) < 1e-9:
        raise BadInput(
            "The last copies would be far too large or too small.", "Make fewer copies, or a scale nearer 1."
        )
    number = np.arange(count)
    scales = None if scale == 1 else scale ** number.astype(np.float64)
    turns = None if turn == 0 else _turns("y", turn * number)
    return _laid(run, mesh, (low + high) / 2, number[:, None] * step, turns, scales, merge)


@node("mesh.grid_array", title="Grid array", group="Place and arrange")
def grid_array(
    run: Run,
    mesh: Mesh,
    count_x: Annotated[int, Row] = 3,
    count_y: Annotated[int, Row] = 1,
    count_z: Annotated[int, Row] = 3,
    spacing: Annotated[
        Literal["gap", "step"],
        Setting(help="gap: room between two copies. step: from the middle of one to the middle of the next."),
    ] = "gap",
    x: Annotated[float, Slider(0, 1000, unit="m")] = 0.1,
    y: Annotated[float, Slider(0, 1000, unit="m")] = 0.1,
    z: Annotated[float, Slider(0, 1000, unit="m")] = 0.1,
    shift: Annotated[
        float,
        Slider(0, 1, step=0.01, help="Every other row is moved along X by this share of a step. 0.5: like bricks."),
    ] = 0.0,
    centre: Annotated[bool, Setting(help="The grid stands around the mesh. Off: it grows to +X, +Y and +Z.")] = True,
    merge: Merge = 0.0,
) -> Mesh:
    """Copy a mesh in rows, columns and layers. Each copy is a part (face group) of its own."""
    many = np.array([count_x, count_y, count_z])
    low, high = _checked(run, mesh, int(many.prod()))
    step = np.array([x, y, z]) + (high - low if spacing == "gap" else 0)
    layer, row, column = (a.ravel() for a in np.indices((count_y, count_z, count_x)))
    at = np.stack([column, layer, row], axis=1).astype(np.float64)
    at[:, 0] += shift * ((row + layer) % 2)
    if centre:
        at -= (many - 1) / 2
    return _laid(run, mesh, (low + high) / 2, at * step, None, None, merge)


@node("mesh.radial_array", title="Radial array", group="Place and arrange")
def radial_array(
    run: Run,
    mesh: Mesh,
    count: Annotated[int, Many] = 8,
    radius: Annotated[float, Slider(0, 1000, unit="m", help="The mesh is first moved outward so far.")] = 1.0,
    angle: Annotated[
        float, Slider(-3600, 3600, step=1, unit="°", help="From the first to the last. 360: all around, evenly.")
    ] = 360.0,
    axis: Annotated[Axis, Setting(help="They stand around this axis through the origin.")] = "y",
    begin: Annotated[float, Slider(-180, 180, unit="°", help="Direction of the first. 0 along Y: to the right.")] = 0.0,
    facing: Annotated[
        Literal["outward", "keep"], Setting(help="outward: they turn with the circle. keep: all look the same way.")
    ] = "outward",
    rise: Annotated[
        float, Slider(-1000, 1000, unit="m", help="Each lies so much further along the axis, as in a spiral stair.")
    ] = 0.0,
    merge: Merge = 0.0,
) -> Mesh:
    """Copy a mesh around an axis. Each copy is a part (face group) of its own.

    A mesh that is away from the axis already needs no radius.
    """
    low, high = _checked(run, mesh, count)
    closed = angle != 0 and angle % 360 == 0 and rise == 0
    steps = np.arange(count) / max(1, count if closed else count - 1)
    basis = frame(axis, 0.0)
    turns = _turns(axis, begin + angle * steps)
    middle = (low + high) / 2
    away = basis[0] * radius
    moves = turns @ (middle + away) - middle + np.arange(count)[:, None] * rise * basis[1]
    turned = turns if facing == "outward" else None
    return _laid(run, mesh, middle, moves, turned, None, merge)


@node("mesh.path_array", title="Path array", group="Place and arrange")
def path_array(
    run: Run,
    mesh: Mesh,
    path: Mesh,
    spacing: Annotated[
        float, Slider(0, 1000, unit="m", help="From one to the next, made even over the path. 0: they touch.")
    ] = 0.0,
    along: Annotated[Axis, Setting(help="The direction of the mesh that runs along the path.")] = "x",
    turn: Annotated[bool, Setting(help="They turn with the path. Off: all look the same way.")] = True,
    merge: Merge = 0.0,
) -> Mesh:
    """Copy a mesh along the longest open border of another, as a fence around a field. Each copy is a part of its own.

    The mesh stands on the border with the middle of its underside; +Y stays up, but along Y it lies down on its side. A
    closed path has no border: then the copies go around its outline seen from above.
    """
    low, high = _checked(run, mesh, 1)
    if along == "y":
        mesh = moved(mesh, LYING)
        low, high = (corner.astype(np.float64) for corner in mesh.bounds)
    need_sound(path, "path")
    need_size(path, "path")
    rim = longest_rim(path)
    if rim is None:
        run.warn("The path is closed: the copies stand around its outline seen from above.")
    track = Track.of(footprint(path) if rim is None else rim)
    size = (high - low)[2 if along == "z" else 0]
    if max(size, spacing) < 1e-9:
        raise BadInput(f"The mesh has no length along {along.upper()}.", "Set a spacing, or choose another direction.")
    count = max(1, round(track.length / (spacing or size)))
    need_room(count, len(mesh.faces))
    at, ahead = track.at((np.arange(count) + 0.5) * track.length / count)
    foot = np.array([(low + high)[0] / 2, low[1], (low + high)[2] / 2])
    return _laid(run, mesh, foot, at - foot, _headings(ahead, along) if turn else None, None, merge)


def _headings(ahead: Array, along: Axis) -> Array:
    """(K, 3, 3) turns about +Y that take +X, or +Z, to each of (K, 3) ``ahead`` seen from above."""
    start = -90.0 if along == "z" else 0.0
    return _turns("y", np.degrees(np.arctan2(-ahead[:, 2], ahead[:, 0])) - start)


def _checked(run: Run, mesh: Mesh, count: int) -> tuple[Array, Array]:
    """The corners of the box of the mesh, float64."""
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    need_room(count, len(mesh.faces))
    low, high = (corner.astype(np.float64) for corner in mesh.bounds)
    return low, high


def _turns(axis: Axis, degrees: Array) -> Array:
    """(K, 3, 3) rotations about an axis, counter-clockwise seen against it."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turns = np.tile(np.eye(3), (len(degrees), 1, 1))
    turns[:, i, i] = turns[:, j, j] = c
    turns[:, i, j], turns[:, j, i] = -s, s
    return turns


def _laid(
    run: Run, mesh: Mesh, middle: Array, moves: Array, turns: Array | None, scales: Array | None, merge: float
) -> Mesh:
    """Copies turned and scaled about ``middle``, then moved."""
    if turns is not None or scales is not None:
        shift = np.broadcast_to(middle, moves.shape)
        shift = shift if scales is None else shift * scales[:, None]
        shift = shift if turns is None else np.einsum("kij,kj->ki", turns, shift)
        moves = moves + middle - shift
    out = copied(run, mesh, Spots(moves, turns, scales))
    return merged(run, out, mesh, merge) if merge and len(moves) > 1 else out
