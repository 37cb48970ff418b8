"""PLY, text and binary: polygons, triangle strips, vertex colours, UVs at vertices or corners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Material
from nodes.io._beside import Beside, colour
from nodes.io._parts import Part, checked_faces, split_corners, taken
from nodes.io._ply_rows import Header, Lists, read_elements, read_header
from nodes.io._polygons import triangulated

Array = NDArray[Any]
Columns = Mapping[str, Any]
UV_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))


def read_ply(data: bytes, beside: Beside) -> list[Part]:
    """One part. A texture named in a ``TextureFile`` comment becomes the base colour."""
    header = read_header(data)
    elements = read_elements(data, header)
    vertex = elements.get("vertex", {})
    positions = _columns(vertex, ("x", "y", "z"))
    if positions is None:
        raise BadFile("The PLY file has no vertex positions.", "Export the file again.")
    normals, uv, colours = _columns(vertex, ("nx", "ny", "nz")), _uv(vertex), _colours(vertex)
    faces, corner_uv = _faces(elements, positions, beside)
    if corner_uv is not None:
        flat_uv, number = np.unique(corner_uv, axis=0, return_inverse=True)
        (at, uv_at), corners = split_corners((faces.ravel(), number.reshape(-1)), len(positions))
        assert at is not None
        faces, uv, positions = corners.reshape(-1, 3), taken(flat_uv, uv_at), positions[at]
        normals, colours = taken(normals, at), taken(colours, at)
    return [Part(positions, faces, normals, uv, colours, _material(header, beside) if uv is not None else None)]


def _columns(rows: Columns, names: tuple[str, ...]) -> Array | None:
    found: list[Array] = [rows[name] for name in names if name in rows]
    return np.stack(found, axis=1, dtype=np.float32, casting="unsafe") if len(found) == len(names) else None


def _uv(rows: Columns) -> Array | None:
    for names in UV_NAMES:
        if (uv := _columns(rows, names)) is not None:
            return uv
    return None


def _colours(rows: Columns) -> Array | None:
    """(N, 4) in 0..1: whole numbers are of 255 or 65535, and so are fractions where one is above 1."""
    for prefix in ("", "diffuse_"):
        channels = [rows[prefix + name] for name in ("red", "green", "blue") if prefix + name in rows]
        if len(channels) == 3:
            alpha = rows.get("alpha")
            scale = _scale(channels[0], max(float(c.max(initial=0)) for c in channels))
            opaque = np.ones(len(channels[0]))
            stacked = [c / scale for c in channels] + [opaque if alpha is None else alpha / scale]
            return np.asarray(np.clip(np.column_stack(stacked), 0, 1), np.float32)
    return None


def _scale(channel: Array, highest: float) -> float:
    if channel.dtype.kind in "iu":
        return 65535.0 if channel.dtype.itemsize == 2 else 255.0
    return 255.0 if highest > 1 else 1.0


def _faces(elements: Mapping[str, Columns], positions: Array, beside: Beside) -> tuple[Array, Array | None]:
    """(M, 3) faces, and the UV of each corner (3 M, 2) where faces carry them."""
    rows = elements.get("face", {})
    lists = next((rows[name] for name in ("vertex_indices", "vertex_index") if name in rows), None)
    pieces: list[Array] = []
    corner_uv = None
    if isinstance(lists, Lists) and len(lists.items):
        indices = checked_faces(lists.items[:, None].astype(np.int64), len(positions))[:, 0]
        beside.polygons(lists.counts)
        corners, _ = triangulated(lists.counts.astype(np.int64), positions, indices)
        pieces.append(indices[corners])
        wedges = rows.get("texcoord")
        if isinstance(wedges, Lists) and len(wedges.items) == 2 * len(indices):
            corner_uv = wedges.items.reshape(-1, 2)[corners.ravel()].astype(np.float32)
    for strip in _strips(elements.get("tristrips", {})):
        pieces.append(checked_faces(strip, len(positions)))
        corner_uv = None
    faces = np.concatenate(pieces) if pieces else np.zeros((0, 3), np.int64)
    return faces, corner_uv


def _strips(rows: Columns) -> list[Array]:
    """Triangles of strips parted by -1; every second triangle of a strip is wound the other way."""
    lists = next((v for v in rows.values() if isinstance(v, Lists)), None)
    if lists is None:
        return []
    ends = np.cumsum(lists.counts.astype(np.int64))
    breaks = np.insert(lists.items.astype(np.int64), ends, -1)
    triples = np.lib.stride_tricks.sliding_window_view(breaks, 3) if len(breaks) >= 3 else np.zeros((0, 3), np.int64)
    position = np.arange(len(breaks))
    since = position - np.maximum.accumulate(np.where(breaks < 0, position, -1)) - 1
    odd = (since[: len(triples)] % 2).astype(bool)
    triples = np.where(odd[:, None], triples[:, [1, 0, 2]], triples)
    a, b, c = triples.T
    whole = (triples >= 0).all(axis=1) & (a != b) & (b != c) & (a != c)
    return [triples[whole]]


def _material(header: Header, beside: Beside) -> Material | None:
    for comment in header.comments:
        word, _, name = comment.partition(" ")
        if word.lower() == "texturefile" and name.strip():
            picture = beside.picture(name.strip())
            return None if picture is None else Material("texture", base_colour=colour(picture))
    return None
