"""Where holes go through a wall so that what is caught in a cavity runs out, and the rods that drill them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._bvh import Tree, along, build, nearest
from nodes.mesh._flat_uv import boxed, density_of
from nodes.mesh._rows import below, only
from nodes.mesh._topology import face_vectors

Array = NDArray[Any]
FACING = 0.8
LOW = 0.3
APART = 1.5
LEVEL = 0.1  # of a wall
FIRM = 0.75  # of a wall
PLACES = 2_000
AROUND = 16


@dataclass(frozen=True)
class Spot:
    """``at``: (3,) on the floor of a cavity. ``way``: (3,) unit, straight through the wall. ``out``, ``back``: metres
    that a rod from there may reach along it and against it."""

    at: Array
    way: Array
    out: float
    back: float


def spots(
    outer: Mesh, cavities: list[Mesh], down: Array, count: int, radius: float, wall: float, check: Callable[[], None]
) -> list[Spot]:
    """At most ``count``: one at the lowest place of each cavity, the largest first, then far from those there are.

    ``cavities``: closed meshes that look away from their room. ``down``: (3,) unit, the side that the holes are on.
    There are fewer where no more fit at a distance of one and a half diameters, with most of a wall around them.
    """
    tree = build(outer.vertices, outer.faces)
    floors = [_floor(cavity, down) for cavity in cavities]
    found: list[Spot] = []
    full: set[int] = set()
    for turn in range(count):
        for number, (cavity, floor) in enumerate(zip(cavities, floors, strict=True)):
            if len(found) == count or number in full:
                continue
            places = np.array([spot.at for spot in found]).reshape(-1, 3)
            for k in _wanted(floor, down, places, turn, count > len(cavities), radius, wall):
                check()
                spot = _spot(tree, cavity, floor[k], radius, wall)
                if spot is not None:
                    found.append(spot)
                    break
            else:
                full.add(number)
    return found


def _floor(cavity: Mesh, down: Array) -> Array:
    """(N, 3) places all over the faces that look down, evenly by area."""
    from nodes.mesh._metrics import sample, surface_of

    facing = face_vectors(cavity.vertices, cavity.faces)
    floor = facing @ down > FACING * np.linalg.norm(facing, axis=1)
    if not floor.any():
        return np.zeros((0, 3))
    return np.asarray(sample(surface_of(only(cavity, floor)), PLACES, 0).points.astype(np.float64))


def _wanted(at: Array, down: Array, others: Array, turn: int, several: bool, radius: float, wall: float) -> Array:
    """Which of ``at`` to try, the best first. The first hole of a cavity: the lowest, at the middle or, with
    ``several``, at the rim. Others: far from ``others``, (N, 3), on the lower part."""
    if not len(at):
        return np.zeros(0, np.int64)
    depth = at @ down
    flat = at - depth[:, None] * down
    level = np.floor((depth.max() - depth) / (LEVEL * wall))
    if len(others):
        beside = others - (others @ down)[:, None] * down
        far = np.linalg.norm(flat[:, None] - beside[None], axis=2).min(axis=1)
    else:
        far = np.full(len(at), np.inf)
    room = far >= APART * 2 * radius
    if turn == 0:
        out = np.linalg.norm(flat - flat[level == 0].mean(axis=0), axis=1)
        order = np.lexsort((-out if several else out, level))
        return np.asarray(order[room[order]])
    low = depth >= depth.max() - LOW * max(float(np.ptp(at, axis=0).max()), 1e-12)
    order = np.argsort(-far, kind="stable")
    return np.asarray(order[(low & room)[order]])


def _spot(tree: Tree, cavity: Mesh, at: Array, radius: float, wall: float) -> Spot | None:
    """A rod ends half way to whatever lies on either side of the wall. None where it would come close to the outside
    with its side."""
    room = 2 * radius + wall
    face, place = nearest(tree, at[None].astype(np.float32))
    corner = tree.corner[np.flatnonzero(tree.order == face[0])[0]].astype(np.float64)
    through = corner[:3] + corner[3:6] * place[0, 1] + corner[6:] * place[0, 2] - at
    long = float(np.linalg.norm(through))
    way = through / long
    if not _firm(tree, at, way, radius, wall):
        return None

    def clear(tree: Tree, start: Array) -> float:
        hit, found = along(tree, start[None].astype(np.float32), -way[None].astype(np.float32), 2 * room)
        return room if hit[0] < 0 else min(room, abs(float(found[0, 0])) / 2)

    back = clear(build(cavity.vertices, cavity.faces), at)
    return Spot(at, way, long + clear(tree, at + through), back)


def _firm(tree: Tree, at: Array, way: Array, radius: float, wall: float) -> bool:
    """Whether most of a wall stays between the outside and where the side of the rod starts."""
    turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    ring = np.stack([np.cos(turn), np.zeros(AROUND), np.sin(turn)], axis=1) @ _upright_to(way).T
    _, off = nearest(tree, (at + ring * radius).astype(np.float32))
    crossed, _ = along(tree, np.tile(at, (AROUND, 1)).astype(np.float32), ring.astype(np.float32), radius)
    return bool((off[:, 0] > FIRM * wall).all() and (crossed < 0).all())


def rods(spots: list[Spot], radius: float, like: Mesh) -> Mesh:
    """Closed cylinders in one mesh, with UVs where ``like`` has some, at its texel density, and its material."""
    from nodes.mesh.primitives import cylinder

    one = cylinder(radius, 1.0, segments=48)
    tables = []
    for spot in spots:
        turn, length = _upright_to(spot.way), spot.out + spot.back
        middle = spot.at + spot.way * (spot.out - spot.back) / 2
        at = (one.vertices.astype(np.float64) * (1, length, 1)) @ turn.T + middle
        assert one.normals is not None
        tables.append({"vertices": at.astype(np.float32), "normals": (one.normals @ turn.T).astype(np.float32)})
    rows = below(*tables)
    count = len(one.vertices)
    faces = np.concatenate([one.faces + k * count for k in range(len(spots))]).astype(np.int32)
    rod = replace(Mesh.of(rows["vertices"], faces), normals=rows["normals"], material=like.material)
    return rod if like.uv is None else boxed(rod, density_of(like))


def _upright_to(way: Array) -> Array:
    """(3, 3) rotation that takes +Y to ``way``."""
    side = np.cross(way, np.eye(3)[np.abs(way).argmin()])
    side /= np.linalg.norm(side)
    return np.stack([np.cross(way, side), way, side], axis=1)
