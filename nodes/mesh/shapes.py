"""More simple solids: rounded box, tube, prism, disc. With UVs that do not overlap, centred at the origin, +Y up."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import BadInput, Mesh, Slider, node
from nodes.mesh._revolve import WHOLE, Array, Box, Patch, circle, disc, grid_faces, into, mesh_of, revolved
from nodes.mesh.primitives import LEFT_LID, MARGIN, RIGHT_LID, Around, Pieces, Size

OUTSIDE: Box = (0.0, 0.75, 1.0, 1.0)
INSIDE: Box = (0.0, 0.5 + MARGIN, 1.0, 0.75 - MARGIN)


@node("mesh.rounded_box", title="Rounded box", group="Primitives")
def rounded_box(
    width: Annotated[float, Size] = 1.0,
    height: Annotated[float, Size] = 1.0,
    depth: Annotated[float, Size] = 1.0,
    radius: Annotated[float, Slider(0.0001, 500, log=True, unit="m", help="Of the edges and corners.")] = 0.1,
    steps: Annotated[int, Slider(1, 64, log=True, help="Flat pieces from one side to the edge's middle.")] = 4,
    pieces: Annotated[int, Pieces] = 1,
) -> Mesh:
    """A box with round edges and corners, smooth all over. Each side has its own place on the texture."""
    half = np.array([width, height, depth]) / 2
    if radius > half.min() * (1 + 1e-9):
        raise BadInput(f"A radius of {radius:g} m does not fit the box.", f"Use at most {half.min():g} m.")
    flat = np.maximum(half - radius, 0.0)
    flat[flat < 1e-6 * half] = 0.0
    sides = [_round_side(flat, radius, axis, sign, steps, pieces) for axis in range(3) for sign in (1, -1)]
    return mesh_of(sides, "rounded_box")


def _round_side(flat: Array, radius: float, axis: int, sign: int, steps: int, pieces: int) -> Patch:
    """One side up to the middle of its edges. Points on borders are computed alike on both sides, to the last bit."""
    across, up = {0: (2, 1), 1: (0, 2), 2: (0, 1)}[axis]
    (column, slope_u, u), (row, slope_v, v) = (_line(flat[k], radius, steps, pieces) for k in (across, up))
    flip, rise = {0: -sign, 1: 1, 2: sign}[axis], -sign if axis == 1 else 1
    shape = len(row), len(column)
    normals, middle = np.empty((*shape, 3)), np.empty((*shape, 3))
    normals[..., axis], middle[..., axis] = sign, sign * flat[axis]
    normals[..., across], middle[..., across] = slope_u * flip, column * flip
    normals[..., up], middle[..., up] = slope_v[:, None] * rise, row[:, None] * rise
    normals /= np.sqrt(np.sort(normals**2, axis=2).sum(axis=2, keepdims=True))
    uv = np.stack(np.broadcast_arrays(u, v[:, None]), axis=-1).reshape(-1, 2)
    left, low = axis / 3 + MARGIN, (0 if sign > 0 else 1) / 2 + MARGIN
    place = (left, low, (axis + 1) / 3 - MARGIN, low + 0.5 - 2 * MARGIN)
    faces = grid_faces(len(row) - 1, len(column) - 1)
    return Patch((middle + normals * radius).reshape(-1, 3), normals.reshape(-1, 3), into(uv, place), faces)


def _line(flat: float, radius: float, steps: int, pieces: int) -> tuple[Array, Array, Array]:
    """Along one side: where the centre of the rounding is, tangent of the angle outward, and 0..1 along the surface."""
    angle = np.arange(steps + 1) * (np.pi / 4 / steps)
    slope = np.tan(angle)
    slope[-1] = 1.0
    ahead = (2 * np.arange(1, pieces) - pieces) / pieces * flat if flat > 0 else np.zeros(0)
    ends = (-flat, flat) if flat > 0 else (0.0,)
    middle = [np.full(steps + 1, -flat), ahead, np.full(steps + len(ends) - 1, flat)]
    tangent = [-slope[::-1], np.zeros(len(ahead)), slope[2 - len(ends) :]]
    turned = [-angle[::-1], np.zeros(len(ahead)), angle[2 - len(ends) :]]
    at, tan = np.concatenate(middle), np.concatenate(tangent)
    length = at + radius * np.concatenate(turned)
    return at, tan, (length - length[0]) / (length[-1] - length[0])


@node("mesh.tube", title="Tube", group="Primitives")
def tube(
    radius: Annotated[float, Size] = 0.5,
    wall: Annotated[float, Slider(0.0001, 1000, log=True, unit="m", help="Thickness.")] = 0.1,
    height: Annotated[float, Size] = 1.0,
    segments: Annotated[int, Around] = 64,
    rows: Annotated[int, Slider(1, 512, log=True, help="Flat pieces along the height.")] = 1,
) -> Mesh:
    """A pipe with hard edges: a cylinder with a hole all the way through."""
    if wall >= radius:
        raise BadInput(f"A wall of {wall:g} m leaves no hole in a radius of {radius:g} m.", "Make the wall thinner.")
    y, inner = np.linspace(-height / 2, height / 2, rows + 1), radius - wall
    ends = np.linspace(0, 1, rows + 1)
    outside = revolved(*_straight(radius, y, 1.0), ends, segments, OUTSIDE)
    inside = revolved(*_straight(inner, y[::-1], -1.0), ends, segments, INSIDE)
    rims = [
        _ring(radius, inner, y[-1], segments, LEFT_LID, True),
        _ring(radius, inner, y[0], segments, RIGHT_LID, False),
    ]
    return mesh_of([outside, inside, *rims], "tube")


def _straight(radius: float, y: Array, way: float) -> tuple[Array, Array]:
    profile = np.stack([np.full(len(y), radius), y], axis=1)
    return profile, np.broadcast_to([way, 0.0], profile.shape)


def _ring(radius: float, inner: float, y: float, segments: int, box: Box, up: bool) -> Patch:
    """A flat ring around the y axis, with UVs as seen from outside."""
    outer, hole = disc(radius, y, segments, box, up), disc(inner, y, segments, box, up)
    here = np.arange(segments)
    ahead = (here + 1) % segments
    quads = np.stack([here, ahead, ahead + segments, here, ahead + segments, here + segments], axis=1).reshape(-1, 3)
    middle = outer.uv[0]
    uv = np.concatenate([outer.uv[1:], middle + (hole.uv[1:] - middle) * (inner / radius)])
    at = np.concatenate([outer.vertices[1:], hole.vertices[1:]])
    normals = np.concatenate([outer.normals[1:], hole.normals[1:]])
    return Patch(at, normals, uv, quads if up else quads[:, ::-1])


@node("mesh.disc", title="Disc", group="Primitives")
def flat_disc(
    radius: Annotated[float, Size] = 0.5,
    hole: Annotated[float, Slider(0, 1000, unit="m", help="Radius of the hole in the middle. 0: none.")] = 0.0,
    segments: Annotated[int, Around] = 64,
) -> Mesh:
    """A flat round disc or ring that faces up. It is open: give it thickness before printing."""
    if hole >= radius:
        raise BadInput(f"A hole of {hole:g} m leaves nothing of {radius:g} m.", "Make the hole smaller.")
    patch = disc(radius, 0.0, segments, WHOLE, True)
    return mesh_of([_ring(radius, hole, 0.0, segments, WHOLE, True) if hole > 0 else patch], "disc")


@node("mesh.prism", title="Prism", group="Primitives")
def prism(
    sides: Annotated[int, Slider(3, 64)] = 6,
    radius: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="From the middle to a corner.")] = 0.5,
    height: Annotated[float, Size] = 1.0,
    top: Annotated[float, Slider(0, 4, step=0.01, help="Width of the top against the base. 0: a pyramid.")] = 1.0,
) -> Mesh:
    """A column with flat sides and hard edges, one side in front; or a pyramid, or one with its tip cut off."""
    turn = circle(2 * sides)[1::2] if sides % 2 == 0 else circle(sides)[:-1]
    corner = np.stack([turn[:, 0], np.zeros(sides), -turn[:, 1]], axis=1) * radius
    low, high = corner - (0, height / 2, 0), corner * top + (0, height / 2, 0)
    walls = [_wall(low, high, k, sides) for k in range(sides)]
    lids = [_lid(low, turn, RIGHT_LID, False)]
    if top > 0:
        lids.append(_lid(high, turn, LEFT_LID, True))
    return mesh_of([*walls, *lids], "prism")


def _wall(low: Array, high: Array, k: int, sides: int) -> Patch:
    """Side ``k``, a quad or, below a tip, a triangle, upright on the texture in its own column."""
    after = (k + 1) % sides
    at = np.stack([low[k], low[after], high[after], high[k]])
    normal = np.cross(at[1] - at[0], at[3] - at[0])
    normal /= np.linalg.norm(normal)
    wide = np.linalg.norm(at[1] - at[0]), np.linalg.norm(at[2] - at[3])
    tip = bool(wide[1] < 1e-12 * wide[0])
    lower, upper = (w / max(wide) / 2 for w in wide)
    uv = np.array([[0.5 - lower, 0], [0.5 + lower, 0], [0.5 + upper, 1], [0.5 - upper, 1]])
    gap = MARGIN / sides
    box = (k / sides + gap, 0.5 + MARGIN, (k + 1) / sides - gap, 1 - MARGIN)
    faces = np.array([[0, 1, 2]] if tip else [[0, 1, 2], [0, 2, 3]])
    count = 3 if tip else 4
    return Patch(at[:count], np.tile(normal, (count, 1)), into(uv[:count], box), faces)


def _lid(ring: Array, turn: Array, box: Box, up: bool) -> Patch:
    sides = len(ring)
    faces = np.stack([np.zeros(sides - 2, int), np.arange(1, sides - 1), np.arange(2, sides)], axis=1)
    uv = turn * (0.5, 0.5 if up else -0.5) + 0.5
    normals = np.tile([0.0, 1.0 if up else -1.0, 0.0], (sides, 1))
    return Patch(ring, normals, into(uv, box), faces if up else faces[:, ::-1])
