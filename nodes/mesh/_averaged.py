"""Let vertices and their partners across a mirror meet halfway."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh
from nodes.mesh._halved import Mirror
from nodes.mesh._shading import reshaped
from nodes.mesh._topology import edges_of, weld_points

Array = NDArray[Any]
ENOUGH = 0.9
REACH = 1.0


def averaged(mesh: Mesh, mirror: Mirror) -> tuple[Mesh, float]:
    """(mesh, share of the places that have a partner). Raises :class:`BadInput` where few have one.

    Partners are each other's nearest across the mirror and less than the median edge apart; a place that is its own
    partner comes to lie on the mirror. Both get the mean, on the mirror's grid, so that they are exact.
    """
    from scipy.spatial import cKDTree

    weld = weld_points(mesh.vertices)
    at = mesh.vertices[weld.first].astype(np.float64)
    picture = mirror.across(at, mirror.at)
    ends = edges_of(weld.ids[mesh.faces]).ends
    reach = REACH * float(np.median(np.linalg.norm(at[ends[:, 0]] - at[ends[:, 1]], axis=1)))
    gap, partner = (np.asarray(found) for found in cKDTree(at).query(picture))
    every = np.arange(len(at))
    mutual = (partner[partner] == every) & (gap <= reach)
    share = float(mutual.mean())
    if share < ENOUGH:
        raise BadInput(
            f"Only {share:.0%} of the vertices have a partner across the plane: the sides are not meshed alike.",
            "Keep one side instead, or choose another plane.",
        )
    one = np.flatnonzero(mutual & (partner >= every))
    other = partner[one]
    mean = ((at[one] + picture[other]) / 2).astype(np.float32)
    x = mean[:, mirror.axis].astype(np.float64)
    mean[:, mirror.axis] = np.round(x / mirror.step) * mirror.step if mirror.step else x
    mean[one == other, mirror.axis] = mirror.at
    out = at.astype(np.float32)
    out[other] = mirror.across(mean, mirror.at)
    out[one] = mean
    return reshaped(mesh, out[weld.ids]), share
