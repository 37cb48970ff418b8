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
