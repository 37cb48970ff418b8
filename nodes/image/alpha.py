"""Between transparency, masks and grey pictures."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Mask, Setting, node
from nodes.image._pixels import fitted_mask, image_of
from nodes.image._tones import brightness


@node("image.alpha_to_mask", title="Alpha to mask", group="Masks")
def alpha_to_mask(image: Image) -> Mask:
    """The transparency of a picture as a mask: opaque is 1."""
    return Mask(np.ascontiguousarray(image.alpha))


@node("image.mask_to_alpha", title="Mask to alpha", group="Masks")
def mask_to_alpha(
    image: Image,
    mask: Mask,
    existing: Annotated[
        Literal["replace", "multiply"], Setting(help="What becomes of alpha already there.")
    ] = "replace",
) -> Image:
    """Make a picture transparent where a mask is 0. A mask of another size but the same shape is scaled."""
    values = fitted_mask(mask, image.size)
    return image_of(image.rgb, values * image.alpha if existing == "multiply" else values, image)


@node("image.mask_to_image", title="Mask to picture", group="Masks")
def mask_to_image(mask: Mask) -> Image:
    """A mask as a grey picture of data values."""
    return Image.of(mask.values, "data")


@node("image.brightness_to_mask", title="Brightness to mask", group="Masks")
def brightness_to_mask(image: Image) -> Mask:
    """The brightness of a picture as a mask: white is 1. Transparent places count as black."""
    return Mask(np.clip(brightness(image.rgb) * image.alpha, 0, 1))
