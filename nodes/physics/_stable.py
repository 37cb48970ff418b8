"""On which sides a rigid body rests on a floor: the flat sides of its hull above which the centre of mass lies.

Probabilities as in Goldberg, Mason and others, "Part pose statistics" (1999): a body let down without speed in an even
random orientation lands on the side that its centre of mass looks down on, then rolls over edges while it falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput

Array = NDArray[Any]
FLAT = 4e-6
BALANCED = 1e-6


@dataclass(frozen=True)
class Sides:
    """The S flat sides of a hull, as seen from the centre of mass.

    ``normal``: (S, 3) unit, outward. ``height``: (S,) metres of the centre of mass above the side, > 0. ``share``:
    (S,) of all directions in which the side is seen. ``margin``: (S,) metres from the foot of the centre of mass to
    the nearest edge, negative outside. ``over``: (S,) the side behind the edge that it tips over. ``out``: (S, 3)
    unit, across that edge, in the plane of the side. ``area``: (S,) m².
    """

    normal: Array
    height: Array
    share: Array
    margin: Array
    over: Array
    out: Array
    area: Array

    @property
    def tip(self) -> Array:
        """(S,) degrees by which the floor may be tilted before the body tips over the nearest edge; below 0: falls."""
        return np.asarray(np.degrees(np.arctan2(self.margin, self.height)))

    def rests(self, least: float) -> Array:
        """(S,) int64: the side on which the body comes to rest from each side. ``least``: degrees that count as firm.

        A side that holds less than ``least`` is left when the next one lies lower.
        """
        slack = BALANCED * float(self.height.max())
        lower = self.height[self.over] < self.height - slack
        goes = (self.margin < 0) | ((self.tip < least) & lower)
        end = np.where(goes & lower, self.over, np.arange(len(self.over)))
        for _ in range(len(end).bit_length() + 1):
            end = end[end]
        return np.asarray(end)

    def landed(self, down: Array) -> int:
        """The side that lies straight below the centre of mass when ``down`` (unit) points to the floor."""
        reach = self.normal @ down / self.height
        return int(reach.argmax())


def sides_of(points: Array, centre: Array) -> Sides:
    """The sides of the hull of (N, 3) positions around ``centre``, which lies inside. Raises :class:`BadInput`."""
    from scipy.spatial import ConvexHull, QhullError

    from nodes.physics._grown import grown

    at = np.unique(points, axis=0).astype(np.float64) - centre
    size = float(np.abs(at).max(initial=0.0))
    try:
        hull = ConvexHull(at)
    except (QhullError, ValueError):
        raise BadInput("All of the mesh lies in one plane.", "Thicken it: a flat sheet cannot stand or fall.") from None
    planes = hull.equations
    if float(planes[:, 3].max()) >= 0:
        raise BadInput("The centre of mass lies outside the body.", "Put a Repair step before this one.")
    corners = at[hull.simplices]
    doubled = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    side = np.empty(len(planes), np.int32)
    order = np.argsort(-doubled, kind="stable")
    count = grown(order, at, hull.simplices, hull.neighbors, planes, FLAT * size, side)
    first = order[np.unique(side[order], return_index=True)[1]]
    normal, height = planes[first, :3], -planes[first, 3]
    share = np.bincount(side, _solid_angle(corners), minlength=count) / (4 * np.pi)
    area = np.bincount(side, doubled / 2, minlength=count)
    return Sides(normal, height, share, *_edges(hull, at, side, normal), area)


def _solid_angle(corners: Array) -> Array:
    """(T,) of triangles as seen from the origin (van Oosterom and Strackee 1983)."""
    a, b, c = (corners[:, k] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
    top = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    ab, bc, ca = (np.einsum("ij,ij->i", x, y) for x, y in ((a, b), (b, c), (c, a)))
    return np.asarray(2 * np.arctan2(top, la * lb * lc + ab * lc + bc * la + ca * lb))


def _edges(hull: Any, at: Array, side: Array, normal: Array) -> tuple[Array, Array, Array]:
    """(margin, over, out) of each side: of all edges to other sides the one that gives way first."""
    one, k = np.nonzero(side[hull.neighbors] != side[:, None])
    mine, other = side[one], side[hull.neighbors[one, k]]
    a, b, apex = (at[hull.simplices[one, (k + step) % 3]] for step in (1, 2, 0))
    along = b - a
    length = np.linalg.norm(along, axis=1)
    out = np.cross(along / np.maximum(length, 1e-300)[:, None], normal[mine])
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-300)
    out *= np.where(np.einsum("ij,ij->i", apex - a, out) > 0, -1.0, 1.0)[:, None]
    margin = np.einsum("ij,ij->i", a, out)
    # Among edges that the foot lies beyond, it falls over the one it is nearest to.
    share = np.clip(-np.einsum("ij,ij->i", a, along) / np.maximum(length, 1e-300) ** 2, 0, 1)
    foot = a + share[:, None] * along
    foot -= np.einsum("ij,ij->i", foot, normal[mine])[:, None] * normal[mine]
    beyond = np.where(margin < 0, np.linalg.norm(foot, axis=1), np.inf)
    order = np.lexsort((margin, beyond, mine))
    sides, start = np.unique(mine[order], return_index=True)
    pick = order[start]
    count = len(normal)
    gaps, over, outs = np.full(count, np.inf), np.arange(count), np.zeros((count, 3))
    gaps[sides], over[sides], outs[sides] = margin[pick], other[pick], out[pick]
    return gaps, over, outs
