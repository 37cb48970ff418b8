"""Close open seams: borders that lie nearer to each other than a tolerance become one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._mending import Sheet
from nodes.mesh._topology import collapsed, edges_of

Array = NDArray[Any]
ROUNDS = 4


def snapped(sheet: Sheet, tolerance: float) -> tuple[Sheet, int, int]:
    """(sheet, border vertices joined to another, border edges split at a vertex that lies on them).

    ``tolerance``: metres. Vertices inside the surface neither move nor take part; of vertices that are joined the one
    named first in the mesh stays where it is.
    """
    sheet, joined = _joined(sheet, tolerance)
    split = 0
    for _ in range(ROUNDS):
        sheet, count = _split(sheet, tolerance)
        split += count
        if not count:
            break
        sheet, more = _joined(sheet, tolerance)
        joined += more
    return sheet, joined, split


def _joined(sheet: Sheet, tolerance: float) -> tuple[Sheet, int]:
    from nodes.mesh._grid import near_earlier

    edges = edges_of(sheet.faces)
    border = np.unique(edges.ends[edges.boundary])
    if not len(border):
        return sheet, 0
    kept = border[near_earlier(sheet.points[border], tolerance)]
    count = int((kept != border).sum())
    if not count:
        return sheet, 0
    names = np.arange(len(sheet.points), dtype=np.int32)
    names[border] = kept
    joined = replace(sheet, faces=names[sheet.faces])
    return joined.only(~collapsed(joined.faces)), count


def _split(sheet: Sheet, tolerance: float) -> tuple[Sheet, int]:
    """At most one side of each face at a time."""
    edges = edges_of(sheet.faces)
    free = np.flatnonzero(edges.boundary[edges.sides].ravel())
    on = _vertices_on(sheet, free, np.unique(edges.ends[edges.boundary]), tolerance)
    chosen: dict[int, tuple[int, list[tuple[float, int]]]] = {}
    for row, hits in sorted(on.items()):
        chosen.setdefault(int(free[row]) // 3, (int(free[row]) % 3, hits))
    if not chosen:
        return sheet, 0
    faces: list[list[int]] = []
    origin: list[list[int]] = []
    source: list[int] = []
    blend: list[list[float]] = []
    base = sheet.stock + len(sheet.blend)
    for face, (side, hits) in chosen.items():
        a, b, c = (int(sheet.faces[face, (side + k) % 3]) for k in range(3))
        ao, bo, co = (int(sheet.origin[face, (side + k) % 3]) for k in range(3))
        names, origins = [a], [ao]
        for share, vertex in hits:
            names.append(vertex)
            origins.append(base + len(blend))
            blend.append([ao, bo, share])
        names, origins = [*names, b], [*origins, bo]
        faces += [[names[k], names[k + 1], c] for k in range(len(names) - 1)]
        origin += [[origins[k], origins[k + 1], co] for k in range(len(names) - 1)]
        source += [int(sheet.source[face])] * (len(names) - 1)
    keep = np.ones(len(sheet.faces), bool)
    keep[list(chosen)] = False
    rest = replace(sheet.only(keep), blend=np.concatenate([sheet.blend, np.array(blend, float)]))
    return rest.with_faces(np.array(faces), np.array(origin), np.array(source)), len(chosen)


def _vertices_on(sheet: Sheet, free: Array, border: Array, tolerance: float) -> dict[int, list[tuple[float, int]]]:
    """For rows of ``free`` (sides): the border vertices on them between their ends, in order, with their share."""
    from scipy.spatial import cKDTree

    if not len(free):
        return {}
    tail, head = sheet.faces.ravel()[free], np.roll(sheet.faces, -1, axis=1).ravel()[free]
    tip = np.roll(sheet.faces, -2, axis=1).ravel()[free]
    a, b = sheet.points[tail], sheet.points[head]
    length = np.linalg.norm(b - a, axis=1)
    near = cKDTree(sheet.points[border]).query_ball_point((a + b) / 2, length / 2 + tolerance)
    found = {}
    for row in np.flatnonzero([len(n) > 2 for n in near]).tolist():
        vertex = border[np.sort(near[row])]
        vertex = vertex[(vertex != tail[row]) & (vertex != head[row]) & (vertex != tip[row])]
        way = (b[row] - a[row]) / max(float(length[row]), 1e-300)
        along = (sheet.points[vertex] - a[row]) @ way
        off = np.linalg.norm(sheet.points[vertex] - a[row] - along[:, None] * way, axis=1)
        hit = (off <= tolerance) & (along > tolerance) & (along < length[row] - tolerance)
        if hit.any():
            order = np.argsort(along[hit], kind="stable")
            shares = along[hit][order] / length[row]
            found[row] = list(zip(shares.tolist(), vertex[hit][order].tolist(), strict=True))
    return found
