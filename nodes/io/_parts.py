"""The raw pieces that file readers give, and how they become one mesh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Material, Mesh
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import FEW

Array = NDArray[Any]
Warn = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles under one material, as read: (N, 3) vertices, (M, 3) faces, the rest as in :class:`Mesh` or None.

    ``second_uv``: (N, 2), origin bottom left, what the maps in the material's ``second_uv`` follow.
    """

    vertices: Array
    faces: Array
    normals: Array | None = None
    uv: Array | None = None
    colours: Array | None = None
    material: Material | None = None
    name: str = ""
    second_uv: Array | None = None

    def named(self, name: str) -> Part:
        return replace(self, name=name)


def checked_faces(faces: Array, count: int) -> Array:
    """Faces as int32. Raises :class:`BadFile` when one names a vertex that is not there."""
    if len(faces) and (int(faces.min()) < 0 or int(faces.max()) >= count):
        bad = int(((faces < 0) | (faces >= count)).any(axis=1).sum())
        raise BadFile(
            f"{bad:,} of {len(faces):,} faces name vertices that the file does not have ({count:,} vertices).",
            "The file is damaged or cut short: copy or export it again.",
        )
    return faces.astype(np.int32)


def split_corners(corners: Sequence[Array | None], positions: int) -> tuple[list[Array | None], Array]:
    """Number face corners as a GPU does: equal index sets become one vertex.

    ``corners``: arrays (K,) of indices into positions, UVs, normals; None where the file has none. Returns the index
    that each new vertex has in each array, and (K,) the new vertex of each corner. New vertices follow the order of
    the positions, of which there are ``positions``; all of them stay where no other index is given or all are equal.
    """
    first, *rest = corners
    assert first is not None
    others = [indices for indices in rest if indices is not None]
    if all(np.array_equal(first, indices) for indices in others):
        every = np.arange(positions)
        return [every, *(None if indices is None else every for indices in rest)], first
    if len(first) > FEW and all(int(a.min()) >= -1 and int(a.max()) < len(first) for a in (first, *others)):
        start, inverse = _numbered(first, others)
    else:
        key = first.astype(np.int64)
        for indices in others:
            _, key = np.unique(key, return_inverse=True)
            key = key * (int(indices.max()) + 2) + indices + 1
        _, start, inverse = np.unique(key, return_index=True, return_inverse=True)
    return [None if indices is None else indices[start] for indices in corners], inverse.reshape(-1)


def _numbered(first: Array, others: list[Array]) -> tuple[Array, Array]:
    """(first place of each different row of indices, number of each row), as sorting the rows would, in less time."""
    from nodes.mesh._tables import number_pairs

    number, start = first.astype(np.int32) + np.int32(1), np.zeros(0, np.int32)
    for indices in others:
        more = indices.astype(np.int32) + np.int32(1)
        number, start = number_pairs(number, more, (int(number.max()) + 1, int(more.max()) + 1))
    return start, number


def taken(values: Array | None, index: Array | None) -> Array | None:
    """Rows of ``values``; None when either is missing or an index is out of range (negative: nothing given)."""
    if values is None or index is None or not len(values):
        return None
    if int(index.max(initial=0)) >= len(values):
        raise BadFile("Faces name UVs or normals that the file does not have.", "Export the file again.")
    chosen = values[np.maximum(index, 0)]
    if (index < 0).any():
        chosen = np.where((index < 0)[:, None], 0, chosen)
    return chosen


def joined(parts: Sequence[Part], name: str, warn: Warn) -> Mesh:
    """One mesh of all parts; face groups number them when there are several. Materials are combined where possible."""
    parts = [part for part in parts if len(part.faces)]
    materials = {id(part.material): part.material for part in parts}
    material = parts[0].material if parts else None
    if len(materials) > 1:
        from nodes.io._combine import combined

        parts, material = combined(parts, warn)
    return _stacked(parts, material, name)


def _stacked(parts: Sequence[Part], material: Material | None, name: str) -> Mesh:
    if any(part.normals is not None for part in parts):
        parts = [p if p.normals is not None else replace(p, normals=_smooth(p)) for p in parts]
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    groups = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.faces) for part in parts])
    return Mesh(
        vertices=_rows([part.vertices for part in parts], 3),
        faces=np.concatenate([p.faces + start for p, start in zip(parts, starts, strict=False)]).astype(np.int32),
        normals=_attribute(parts, "normals", 3, 0.0),
        uv=_attribute(parts, "uv", 2, 0.0),
        colours=_attribute(parts, "colours", 4, 1.0),
        material=material,
        face_groups=groups if len(parts) > 1 else None,
        name=name,
    )


def _rows(arrays: Sequence[Array], width: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.concatenate(arrays).reshape(-1, width), np.float32)


def _attribute(parts: Sequence[Part], name: str, width: int, missing: float) -> NDArray[np.float32] | None:
    arrays = [getattr(part, name) for part in parts]
    if all(array is None for array in arrays):
        return None
    filled = [
        np.full((len(part.vertices), width), missing, np.float32) if array is None else array
        for part, array in zip(parts, arrays, strict=True)
    ]
    return _rows(filled, width)


def _smooth(part: Part) -> Array:
    return smooth_normals(np.ascontiguousarray(part.vertices, np.float32), part.faces.astype(np.int32))
