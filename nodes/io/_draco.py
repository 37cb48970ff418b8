"""Draco geometry (KHR_draco_mesh_compression) through Google's library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile
from nodes.io._gltf_data import KINDS, as_floats

Array = NDArray[Any]
FLOAT = 5126
BUILT_IN = {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 3}
"""Attributes that Draco knows itself, by its numbers for their kinds."""
AGAIN = "Export it again, or without compression."


def unpacked(
    data: bytes, names: Mapping[str, Any], kinds: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Array], Array]:
    """The attributes called in ``names`` (attribute to its id in ``data``), and three vertices for each triangle.

    ``kinds``: of each wanted attribute the accessor that describes it, which says whether whole numbers are fractions.
    """
    import DracoPy

    try:
        found = DracoPy.decode(bytes(data))
        faces = np.asarray(found.faces).reshape(-1)
        arrays = {int(a["unique_id"]): np.asarray(a["data"]) for a in found.attributes}
    except (DracoPy.FileTypeException, ValueError, AttributeError, TypeError, RuntimeError) as error:
        raise BadFile(f"The Draco data of the file cannot be read: {error}.", AGAIN) from None
    out: dict[str, Array] = {}
    for name, entry in kinds.items():
        if name not in names:
            continue
        if names[name] not in arrays:
            raise BadFile(f"The Draco data of the file has no {name}.", AGAIN)
        values = arrays[names[name]].reshape(len(arrays[names[name]]), -1)
        values = values.astype(KINDS.get(entry.get("componentType", FLOAT), "<f4"))
        out[name] = as_floats(values) if entry.get("normalized") else values
    return out, faces.astype(np.int64)


def packed(
    arrays: Mapping[str, Array], faces: Array, bits: int
) -> tuple[bytes, dict[str, int], int, int, tuple[list[float], list[float]]]:
    """Attributes and (M, 3) faces as Draco data.

    Gives the data, the id of each attribute in it, how many vertices and corners come out of it, and the lowest and
    highest corner of their positions. ``bits``: for each coordinate of a position; UVs get two fewer, but at least 12,
    normals 10; tangents, colours and further UVs stay exact.
    """
    import DracoPy

    exact = {k: arrays[name] for k, name in enumerate(sorted(set(arrays) - set(BUILT_IN)))}
    normals, uv = arrays.get("NORMAL"), arrays.get("TEXCOORD_0")
    data = DracoPy.encode(
        np.ascontiguousarray(arrays["POSITION"]),
        np.ascontiguousarray(faces, np.uint32),
        quantization_bits=bits,
        compression_level=7,
        normals=None if normals is None else normals.astype(np.float64),
        tex_coord=None if uv is None else uv.astype(np.float64),
        tex_coord_quantization_bits=max(12, bits - 2),
        normal_quantization_bits=10,
        generic_attributes=exact or None,
    )
    found = DracoPy.decode(data)
    kinds = {int(a["attribute_type"]): int(a["unique_id"]) for a in found.attributes}
    ids = {name: kinds[kind] for name, kind in BUILT_IN.items() if name in arrays}
    ids |= {name: k for k, name in enumerate(sorted(set(arrays) - set(BUILT_IN)))}
    points = np.asarray(found.points, np.float32)
    bounds = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return data, ids, len(points), 3 * len(found.faces), bounds
