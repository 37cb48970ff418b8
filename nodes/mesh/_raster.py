"""Draw triangles into texels: which face covers a texel centre, how often, and which face is nearest to it.

Corners are (M, 3, 2) float64 in texels, x to the right and y down; a texel centre lies at whole numbers plus a half.
A centre on a shared side belongs to one of the two faces only, so that counts are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.mesh._jit import kernel

Array = NDArray[Any]


@kernel
def _side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Twice the area of (a, b, p), exactly negated when a and b change places."""
    if ax < bx or (ax == bx and ay < by):
        return (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (ax - bx) * (by - py) - (ay - by) * (bx - px)


@kernel
def _within(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> bool:
    """Whether p lies left of a to b, or on it where it runs up, or level to the right."""
    s = _side(ax, ay, bx, by, px, py)
    if s == 0.0:
        return by < ay or (by == ay and bx > ax)
    return s > 0.0


@kernel
def _covers(c: Array, t: int, x: float, y: float) -> bool:
    ax, ay, bx, by, cx, cy = c[t, 0, 0], c[t, 0, 1], c[t, 1, 0], c[t, 1, 1], c[t, 2, 0], c[t, 2, 1]
    if _side(ax, ay, bx, by, cx, cy) < 0.0:
        bx, by, cx, cy = cx, cy, bx, by
    return _within(ax, ay, bx, by, x, y) and _within(bx, by, cx, cy, x, y) and _within(cx, cy, ax, ay, x, y)


@kernel
def _box(c: Array, t: int, grow: float, first: int, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) texels whose centres may lie within ``grow`` of face ``t``; the ends are left out."""
    left = min(c[t, 0, 0], c[t, 1, 0], c[t, 2, 0]) - grow - 0.5
    right = max(c[t, 0, 0], c[t, 1, 0], c[t, 2, 0]) + grow + 0.5
    top = min(c[t, 0, 1], c[t, 1, 1], c[t, 2, 1]) - grow - 0.5 - first
    bottom = max(c[t, 0, 1], c[t, 1, 1], c[t, 2, 1]) + grow + 0.5 - first
    left, top = max(0.0, math.floor(left)), max(0.0, math.floor(top))
    right, bottom = min(float(width), math.ceil(right)), min(float(height), math.ceil(bottom))
    return int(left), int(right), int(top), int(bottom)


@kernel
def count_covers(corners: Array, counts: Array) -> None:
    """Add 1 to ``counts`` (H, W) for every face over a texel centre."""
    height, width = counts.shape
    for t in range(len(corners)):
        left, right, top, bottom = _box(corners, t, 0.0, 0, width, height)
        for y in range(top, bottom):
            for x in range(left, right):
                if _covers(corners, t, x + 0.5, y + 0.5):
                    counts[y, x] += 1


@kernel
def _near_point(c: Array, t: int, x: float, y: float, out: Array) -> float:
    """Squared distance in texels from a point to the rim of face ``t``; ``out`` becomes (u, v) of the near point."""
    best = 1e300
    for k in range(3):
        j = (k + 1) % 3
        dx, dy = c[t, j, 0] - c[t, k, 0], c[t, j, 1] - c[t, k, 1]
        length = dx * dx + dy * dy
        s = ((x - c[t, k, 0]) * dx + (y - c[t, k, 1]) * dy) / length if length > 0.0 else 0.0
        s = min(1.0, max(0.0, s))
        gap = (c[t, k, 0] + s * dx - x) ** 2 + (c[t, k, 1] + s * dy - y) ** 2
        if gap < best:
            best = gap
            weight = 1.0 - s
            out[0] = weight * (k == 1) + s * (j == 1)
            out[1] = weight * (k == 2) + s * (j == 2)
    return best


@kernel
def _inner_point(c: Array, t: int, x: float, y: float, out: Array) -> None:
    """``out`` becomes (u, v) of a point inside face ``t``."""
    ux, uy = c[t, 1, 0] - c[t, 0, 0], c[t, 1, 1] - c[t, 0, 1]
    vx, vy = c[t, 2, 0] - c[t, 0, 0], c[t, 2, 1] - c[t, 0, 1]
    px, py = x - c[t, 0, 0], y - c[t, 0, 1]
    det = ux * vy - uy * vx
    out[0] = min(1.0, max(0.0, (px * vy - py * vx) / det))
    out[1] = min(1.0 - out[0], max(0.0, (ux * py - uy * px) / det))


@kernel
def _draw(corners: Array, first: int, reach: float, owner: Array, at: Array, gap: Array) -> None:
    height, width = owner.shape
    trial = np.empty(2)
    for t in range(len(corners)):
        left, right, top, bottom = _box(corners, t, 0.0, first, width, height)
        for y in range(top, bottom):
            for x in range(left, right):
                if gap[y, x] > 0.0 and _covers(corners, t, x + 0.5, y + first + 0.5):
                    owner[y, x], gap[y, x] = t, 0.0
                    _inner_point(corners, t, x + 0.5, y + first + 0.5, trial)
                    at[y, x, 0], at[y, x, 1] = trial[0], trial[1]
    for t in range(len(corners)):
        left, right, top, bottom = _box(corners, t, reach, first, width, height)
        for y in range(top, bottom):
            for x in range(left, right):
                if gap[y, x] > 0.0:
                    near = _near_point(corners, t, x + 0.5, y + first + 0.5, trial)
                    if near < gap[y, x]:
                        owner[y, x], gap[y, x] = t, near
                        at[y, x, 0], at[y, x, 1] = trial[0], trial[1]


def draw(corners: Array, width: int, rows: range, reach: float) -> tuple[Array, Array, Array]:
    """The faces under the texels of some rows of a picture.

    Returns the face, (R, W) int32 or -1; (u, v) of the point on it, (R, W, 2) float32; and (R, W) bool, true where the
    texel centre itself is covered. Centres up to ``reach`` texels outside take the nearest point of the nearest face.
    """
    owner = np.full((len(rows), width), -1, np.int32)
    at = np.zeros((len(rows), width, 2), np.float32)
    gap = np.full((len(rows), width), float(reach) ** 2 if reach > 0 else 1e-12)
    _draw(corners, rows.start, float(reach), owner, at, gap)
    return owner, at, (owner >= 0) & (gap == 0.0)


def texel_corners(uv: Array, faces: Array, size: int) -> Array:
    """(M, 3, 2) float64 corners in texels of a ``size`` x ``size`` picture whose row 0 lies at v = 1."""
    corner = uv[faces].astype(np.float64)
    corner[..., 1] = 1.0 - corner[..., 1]
    return np.ascontiguousarray(corner * size)


def uv_use(uv: Array, faces: Array, size: int = 1024) -> tuple[float, float]:
    """(share of the unit square that is covered, share of the covered texels that more than one face covers)."""
    counts = np.zeros((size, size), np.uint16)
    count_covers(texel_corners(uv, faces, size), counts)
    covered = int((counts > 0).sum())
    return covered / counts.size, int((counts > 1).sum()) / max(covered, 1)
