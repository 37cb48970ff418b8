"""A cut-out made ready for TripoSR: cropped to the object, square, on grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mask, Run
from nodes.image._pixels import check_finite, fitted_mask

Float32 = NDArray[np.float32]
GREY = 0.5
SEEN = 0.5 / 255  # less is nothing in a picture of 8 bits
LEAST = 24
CUT_OUT = "Cut the object out first, for example with the Cut out node."


def ready(run: Run, image: Image, mask: Mask | None, share: float, side: int) -> Float32:
    """(side, side, 3) float32 sRGB 0..1: the object on grey, its longer side ``share`` of the picture.

    Resized with an antialiased bilinear filter. Raises :class:`BadInput` where nothing can be seen.
    """
    check_finite(image.pixels)
    alpha = image.alpha
    if mask is not None:
        check_finite(mask.values, "The mask")
        alpha = alpha * fitted_mask(mask, image.size)
    if int((alpha > 0.5).sum()) < LEAST:
        raise BadInput("There is no object in the picture: nearly everything is transparent.", CUT_OUT)
    if float(alpha.min()) > 0.5:
        run.warn(f"The picture has no transparent background, so all of it is taken for the object. {CUT_OUT}")
    return _resized(_framed(image.rgb, alpha, share), side)


def _framed(rgb: Float32, alpha: Float32, share: float) -> Float32:
    rows, columns = (np.flatnonzero((alpha >= SEEN).any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    seen = np.clip(alpha[box], 0, 1)[..., None]
    flat = np.clip(rgb[box], 0, 1) * seen + GREY * (1 - seen)
    height, width = flat.shape[:2]
    side = max(max(height, width), int(max(height, width) / share))
    framed = np.full((side, side, 3), GREY, np.float32)
    longer = max(height, width)
    top = (side - longer) // 2 + (longer - height) // 2
    left = (side - longer) // 2 + (longer - width) // 2
    framed[top : top + height, left : left + width] = flat
    return framed


def _resized(square: Float32, side: int) -> Float32:
    import torch
    from torch.nn import functional as F

    planes = torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)))[None]
    sized = F.interpolate(planes, (side, side), mode="bilinear", align_corners=False, antialias=True)
    return np.ascontiguousarray(sized[0].permute(1, 2, 0).numpy())
