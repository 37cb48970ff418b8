"""Two sets of texture coordinates for one surface: of two meshes that have the same faces in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh
from nodes.mesh._flatten import with_uv
from nodes.mesh._topology import weld_bits

Array = NDArray[Any]


def with_second_uv(mesh: Mesh, light: Mesh) -> tuple[Mesh, Array]:
    """``mesh`` with its vertices split where the UVs of ``light`` are cut, and those UVs for each vertex, (N, 2).

    What an exporter writes as the first and the second set. Raises :class:`BadInput` when the faces differ.
    """
    same = mesh.faces.shape == light.faces.shape and light.uv is not None
    if not same or not np.array_equal(mesh.vertices[mesh.faces], light.vertices[light.faces]):
        raise BadInput(
            "The light-map UVs belong to another mesh.", "Connect the output of Light-map UV made from this very mesh."
        )
    assert light.uv is not None
    weld = weld_bits(np.stack([mesh.faces.ravel(), light.faces.ravel()], axis=1))
    source, other = mesh.faces.ravel()[weld.first], light.faces.ravel()[weld.first]
    uv = np.zeros((len(mesh.vertices), 2), np.float32) if mesh.uv is None else mesh.uv
    return with_uv(mesh, source, weld.ids.reshape(-1, 3), uv[source]), light.uv[other]
