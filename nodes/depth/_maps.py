"""Depth as pictures and geometry: maps for people and networks, metres from relative predictions, normals.

Depth: (H, W) float32 metres along the view axis, NaN = unknown. Normals: (H, W, 3) in camera axes (+X right, +Y up,
+Z to the viewer), 0 where unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Depth, Image
from nodes.image._pixels import blur
from nodes.mesh._camera import unproject

Array = NDArray[Any]
Float32 = NDArray[np.float32]
FLAT = np.array([0.0, 0.0, 1.0])


def known(depth: Depth) -> NDArray[np.bool_]:
    """(H, W): where a depth is known. Raises :class:`BadInput` when it is known nowhere."""
    there: NDArray[np.bool_] = np.isfinite(depth.metres) & (depth.metres > 0)
    if not there.any():
        raise BadInput("The depth map holds no known depth.", "Check the step that made it.")
    return there


def near_white(depth: Depth, floor: float = 0.0, cut: float = 0.0) -> Float32:
    """(H, W) 0..1: 1 at the nearest point, ``floor`` at the farthest, 0 where unknown; even steps of 1 / metres.

    That is how relative depth networks and the ControlNets trained on them show depth. ``cut``: per cent of the
    points at either end that are clipped.
    """
    there = known(depth)
    closeness = 1 / depth.metres[there].astype(np.float64)
    low, high = np.percentile(closeness, [cut, 100 - cut]) if cut else (closeness.min(), closeness.max())
    span = high - low
    share = np.clip((closeness - low) / span, 0, 1) if span > 1e-9 * high else np.ones_like(closeness)
    out = np.zeros(depth.metres.shape, np.float32)
    out[there] = floor + (1 - floor) * share
    return out


def metres_of(disparity: Array, near: float, far: float) -> Float32:
    """Relative disparity (larger = nearer) as metres: its largest value lies at ``near``, its smallest at ``far``."""
    low, high = float(disparity.min()), float(disparity.max())
    share = (disparity.astype(np.float64) - low) / (high - low) if high > low else np.zeros(disparity.shape)
    return (1 / (1 / far + share * (1 / near - 1 / far))).astype(np.float32)


def smoothed(depth: Depth, sigma: float) -> Depth:
    """Softened by a Gaussian of ``sigma`` pixels over 1 / metres; unknown stays unknown and does not spread."""
    if sigma <= 0:
        return depth
    there = known(depth)
    weight = blur(there.astype(np.float32), sigma)
    closeness = np.where(there, 1 / np.where(there, depth.metres, 1), 0).astype(np.float32)
    mean = blur(closeness, sigma) / np.maximum(weight, 1e-6)
    return Depth(np.where(there, 1 / np.maximum(mean, 1e-12), np.nan).astype(np.float32), depth.intrinsics)


def normals_of(depth: Depth) -> Float32:
    """(H, W, 3) unit normals from the points behind neighbouring pixels.

    Of the two neighbours along a row or column the one at like depth counts more, so that an outline keeps its own
    normals instead of a slope to what lies behind.
    """
    there = known(depth)
    metres = np.where(there, depth.metres, np.nan).astype(np.float64)
    points = unproject(metres, depth.intrinsics.astype(np.float64))
    across, down = (
        _tangent(points, metres / depth.intrinsics[0, 0], 1),
        _tangent(points, metres / depth.intrinsics[1, 1], 0),
    )
    normal = np.cross(down, across)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    unit = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    unit *= np.where((unit * points).sum(-1, keepdims=True) > 0, -1.0, 1.0)
    return np.asarray(np.nan_to_num(unit), np.float32)


def _tangent(points: Array, footprint: Array, axis: int) -> Array:
    """(H, W, 3): step to the next pixel along ``axis``; NaN where neither neighbour is known."""
    step = np.diff(points, axis=axis)
    gap = np.full((1, points.shape[1], 3) if axis == 0 else (points.shape[0], 1, 3), np.nan)
    steps = (np.concatenate([step, gap], axis), np.concatenate([gap, step], axis))
    total, weights = np.zeros_like(points), np.zeros(points.shape[:2])
    for one in steps:
        there = np.isfinite(one[..., 2])
        weight = np.where(there, 1 / (np.nan_to_num(one[..., 2]) ** 2 + np.nan_to_num(footprint) ** 2 + 1e-30) ** 2, 0)
        total += np.nan_to_num(one) * weight[..., None]
        weights += weight
    return np.divide(total, weights[..., None], out=np.full_like(total, np.nan), where=weights[..., None] > 0)


def normal_image(normals: Array, red_left: bool = False) -> Image:
    """A normal map, data. Green is up and blue to the viewer; red is right as in OpenGL, or left. Unknown: flat.

    ControlNet's normal model (control_v11p_sd15_normalbae) expects red to the left, by its model card.
    """
    there = (normals * normals).sum(-1, keepdims=True) > 0.25
    shown = np.where(there, normals, FLAT) * ((-1, 1, 1) if red_left else (1, 1, 1))
    return Image.of(np.clip((shown + 1) / 2, 0, 1), "data")
