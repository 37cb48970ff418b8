"""Simple solids to start from: closed, outward, with UVs that do not overlap. Centred at the origin, +Y up."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Mesh, Setting, Slider, node
from nodes.mesh._icosphere import icosphere
from nodes.mesh._revolve import Array, Box, Patch, disc, grid_faces, into, mesh_of, revolved

Size = Slider(0.001, 1000, log=True, unit="m")
Around = Slider(3, 1024, log=True, help="Flat pieces around.")
Pieces = Slider(1, 512, log=True, help="Flat pieces along each side.")
MARGIN = 0.01
LEFT_LID: Box = (MARGIN, MARGIN, 0.5 - MARGIN, 0.5 - MARGIN)
RIGHT_LID: Box = (0.5 + MARGIN, MARGIN, 1 - MARGIN, 0.5 - MARGIN)
UPPER_HALF: Box = (0.0, 0.5, 1.0, 1.0)


@node("mesh.box", title="Box", group="Primitives")
def box(
    width: Annotated[float, Size] = 1.0,
    height: Annotated[float, Size] = 1.0,
    depth: Annotated[float, Size] = 1.0,
    pieces: Annotated[int, Pieces] = 1,
) -> Mesh:
    """A box with hard edges. Each side has its own place on the texture."""
    half = np.array([width, height, depth]) / 2
    return mesh_of([_side(half, axis, sign, pieces) for axis in range(3) for sign in (1, -1)], "box")


def _side(half: Array, axis: int, sign: int, pieces: int) -> Patch:
    """One side: a grid whose borders are exactly those of its neighbours."""
    across, up = {0: (2, 1), 1: (0, 2), 2: (0, 1)}[axis]
    steps = (2 * np.arange(pieces + 1) - pieces) / pieces
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    flip = {0: -sign, 1: 1, 2: sign}[axis]
    rise = -sign if axis == 1 else 1
    vertices = np.empty((rows.size, 3))
    vertices[:, axis] = sign * half[axis]
    vertices[:, across] = (columns * flip).ravel() * half[across]
    vertices[:, up] = (rows * rise).ravel() * half[up]
    normals = np.zeros_like(vertices)
    normals[:, axis] = sign
    uv = np.stack([columns.ravel(), rows.ravel()], axis=1) / 2 + 0.5
    column, row = axis, 0 if sign > 0 else 1
    place = (column / 3 + MARGIN, row / 2 + MARGIN, (column + 1) / 3 - MARGIN, (row + 1) / 2 - MARGIN)
    return Patch(vertices, normals, into(uv, place), grid_faces(pieces, pieces))


@node("mesh.sphere", title="Sphere", group="Primitives")
def sphere(
    radius: Annotated[float, Size] = 0.5,
    style: Annotated[
        Literal["globe", "icosphere"], Setting(help="Globe: rows and columns. Icosphere: even triangles.")
    ] = "globe",
    segments: Annotated[int, Slider(3, 512, log=True, help="Globe: columns, and half as many rows.")] = 64,
    detail: Annotated[int, Slider(1, 128, log=True, help="Icosphere: pieces along each of its 30 edges.")] = 12,
) -> Mesh:
    """A smooth ball, as a globe of rows and columns or as an icosphere of even triangles."""
    if style == "icosphere":
        return mesh_of([icosphere(radius, detail)], "sphere")
    rows = max(2, segments // 2)
    angle = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    profile = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    profile[[0, -1]] = [0, -1], [0, 1]
    return mesh_of([revolved(profile * radius, profile, np.linspace(0, 1, rows + 1), segments)], "sphere")


@node("mesh.cylinder", title="Cylinder", group="Primitives")
def cylinder(
    radius: Annotated[float, Size] = 0.5,
    height: Annotated[float, Size] = 1.0,
    segments: Annotated[int, Around] = 64,
    rows: Annotated[int, Slider(1, 512, log=True, help="Flat pieces along the height.")] = 1,
) -> Mesh:
    """A closed cylinder with hard edges at its lids."""
    y = np.linspace(-height / 2, height / 2, rows + 1)
    profile = np.stack([np.full(rows + 1, radius), y], axis=1)
    outward = np.broadcast_to([1.0, 0.0], profile.shape)
    wall = revolved(profile, outward, np.linspace(0, 1, rows + 1), segments, UPPER_HALF)
    lids = [disc(radius, y[-1], segments, LEFT_LID, True), disc(radius, y[0], segments, RIGHT_LID, False)]
    return mesh_of([wall, *lids], "cylinder")


@node("mesh.cone", title="Cone", group="Primitives")
def cone(
    radius: Annotated[float, Size] = 0.5,
    height: Annotated[float, Size] = 1.0,
    segments: Annotated[int, Around] = 64,
    top_radius: Annotated[float, Slider(0, 1000, unit="m", help="Above 0 the tip is cut off.")] = 0.0,
) -> Mesh:
    """A closed cone, or a truncated one, with a hard edge at its base."""
    if top_radius == radius == 0:
        raise BadInput("The cone has no width.", "Choose a radius above 0.")
    slope = np.array([height, radius - top_radius]) / np.hypot(height, radius - top_radius)
    profile = np.array([[radius, -height / 2], [top_radius, height / 2]])
    wall = revolved(profile, np.array([slope, slope]), np.array([0.0, 1.0]), segments, UPPER_HALF)
    patches = [wall, disc(radius, -height / 2, segments, RIGHT_LID, False)]
    if top_radius > 0:
        patches.append(disc(top_radius, height / 2, segments, LEFT_LID, True))
    return mesh_of(patches, "cone")


@node("mesh.torus", title="Torus", group="Primitives")
def torus(
    radius: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="From the centre to the tube.")] = 0.5,
    thickness: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Radius of the tube.")] = 0.2,
    segments: Annotated[int, Around] = 96,
    sides: Annotated[int, Slider(3, 512, log=True, help="Flat pieces around the tube.")] = 48,
) -> Mesh:
    """A ring. The tube must be thinner than the ring is wide, else it would cut itself."""
    if thickness >= radius:
        raise BadInput(
            f"A tube of {thickness:g} m does not fit a ring of {radius:g} m.",
            "Make the thickness less than the radius.",
        )
    around = np.arange(sides + 1) * (2 * np.pi / sides)
    normals = np.stack([-np.cos(around), -np.sin(around)], axis=1)
    normals[-1] = normals[0]
    profile = normals * thickness + (radius, 0.0)
    return mesh_of([revolved(profile, normals, np.linspace(0, 1, sides + 1), segments)], "torus")


@node("mesh.capsule", title="Capsule", group="Primitives")
def capsule(
    radius: Annotated[float, Size] = 0.25,
    height: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Of the straight part.")] = 0.5,
    segments: Annotated[int, Around] = 64,
) -> Mesh:
    """A cylinder with round ends, smooth all over."""
    quarter = np.linspace(0, np.pi / 2, max(2, segments // 4) + 1)
    half = np.stack([np.cos(quarter), np.sin(quarter)], axis=1)
    half[-1] = 0, 1
    normals = np.concatenate([half[::-1] * (1, -1), half])
    profile = normals * radius + np.repeat([[0, -height / 2], [0, height / 2]], len(half), axis=0)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    return mesh_of([revolved(profile, normals, length / length[-1], segments)], "capsule")


@node("mesh.plane", title="Plane", group="Primitives")
def plane(
    width: Annotated[float, Size] = 1.0,
    depth: Annotated[float, Size] = 1.0,
    pieces: Annotated[int, Pieces] = 1,
) -> Mesh:
    """A flat rectangle that faces up. It is open: give it thickness before printing."""
    steps = np.linspace(-0.5, 0.5, pieces + 1)
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    flat = np.stack([columns.ravel(), rows.ravel()], axis=1)
    vertices = np.stack([flat[:, 0] * width, np.zeros(len(flat)), -flat[:, 1] * depth], axis=1)
    normals = np.broadcast_to([0.0, 1.0, 0.0], vertices.shape)
    return mesh_of([Patch(vertices, normals, flat + 0.5, grid_faces(pieces, pieces))], "plane")
