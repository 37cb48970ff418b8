"""Pictures as bytes for the screen."""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.engine.payloads import Float32, UInt8
from viewer.shown import Picture

Channel = Literal["rgba", "rgb", "alpha", "red", "green", "blue"]
PLANES: dict[str, int] = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


def screen_bytes(picture: Picture, channel: Channel = "rgba") -> UInt8:
    """(H, W, 4) uint8 RGBA, straight alpha. A single channel is shown as grey."""
    if picture.kind == "depth":
        return _depth_colours(picture.values)
    if picture.kind == "grey":
        return _grey(picture.values)
    if channel in PLANES:
        return _grey(picture.values[..., PLANES[channel]])
    shown = _bytes(picture.values)
    if channel == "rgb":
        shown[..., 3] = 255
    return shown


def _bytes(values: Float32) -> UInt8:
    import cv2

    out: UInt8 = cv2.convertScaleAbs(np.maximum(values, 0), alpha=255).reshape(values.shape)
    return out


def _grey(values: Float32) -> UInt8:
    grey = _bytes(np.ascontiguousarray(values))
    out = np.empty((*grey.shape, 4), np.uint8)
    out[..., :3] = grey[..., None]
    out[..., 3] = 255
    return out


def _depth_colours(metres: Float32) -> UInt8:
    """Near is warm, far is cold, unknown is transparent; the range is that of the middle 98 % of the samples."""
    import cv2

    known = np.isfinite(metres)
    out = np.zeros((*metres.shape, 4), np.uint8)
    if not known.any():
        return out
    sample = metres[known][:: max(1, int(known.sum()) // 100_000)]
    near, far = np.percentile(sample, [1, 99])
    level = 1 - (np.nan_to_num(metres, nan=far) - near) / max(far - near, 1e-9)
    coloured = cv2.applyColorMap(_bytes(np.clip(level, 0, 1).astype(np.float32)), cv2.COLORMAP_TURBO)
    out[..., :3] = coloured[..., ::-1].reshape(*metres.shape, 3)
    out[known, 3] = 255
    return out
