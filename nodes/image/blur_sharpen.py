"""Softer or crisper."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Setting, Slider, node
from nodes.image._pixels import Float32, blur, image_of, unweight

Effect = Literal["blur", "sharpen"]


@node("image.blur_sharpen", title="Blur or sharpen", group="Adjust")
def blur_sharpen(
    image: Image,
    effect: Effect = "blur",
    radius: Annotated[float, Slider(0, 512, unit="px", help="Standard deviation of the Gaussian.")] = 2.0,
    amount: Annotated[float, Slider(0, 5, help="Sharpen: how much of the fine detail is added.")] = 1.0,
    threshold: Annotated[float, Slider(0, 1, help="Sharpen: leaves fainter detail, such as noise, alone.")] = 0.0,
    keep_edge: Annotated[bool, Setting(help="Blur: the transparency stays crisp.")] = False,
) -> Image:
    """Blur a picture, or sharpen it with an unsharp mask.

    Only what is visible is mixed: colours under transparency never bleed in. Sharpening leaves transparency as it is.
    """
    if radius == 0:
        return image
    soft, alpha = _blurred(image, radius)
    if effect == "blur":
        return image_of(soft, image.alpha if keep_edge else alpha, image)
    detail = image.rgb - soft
    detail = np.sign(detail) * np.maximum(np.abs(detail) - np.float32(threshold), 0)
    return image_of(image.rgb + np.float32(amount) * detail, image.alpha, image)


def _blurred(image: Image, radius: float) -> tuple[Float32, Float32]:
    alpha = blur(image.alpha, radius)
    if float(image.alpha.min()) >= 1:
        return blur(image.rgb, radius), alpha
    weighted = blur(image.rgb * image.alpha[..., None], radius)
    return unweight(weighted, alpha[..., None], image.rgb), alpha
