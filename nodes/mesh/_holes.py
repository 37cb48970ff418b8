"""Find the rims of holes, close them, and settle which side of each part is out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._mending import Sheet, part_of
from nodes.mesh._topology import Edges, Ints, edges_of, face_vectors, signed_volume

Array = NDArray[Any]
FLAT = 1e-6
ONE_WAY = 1e-3


def rims(sheet: Sheet) -> list[Array]:
    """Vertex numbers around each hole, in the direction in which new faces must run.

    Faces are wound alike and every vertex has one fan, so each vertex lies on one rim at most.
    """
    edges = edges_of(sheet.faces)
    free = np.flatnonzero(edges.boundary[edges.sides].ravel())
    tail = sheet.faces.ravel()[free]
    head = np.roll(sheet.faces, -1, axis=1).ravel()[free]
    after = dict(zip(head.tolist(), tail.tolist(), strict=True))
    found = []
    while after:
        start, at = after.popitem()
        rim = [start]
        while at != start:
            rim.append(at)
            at = after.pop(at)
        found.append(np.array(rim, np.int64))
    return found[::-1]


def closed_up(sheet: Sheet, largest: float, within: Array | None = None) -> tuple[Sheet, int, int]:
    """(sheet, holes filled, holes left): rims not longer than ``largest`` metres are filled.

    ``within``: (K,) bool; only rims whose vertices are all marked count.
    """
    from nodes.mesh._patching import patch

    keys = _keys(sheet)
    corner = np.zeros(len(sheet.points), np.int32)
    corner[sheet.faces.ravel()] = sheet.origin.ravel()
    faces, points, origin, left = [], [sheet.points], [corner], 0
    count = len(sheet.points)
    all_rims = [rim for rim in rims(sheet) if within is None or within[rim].all()]
    for rim in all_rims:
        at = sheet.points[rim]
        if len(rim) < 3 or np.linalg.norm(at - np.roll(at, 1, axis=0), axis=1).sum() > largest:
            left += 1
            continue
        new = patch(at, _taken(rim, keys))
        names = np.append(rim, count)
        faces.append(names[new])
        if new.max() == len(rim):
            points.append(at.mean(axis=0, keepdims=True))
            origin.append(corner[rim[:1]])
            count += 1
    if faces:
        new = np.concatenate(faces)
        sheet = replace(sheet, points=np.concatenate(points))
        sheet = sheet.with_faces(new, np.concatenate(origin)[new], np.full(len(new), -1), patch=True)
    return sheet, len(all_rims) - left, left


def _keys(sheet: Sheet) -> Array:
    """Sorted numbers of all edges, lower end first."""
    low, high = np.sort(edges_of(sheet.faces).ends, axis=1).T.astype(np.int64)
    return np.sort((low << 32) | high)


def _taken(rim: Array, keys: Array) -> Array:
    """(n, n) bool: pairs of rim vertices that an edge joins already, neighbours along the rim left out."""
    low, high = np.minimum(rim[:, None], rim[None, :]), np.maximum(rim[:, None], rim[None, :])
    wanted = (low << 32) | high
    at = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    taken: Array = keys[at] == wanted
    ring = np.arange(len(rim))
    taken[ring, (ring + 1) % len(rim)] = taken[(ring + 1) % len(rim), ring] = False
    return taken


def without_flat(sheet: Sheet) -> tuple[Sheet, int, int]:
    """(sheet, flat parts, fillings taken out): a part that encloses next to nothing is an open sheet, and loses the
    filling of its outer rim again, which would only double it; holes within it stay filled."""
    count, part = part_of(sheet)
    volume = np.abs(np.bincount(part, signed_volume(_centred(sheet), sheet.faces), minlength=count))
    area = np.bincount(part, sheet.area, minlength=count)
    filled = np.bincount(part, sheet.patch, minlength=count) > 0
    flat = filled & (volume < FLAT * area**1.5)
    fillings = np.flatnonzero(sheet.patch & flat[part])
    if not len(fillings):
        return sheet, int(flat.sum()), 0
    amount, which = part_of(sheet.only(np.isin(np.arange(len(part)), fillings)))
    size = np.bincount(which, sheet.area[fillings], minlength=amount)
    owner = np.zeros(amount, np.int64)
    owner[which] = part[fillings]
    gone = np.zeros(amount, bool)
    order = np.lexsort((size, owner))
    gone[order[np.append(owner[order][1:] != owner[order][:-1], True)]] = True
    gone &= ~_one_layer(sheet, part, count)[owner]
    keep = np.ones(len(part), bool)
    keep[fillings] = ~gone[which]
    gone |= ~_one_layer(sheet.only(keep), part[keep], count)[owner]
    keep[fillings] = ~gone[which]
    return sheet.only(keep), int(flat.sum()), int(gone.sum())


def _one_layer(sheet: Sheet, part: Ints, count: int) -> Array:
    """(P,) bool: all faces of the part look the same way."""
    ways = face_vectors(sheet.points, sheet.faces) / 2
    across = np.stack([np.bincount(part, column, minlength=count) for column in ways.T], axis=1)
    area = np.bincount(part, np.linalg.norm(ways, axis=1), minlength=count)
    return np.asarray(np.linalg.norm(across, axis=1) > (1 - ONE_WAY) * area)


def outward(sheet: Sheet) -> tuple[Sheet, int]:
    """(sheet, parts turned): closed parts look outward, unless they are the inner wall of another part."""
    part, turn = inward_parts(sheet)
    return turned(sheet, turn[part]), int(turn.sum())


def turned(sheet: Sheet, which: Array) -> Sheet:
    """The faces marked in ``which``, (M,) bool, look the other way."""
    if not which.any():
        return sheet
    flip = which[:, None]
    faces, origin = (np.where(flip, rows[:, ::-1], rows).astype(np.int32) for rows in (sheet.faces, sheet.origin))
    return replace(sheet, faces=faces, origin=origin)


def inward_parts(sheet: Sheet, edges: Edges | None = None) -> tuple[Ints, Array]:
    """((M,) part of each face, (P,) bool: closed parts that look inward and lie in no other closed part).

    ``edges``: of its faces, whichever way they are wound, where they are at hand.
    """
    edges = edges or edges_of(sheet.faces)
    count, part = part_of(sheet, edges)
    volume = np.bincount(part, signed_volume(_centred(sheet), sheet.faces), minlength=count)
    is_open = np.bincount(part, edges.at(edges.uses != 2), minlength=count) > 0
    turn = (volume < 0) & ~is_open
    closed = np.flatnonzero(~is_open).tolist()
    for p in np.flatnonzero(turn).tolist():
        turn[p] = not any(_inside(sheet, part, p, q) for q in closed if q != p)
    return part, turn


def _inside(sheet: Sheet, part: Ints, inner: int, outer: int) -> bool:
    """Whether a vertex of one part lies inside another (solid angle, van Oosterom and Strackee 1983)."""
    at = sheet.points[sheet.faces[part == inner][0, 0]]
    own = sheet.points[sheet.faces[part == outer]]
    if (at < own.min(axis=(0, 1))).any() or (at > own.max(axis=(0, 1))).any():
        return False
    a, b, c = (own[:, k] - at for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    top = np.einsum("ij,ij->i", a, np.cross(b, c))
    dots = (np.einsum("ij,ij->i", p, q) for p, q in ((a, b), (b, c), (c, a)))
    ab, bc, ca = dots
    turns = np.arctan2(top, la * lb * lc + ab * lc + bc * la + ca * lb).sum() / (2 * np.pi)
    return bool(abs(turns) > 0.5)


def _centred(sheet: Sheet) -> Array:
    return np.asarray(sheet.points - sheet.points.mean(axis=0))
