"""Front and back of the texture side by side; the back is made up from what the picture shows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.engine import Image
from nodes.image_to_3d._tile import Colours, Tile
from nodes.texture._blur import blur

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
    calm = blur(_push_pull(small, weight), 1.0 if back == "soft" else 6.0)
    return np.clip(cv2.resize(calm, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def _push_pull(colours: Colours, weight: Colours) -> Colours:
    """Colours with little weight are replaced from coarser and coarser averages of those with much (Gortler 1996)."""
    import cv2

    height, width = weight.shape
    if min(height, width) < 4:
        return np.broadcast_to(np.average(colours.reshape(-1, 3), axis=0, weights=weight.ravel()), colours.shape)
    size = ((width + 1) // 2, (height + 1) // 2)
    weighted = cv2.pyrDown(colours * weight[..., None], dstsize=size)
    total = cv2.pyrDown(weight, dstsize=size)
    coarse = _push_pull(weighted / np.maximum(total, 1e-9)[..., None], np.minimum(1, 1.5 * total))
    filled = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.minimum(weight, 1)[..., None]
    return np.asarray(filled + share * (colours - filled), np.float32)
