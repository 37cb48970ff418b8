"""Grow, shrink, soften and clean a mask."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, Mask, Setting, Slider, node
from nodes.image._pixels import Float32, blur
from nodes.image._regions import filled, largest_region

Keep = Literal["all parts", "largest part"]


@node("image.mask_edit", title="Edit mask", group="Masks")
def mask_edit(
    mask: Mask,
    keep: Annotated[Keep, Setting(help="Largest part drops everything that does not touch it.")] = "all parts",
    fill_holes: bool = False,
    grow: Annotated[float, Slider(-512, 512, unit="px", help="Below 0 shrinks.")] = 0.0,
    feather: Annotated[float, Slider(0, 256, unit="px", help="Width of the soft edge.")] = 0.0,
    invert: bool = False,
) -> Mask:
    """Grow, shrink, feather, clean or invert a mask, in the order of the settings.

    Growing and shrinking measure true distance and leave an edge one pixel soft; feather softens it further.
    """
    values = np.clip(mask.values, 0, 1)
    if not np.isfinite(values).all():
        raise BadInput("The mask holds values that are not numbers.", "Mend the step that made it.")
    if keep == "largest part":
        values = np.where(largest_region(values > 0) if values.any() else False, values, np.float32(0))
    if fill_holes:
        values = np.maximum(values, filled(values >= 0.5).astype(np.float32))
    if grow:
        values = _offset(values, grow)
    if feather:
        values = blur(values, feather / 4)
    return Mask(np.ascontiguousarray(np.clip(1 - values if invert else values, 0, 1), np.float32))


def _offset(values: Float32, by: float) -> Float32:
    """The mask whose half-way edge lies ``by`` pixels further out. Soft edge pixels place the edge between pixels."""
    import cv2

    inside = values >= 0.5
    if inside.all() or not inside.any():
        return values
    to_outside = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    to_inside = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.where(inside, to_outside - 0.5, 0.5 - to_inside)
    return np.asarray(np.clip(distance + by + 0.5, 0, 1), np.float32)
