"""Extruded shapes as one mesh. On the texture lie, to one scale, the front, the back from behind, the walls in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh
from nodes.mesh._extrude import BACK, FRONT, WALL, Solid
from nodes.mesh._topology import collapsed, compacted, weld_points, weld_rows

Array = NDArray[Any]
MARGIN = 0.005
UPRIGHT = np.eye(3)


@dataclass(frozen=True)
class Stamp:
    """A solid with shared vertices, to be printed wherever it stands. ``kind``: (V,) wall, front or back.

    ``uv``: (V, 2) in the units of the solid; of a wall along its run of walls, whose number is ``run``, (V,).
    ``runs``: the length of each run.
    """

    at: Array
    normal: Array
    faces: Array
    kind: Array
    uv: Array
    run: Array
    runs: Array


Placed = tuple[Solid, tuple[float, float]]


def as_mesh(
    placed: Sequence[Placed], wall: float, scale: float, name: str, centre: bool = True, turn: Array = UPRIGHT
) -> Mesh:
    """Solids, each moved by (x, y), as one mesh; each is a part of its own. Equal ones are best the same object.

    ``wall``: height of the walls in the units of the solids; ``scale``: metres a unit. ``turn``: (3, 3) rotation,
    applied last. ``centre``: the middle of the bounding box lies at the origin.
    """
    solids = {id(solid): solid for solid, _ in placed}
    box = {key: _box(solid) for key, solid in solids.items()}
    corners = np.array([box[id(solid)] + shift for solid, shift in placed])
    low, high = corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)
    length = sum(float(solid.wall[-1, 1]) for solid, _ in placed)
    longest = max(float(np.diff(solid.wall, axis=1).max()) for solid in solids.values())
    wide, tall = (high - low).tolist()
    across = max(wide, float(np.sqrt(2 * wide * tall + length * wall)), longest)
    known = {key: _stamp(solid, wall, across) for key, solid in solids.items()}
    stamps = [(known[id(solid)], np.array(shift)) for solid, shift in placed]
    middle = (low + high) / 2 if centre else np.zeros(2)
    vertices = _at_spots([(stamp.at, (*(shift - middle), 0.0)) for stamp, shift in stamps], scale * turn)
    start = np.cumsum([0, *(len(stamp.at) for stamp, _ in stamps)])
    return Mesh(
        vertices,
        np.concatenate([stamp.faces + np.int32(first) for (stamp, _), first in zip(stamps, start, strict=False)]),
        normals=_at_spots([(stamp.normal, (0.0, 0.0, 0.0)) for stamp, _ in stamps], turn),
        uv=_laid_out(stamps, low, (wide, tall), across, wall),
        face_groups=np.repeat(np.arange(len(stamps), dtype=np.int32), [len(stamp.faces) for stamp, _ in stamps]),
        material=Material(name),
        name=name,
    )


def _at_spots(rows: Sequence[tuple[Array, tuple[float, ...]]], turn: Array) -> Array:
    """(V, 3) float32: of each stamp's rows (v, 3), moved and turned."""
    out = np.empty((sum(len(row) for row, _ in rows), 3), np.float32)
    first = 0
    for row, shift in rows:
        out[first : first + len(row)] = (row + np.array(shift)) @ turn.T
        first += len(row)
    return out


def _box(solid: Solid) -> Array:
    flat = solid.at[..., :2].reshape(-1, 2)
    return np.stack([flat.min(axis=0), flat.max(axis=0)])


def _stamp(solid: Solid, wall: float, across: float) -> Stamp:
    run, begin = _runs(solid.wall, across)
    many = len(solid.wall)
    left, right = solid.wall[:, 0] - begin, solid.wall[:, 1] - begin
    low, high = np.zeros(many), np.full(many, wall)
    six = [(left, low), (right, low), (right, high), (left, low), (right, high), (left, high)]
    uv = solid.at[..., :2] * np.where(solid.kind == BACK, -1.0, 1.0)[:, None, None] ** (1, 0)
    uv[solid.kind == WALL] = np.stack([np.stack(pair, axis=1) for pair in six], axis=1).reshape(-1, 3, 2)
    of = np.zeros(len(solid.kind))
    of[solid.kind == WALL] = np.repeat(run, 2)
    tags = np.repeat(np.stack([solid.kind, of], axis=1), 3, axis=0)
    rows = np.concatenate([solid.at.reshape(-1, 3), solid.normal.reshape(-1, 3), uv.reshape(-1, 2), tags], axis=1)
    weld = weld_rows(rows)
    rows, faces = rows[weld.first], weld.ids.reshape(-1, 3)
    faces = faces[~collapsed(weld_points(rows[:, :3]).ids[faces])]
    used, faces = compacted(faces, len(rows))
    rows = rows[used]
    runs = np.zeros(int(run.max()) + 1)
    np.maximum.at(runs, run, right)
    kind, of = rows[:, 8].astype(int), rows[:, 9].astype(int)
    return Stamp(rows[:, :3], rows[:, 3:6], faces, kind, rows[:, 6:8], of, runs)


def _runs(wall: Array, across: float) -> tuple[Array, Array]:
    """(run of each wall, where its run begins): as many walls in a run as ``across`` has room for."""
    run, begin, number, first = [], [], 0, 0.0
    for left, right in wall.tolist():
        if right - first > across * (1 + 1e-9):
            number, first = number + 1, left
        run.append(number)
        begin.append(first)
    return np.array(run), np.array(begin)


def _laid_out(
    stamps: list[tuple[Stamp, Array]], low: Array, size: tuple[float, float], across: float, wall: float
) -> Array:
    """(V, 2) UVs in 0..1 of all vertices.

    A unit has the same length everywhere but on bevels, which lie as they look from the front or from behind.
    """
    wide, tall = size
    gap = MARGIN * across
    begin, row = _rows(np.concatenate([stamp.runs for stamp, _ in stamps]), across)
    ground = (int(row.max()) + 1) * (wall + gap) + gap
    side = max(across + 2 * gap, ground + 2 * (tall + gap))
    out, first, at = np.empty((sum(len(stamp.at) for stamp, _ in stamps), 2), np.float32), 0, 0
    for stamp, shift in stamps:
        front = np.array([shift[0] - low[0], shift[1] - low[1] + ground + tall + gap])
        back = np.array([wide - shift[0] + low[0], shift[1] - low[1] + ground])
        foot = np.stack([begin[first + stamp.run], row[first + stamp.run] * (wall + gap) + gap], axis=1)
        kind = stamp.kind[:, None]
        uv = stamp.uv + np.where(kind == FRONT, front, np.where(kind == BACK, back, foot)) + (gap, 0)
        out[at : at + len(uv)] = uv / side
        first, at = first + len(stamp.runs), at + len(uv)
    return out


def _rows(length: Array, across: float) -> tuple[Array, Array]:
    """(where each run begins, its row) when runs are put side by side into rows of the width ``across``."""
    begin, row = np.zeros(len(length)), np.zeros(len(length), np.int64)
    x, y = 0.0, 0
    for k, size in enumerate(length.tolist()):
        if x + size > across * (1 + 1e-9):
            x, y = 0.0, y + 1
        begin[k], row[k] = x, y
        x += size
    return begin, row
