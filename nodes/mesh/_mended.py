"""From the sheet that Repair worked on back to a mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh
from nodes.mesh._mending import Sheet
from nodes.mesh._shading import grouped_normals
from nodes.mesh._topology import weld_bits, weld_rows

Array = NDArray[Any]


def mended(mesh: Mesh, sheet: Sheet) -> Mesh:
    """Corners with the same position and the same attributes share a vertex; hard edges stay hard.

    Vertices come in the order of the input, new ones last, and keep their normals where a face around them is as it
    was. New faces belong to group 0.
    """
    rows = {n: _stock(v, sheet) for n in ("normals", "uv", "colours") if (v := getattr(mesh, n)) is not None}
    count = sheet.stock + len(sheet.blend)
    alike = weld_rows(np.concatenate([*rows.values()], axis=1)).ids if rows else np.zeros(count, np.int32)
    hard = weld_rows(rows["normals"]).ids if "normals" in rows else np.zeros(count, np.int32)
    place, origin = sheet.faces.ravel(), sheet.origin.ravel()
    vertex = weld_bits(np.stack([place, alike[origin]], axis=1))
    shade = weld_bits(np.stack([place, hard[origin]], axis=1))
    normals = grouped_normals(sheet.points, sheet.faces, shade.ids.reshape(-1, 3), shade.count)[shade.ids[vertex.first]]
    source = origin[vertex.first]
    if "normals" in rows:
        kept = np.zeros(vertex.count, bool)
        kept[vertex.ids.reshape(-1, 3)[as_before(mesh, sheet)]] = True
        normals = np.where(kept[:, None], rows["normals"][source], normals)
    order = np.argsort(source, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    groups = mesh.face_groups
    return replace(
        mesh,
        vertices=sheet.points[place[vertex.first]][order].astype(np.float32),
        faces=rank[vertex.ids].reshape(-1, 3),
        normals=normals[order].astype(np.float32),
        uv=rows["uv"][source][order] if "uv" in rows else None,
        colours=rows["colours"][source][order] if "colours" in rows else None,
        face_groups=None if groups is None else np.where(sheet.source < 0, 0, groups[sheet.source]).astype(np.int32),
    )


def _stock(values: Array, sheet: Sheet) -> Array:
    """Attributes of the input's vertices, and behind them the blended ones."""
    table = np.zeros((sheet.stock + len(sheet.blend), values.shape[1]), np.float32)
    table[: sheet.stock] = values
    for row, (one, other, share) in enumerate(sheet.blend, start=sheet.stock):
        table[row] = table[int(one)] * (1 - share) + table[int(other)] * share
    return table


def as_before(mesh: Mesh, sheet: Sheet) -> Array:
    """(M,) bool: faces that the input has, with the same corners in the same turn."""
    at = sheet.points[sheet.faces].astype(np.float32)
    return np.asarray((sheet.source >= 0) & (at == mesh.vertices[mesh.faces[sheet.source]]).all(axis=(1, 2)))
