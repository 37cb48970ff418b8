"""Boxes: (N, 4) float32 as left, top, right, bottom, in any unit, and the rules that choose among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine import Detections
from app.engine.payloads import UInt8
from nodes.image._pixels import Float32, resample

Int64 = NDArray[np.int64]
MASK_SIDE = 1024


def area(boxes: Float32) -> Float32:
    """(N,); a box whose sides are crossed has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def overlap(one: Float32, other: Float32) -> Float32:
    """(N, M) intersection over union of every pair; 0 where neither has an area."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    sides = np.maximum(high - low, 0)
    common = sides[..., 0] * sides[..., 1]
    union = area(one)[:, None] + area(other)[None] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0), np.float32)


def suppress(boxes: Float32, scores: Float32, limit: float, kinds: Int64 | None = None) -> Int64:
    """Numbers of the boxes that stay, best first: each drops the worse ones that overlap it by more than ``limit``.

    Greedy non-maximum suppression; ties keep the earlier one. With ``kinds`` (N,), boxes of different kinds never
    drop each other.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        worse = overlap(boxes[best : best + 1], boxes[rest])[0] > limit
        if kinds is not None:
            worse &= kinds[rest] == kinds[best]
        order = rest[~worse]
    return np.asarray(kept, np.int64)


def box_of(mask: NDArray[np.bool_]) -> Float32:
    """(4,): the smallest box around the pixels of an (H, W) mask, 0..1 of its sides; zeros where there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros(4, np.float32)
    height, width = mask.shape
    edges = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    return np.array(edges, np.float32)


def box_mask(box: Float32, size: tuple[int, int]) -> Float32:
    """(H, W) opacity of a box given in 0..1, at ``size`` (width, height): pixels at its border get their share."""
    across, down = (_covered(box[i] * size[i], box[i + 2] * size[i], size[i]) for i in (0, 1))
    return np.asarray(down[:, None] * across[None, :], np.float32)


def _covered(first: float, last: float, count: int) -> NDArray[np.float64]:
    at = np.arange(count)
    return np.asarray(np.clip(np.minimum(at + 1, last) - np.maximum(at, first), 0, 1), np.float64)


def mask_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) at which masks are kept: the picture's own, or smaller in the same shape."""
    scale = min(1.0, MASK_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def mask_at(found: Detections, number: int, size: tuple[int, int]) -> Float32:
    """(H, W) opacity of one object at ``size`` (width, height): its mask, enlarged smoothly, or else its box."""
    if found.masks is None:
        return box_mask(found.boxes[number], size)
    return np.clip(resample(found.masks[number].astype(np.float32), size, "area"), 0, 1)


def as_bits(masks: NDArray[np.bool_]) -> UInt8:
    """As payloads keep them."""
    return np.ascontiguousarray(masks, np.uint8)
