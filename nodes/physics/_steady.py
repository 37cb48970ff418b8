"""Ways to make a body stand: flatten what lies lowest, lean the body over its footprint, or give it a foot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._mass import mass_of
from nodes.physics._body import Fill, shell_of
from nodes.physics._fit import hull_of
from nodes.physics._stand import Footing, footing

Array = NDArray[Any]
STRICT = 1e-6
MOST_SIDES = 96
ROOM = 1.02


def centre_of(vertices: Array, faces: Array, fill: Fill) -> Array:
    """(3,) the centre of mass of a body that is known to be closed, or of a shell."""
    return (shell_of if fill == "shell" else mass_of)(vertices, faces).centre


def standing(vertices: Array, faces: Array, fill: Fill, size: float) -> tuple[Footing, Array]:
    """(how it stands on what lies exactly lowest, centre of mass)."""
    centre = centre_of(vertices, faces, fill)
    return footing(vertices[np.unique(faces)], centre, STRICT * size), centre


def flattened(vertices: Array, depth: float) -> Array:
    """(N, 3) float64: what lies less than ``depth`` metres above the lowest point is lifted to that height."""
    at = vertices.astype(np.float64)
    at[:, 1] = np.maximum(at[:, 1], at[:, 1].min() + depth)
    return at


def leaned(vertices: Array, by: Array, height: float) -> Array:
    """(N, 3): sheared so that points ``height`` above the lowest one move by (x, z), the lowest not at all."""
    at = vertices.astype(np.float64)
    rise = (at[:, 1] - at[:, 1].min()) / height
    at[:, 0] += by[0] * rise
    at[:, 2] += by[1] * rise
    return at


def needed_lean(now: Footing, centre: Array, least: float) -> Array | None:
    """(x, z) by which the centre of mass has to move so that ``least`` degrees are held, or None: too small a base."""
    outline = now.outline
    if len(outline) < 3:
        return None
    outline = outline[:: -(-len(outline) // MOST_SIDES)]
    side = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([side[:, 1], -side[:, 0]], axis=1) / np.linalg.norm(side, axis=1, keepdims=True)
    offset = np.einsum("ij,ij->i", outline, normal) - now.height * np.tan(np.radians(least)) * ROOM
    foot = centre[[0, 2]]
    slack = 1e-9 * (np.abs(outline).max() + 1e-12)
    tries = [foot[None], foot - (normal @ foot - offset)[:, None] * normal]
    one, two = np.triu_indices(len(normal), 1)
    cross = normal[one, 0] * normal[two, 1] - normal[one, 1] * normal[two, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (offset[one] * normal[two, 1] - offset[two] * normal[one, 1]) / cross
        y = (normal[one, 0] * offset[two] - normal[two, 0] * offset[one]) / cross
    tries.append(np.stack([x, y], axis=1)[np.abs(cross) > 1e-9])
    points = np.concatenate(tries)
    good = points[(points @ normal.T <= offset + slack).all(axis=1)]
    if not len(good):
        return None
    return np.asarray(good[np.square(good - foot).sum(axis=1).argmin()] - foot)


def moved_mesh(mesh: Mesh, at: Array, lean: Array, height: float) -> Mesh:
    """The mesh with new positions. Normals lean along; where the base was flattened they look down."""
    normals = None
    if mesh.normals is not None:
        turned = mesh.normals.astype(np.float64)
        turned[:, 1] -= (turned[:, 0] * lean[0] + turned[:, 2] * lean[1]) / height
        lifted = at[:, 1] > mesh.vertices[:, 1] + 1e-7 * np.abs(mesh.vertices).max()
        turned[lifted] = 0.0, -1.0, 0.0
        normals = (turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    return replace(mesh, vertices=at.astype(np.float32), normals=normals)


def with_foot(mesh: Mesh, outline: Array, around: Array, reach: float, thick: float) -> Mesh:
    """With a plate under it, a closed part of its own: the hull of the footprint and a disc of ``reach`` metres around
    (x, z) ``around``. The mesh stands ``thick`` / 4 deep in it."""
    turn = 2 * np.pi * np.arange(24) / 24
    disc = around + reach / np.cos(np.pi / 24) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    flat = np.concatenate([outline, disc])
    top = float(mesh.vertices[:, 1].min()) + thick / 4
    plate = hull_of(np.concatenate([np.insert(flat, 1, height, axis=1) for height in (top - thick, top)]))
    corners = plate.points[plate.faces].reshape(-1, 3).astype(np.float32)
    count = len(corners)

    def more(old: Array | None, new: Array) -> Any:
        return None if old is None else np.concatenate([old, new.astype(old.dtype)])

    groups = mesh.face_groups
    return replace(
        mesh,
        vertices=np.concatenate([mesh.vertices, corners]),
        faces=np.concatenate([mesh.faces, np.arange(count, dtype=np.int32).reshape(-1, 3) + len(mesh.vertices)]),
        normals=more(mesh.normals, np.repeat(plate.planes[:, :3], 3, axis=0)),
        uv=more(mesh.uv, np.zeros((count, 2))),
        colours=more(mesh.colours, np.full((count, 4), (0.6, 0.6, 0.6, 1.0))),
        face_groups=None if groups is None else more(groups, np.full(count // 3, groups.max(initial=-1) + 1)),
    )
