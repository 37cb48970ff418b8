"""Colours carried on beneath transparency, the way the encoder of LayerDiffuse was trained on."""

from __future__ import annotations

import numpy as np

from nodes.image._pixels import Float32

STEP = 1.2


def padded(rgba: Float32) -> Float32:
    """(H, W, 4) straight alpha to (H, W, 3): what is opaque stays, the rest is filled smoothly from it.

    The picture, weighted by its alpha, is averaged to ever smaller ones, each 1.2 times smaller, down to one row or
    column. Back from the smallest, each lies over the enlarged one before it.
    """
    import cv2

    levels = [(np.ascontiguousarray(rgba[..., :3] * rgba[..., 3:]), np.ascontiguousarray(rgba[..., 3]))]
    while min(levels[-1][1].shape) > 1:
        weighted, alpha = levels[-1]
        size = int(alpha.shape[1] / STEP), int(alpha.shape[0] / STEP)
        levels.append(tuple(cv2.resize(array, size, interpolation=cv2.INTER_AREA) for array in (weighted, alpha)))
    weighted, alpha = levels[-1]
    total = max(float(alpha.sum()), 1e-8)
    result = (weighted.reshape(-1, 3).sum(axis=0) / np.float32(total)).reshape(1, 1, 3)
    for weighted, alpha in reversed(levels):
        behind = cv2.resize(result, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
        result = weighted + behind.reshape(weighted.shape) * (1 - alpha[..., None])
    return np.asarray(result, np.float32)
