"""Let a step act only where a mask over the UVs is white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mask, Mesh
from nodes.image._pixels import check_finite
from nodes.mesh._checks import need_uv
from nodes.mesh._heights import picked
from nodes.mesh._topology import weld_points

Array = NDArray[Any]


def at_places(mesh: Mesh, each: Array, otherwise: float) -> Array:
    """(N,) of (N,) values: vertices at one place share their mean, those that no face uses do not count.

    ``otherwise``: what places without faces get.
    """
    weld = weld_points(mesh.vertices)
    used = np.zeros(len(each))
    used[mesh.faces.ravel()] = 1.0
    total, count = np.bincount(weld.ids, each * used), np.bincount(weld.ids, used)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), otherwise)[weld.ids])


def shares(mesh: Mesh, mask: Mask) -> Array:
    """(N,) 0..1 of the mask at each vertex. Raises :class:`BadInput` without UVs."""
    need_uv(mesh)
    assert mesh.uv is not None
    check_finite(mask.values, "The mask")
    return at_places(mesh, picked(np.ascontiguousarray(mask.values)[..., None], mesh.uv), 0.0)


def masked(mesh: Mesh, moved: Array, mask: Mask | None) -> Array:
    """(N, 3) float64: ``moved`` where the mask is white, and where the mesh was where it is black."""
    if mask is None:
        return moved
    share = shares(mesh, mask)[:, None]
    return np.where(share > 0, mesh.vertices + share * (moved - mesh.vertices), mesh.vertices)
