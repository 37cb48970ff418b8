"""Faces without height between sound ones: turn the side they lie on, so that nothing moves and nothing opens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._measure import flat
from nodes.mesh._mending import Sheet
from nodes.mesh._topology import edges_of

Array = NDArray[Any]
ROUNDS = 8


@dataclass
class _Turns:
    """What one round replaces. ``busy``: faces that are taken; ``edges``: keys of the edges there are."""

    busy: set[int]
    edges: set[int]
    gone: list[int]
    faces: list[list[int]]
    origin: list[list[int]]
    source: list[int]
    blend: list[list[float]]


def without_caps(sheet: Sheet) -> tuple[Sheet, int]:
    """(sheet, faces without height that went).

    The longest side of such a face, shared with one other face, is turned to join the two corners off it. At a border
    the face is dropped.
    """
    total = 0
    for _ in range(ROUNDS):
        caps = np.flatnonzero(flat(sheet.points, sheet.faces))
        if not len(caps):
            break
        sheet, went = _round(sheet, caps)
        total += went
        if not went:
            break
    return sheet, total


def _round(sheet: Sheet, caps: Array) -> tuple[Sheet, int]:
    table = edges_of(sheet.faces)
    low, high = np.sort(table.ends, axis=1).T.astype(np.int64)
    at = sheet.points[sheet.faces[caps]]
    longest = np.linalg.norm(np.roll(at, -1, axis=1) - at, axis=2).argmax(axis=1)
    turns = _Turns(set(), set(((low << 32) | high).tolist()), [], [], [], [], [])
    for cap, side in zip(caps.tolist(), longest.tolist(), strict=True):
        other = int(table.neighbours[cap, side])
        if table.boundary[table.sides[cap, side]] and cap not in turns.busy:
            turns.busy.add(cap)
            turns.gone.append(cap)
        elif other >= 0 and not {cap, other} & turns.busy:
            _turn(sheet, turns, cap, side, other)
    keep = np.ones(len(sheet.faces), bool)
    keep[turns.gone] = False
    kept = replace(sheet.only(keep), blend=np.concatenate([sheet.blend, np.array(turns.blend).reshape(-1, 3)]))
    faces, origin = (np.array(rows, np.int64).reshape(-1, 3) for rows in (turns.faces, turns.origin))
    went = len({*turns.gone} & {*caps.tolist()})
    return kept.with_faces(faces, origin, np.array(turns.source, np.int64)), went


def _turn(sheet: Sheet, turns: _Turns, cap: int, side: int, other: int) -> None:
    """Both new faces lie where the other face lay: they take its attributes, blended for the corner between."""
    a, b, middle = (int(sheet.faces[cap, (side + k) % 3]) for k in range(3))
    far = next(k for k in range(3) if sheet.faces[other, k] not in (a, b))
    end = int(sheet.faces[other, far])
    key = (min(middle, end) << 32) | max(middle, end)
    if end == middle or key in turns.edges:
        return
    turns.edges.add(key)
    turns.busy |= {cap, other}
    turns.gone += [cap, other]
    d, e, f = (int(sheet.faces[other, (far + k) % 3]) for k in range(3))
    do, eo, fo = (int(sheet.origin[other, (far + k) % 3]) for k in range(3))
    at_e, at_f, at = sheet.points[e], sheet.points[f], sheet.points[middle]
    way = at_f - at_e
    share = float(np.clip((at - at_e) @ way / max(float(way @ way), 1e-300), 0.0, 1.0))
    seam = {int(sheet.origin[cap, side]), int(sheet.origin[cap, (side + 1) % 3])} != {eo, fo}
    mo = sheet.stock + len(sheet.blend) + len(turns.blend) if seam else int(sheet.origin[cap, (side + 2) % 3])
    if seam:
        turns.blend.append([eo, fo, share])
    turns.faces += [[d, e, middle], [d, middle, f]]
    turns.origin += [[do, eo, mo], [do, mo, fo]]
    turns.source += [int(sheet.source[other])] * 2
