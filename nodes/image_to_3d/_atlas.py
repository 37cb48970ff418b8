"""Front and back of the texture side by side; the back is made up from what the picture shows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.engine import Image
from nodes.image._pixels import blur, extend_colours
from nodes.image_to_3d._tile import Colours, Tile

Back = Literal["soft", "mirror", "plain"]
SMALL = 256  # texels; the back's broad colours are found on a copy of this size


def atlas(tile: Tile, facing: Colours, back: Back) -> Image:
    """Front tile and flipped back tile side by side; they agree along the outline."""
    rear = tile.colours
    if back != "mirror":
        turned = np.clip((facing - 0.2) / 0.5, 0, 1)
        turned = (turned * turned * (3 - 2 * turned))[..., None]
        rear = rear + turned * (_calm(rear, facing, back) - rear)
    return Image.of(np.concatenate([tile.colours, rear[:, ::-1]], axis=1))


def _calm(colours: Colours, facing: Colours, back: Back) -> Colours:
    """The colours of the sides carried across the back, so that no face looks out of it."""
    import cv2

    height, width = facing.shape
    shrink = min(1.0, SMALL / max(height, width))
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    towards = cv2.resize(facing, size, interpolation=cv2.INTER_AREA)
    weight = np.clip(1.25 - towards, 0, 1) ** 4 + (0.002 if back == "soft" else 1e-6)
    calm = blur(extend_colours(small, weight.astype(np.float32)), 1.0 if back == "soft" else 6.0)
    return np.asarray(np.clip(cv2.resize(calm, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)
