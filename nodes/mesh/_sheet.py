"""Extruded shapes as one mesh. On the texture lie, to one scale, the front, the back from behind, the walls in rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Material, Mesh
from nodes.mesh._extrude import BACK, FRONT, WALL, Solid
from nodes.mesh._topology import collapsed, weld_points, weld_rows

Array = NDArray[Any]
MARGIN = 0.005
UPRIGHT = np.eye(3)


def as_mesh(
    solids: list[Solid], wall: float, scale: float, name: str, centre: bool = True, turn: Array = UPRIGHT
) -> Mesh:
    """Each solid a part of its own. ``wall``: height of the walls in the units of the solids; ``scale``: metres a unit.

    ``turn``: (3, 3) rotation, applied last. ``centre``: the middle of the bounding box lies at the origin.
    """
    at = np.concatenate([solid.at for solid in solids]).reshape(-1, 3) * scale
    if centre:
        at -= (at.min(axis=0) + at.max(axis=0)) / 2
    normal = np.concatenate([solid.normal for solid in solids]).reshape(-1, 3)
    uv = np.concatenate(laid_out(solids, wall)).reshape(-1, 2)
    rows = np.concatenate([at @ turn.T, normal @ turn.T, uv], axis=1).astype(np.float32)
    part = np.repeat(np.arange(len(solids)), [len(solid.at) for solid in solids])
    weld = weld_rows(rows)
    faces, rows = weld.ids.reshape(-1, 3), rows[weld.first]
    keep = ~collapsed(weld_points(rows[:, :3]).ids[faces])
    used, names = np.unique(faces[keep], return_inverse=True)
    return Mesh.of(
        rows[used][:, :3],
        names.reshape(-1, 3),
        normals=np.ascontiguousarray(rows[used][:, 3:6]),
        uv=np.ascontiguousarray(rows[used][:, 6:]),
        face_groups=part[keep].astype(np.int32),
        material=Material(name),
        name=name,
    )


def laid_out(solids: list[Solid], height: float) -> list[Array]:
    """(M, 3, 2) UVs in 0..1 of the corners of each solid; ``height``: of the walls, in the units of the solids.

    A unit has the same length everywhere but on bevels, which lie as they look from the front or from behind.
    """
    flat = np.concatenate([solid.at[..., :2].reshape(-1, 2) for solid in solids])
    low, high = flat.min(axis=0), flat.max(axis=0)
    wide, tall = (high - low).tolist()
    length = np.concatenate([np.diff(solid.wall, axis=1)[:, 0] for solid in solids])
    area = 2 * wide * tall + float(length.sum()) * height
    across = max(wide, float(np.sqrt(area)), float(length.max(initial=0.0)))
    gap = MARGIN * across
    begin, row = _rows(length, across)
    rows = int(row.max(initial=-1)) + 1
    size = max(across + 2 * gap, 2 * tall + rows * (height + gap) + 3 * gap)
    base = {FRONT: rows * (height + gap) + 2 * gap + tall, BACK: rows * (height + gap) + gap}
    out, at = [], 0
    for solid in solids:
        many = len(solid.wall)
        uv = solid.at[..., :2] - low
        back = solid.kind == BACK
        uv[back, :, 0] = wide - uv[back, :, 0]
        uv[..., 1] += np.where(back, base[BACK], base[FRONT])[:, None]
        uv[..., 0] += gap
        left, right = begin[at : at + many], begin[at : at + many] + length[at : at + many]
        foot = row[at : at + many] * (height + gap) + gap
        corners = [(left, 0), (right, 0), (right, height), (left, 0), (right, height), (left, height)]
        wall = np.stack([np.stack([x + gap, foot + y], axis=1) for x, y in corners], axis=1)
        uv[solid.kind == WALL] = wall.reshape(-1, 3, 2)
        at += many
        out.append(uv / size)
    return out


def _rows(length: Array, across: float) -> tuple[Array, Array]:
    """(where each piece begins, its row) when pieces are put side by side into rows of the width ``across``."""
    begin, row = np.zeros(len(length)), np.zeros(len(length), np.int64)
    x, y = 0.0, 0
    for k, size in enumerate(length.tolist()):
        if x + size > across * (1 + 1e-9):
            x, y = 0.0, y + 1
        begin[k], row[k] = x, y
        x += size
    return begin, row
