"""One picture over another."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Colour, Image, Mask, Setting, Slider, node, rgba
from nodes.image._pixels import Float32, fitted_mask, image_of, resample_pixels, to_linear, to_srgb

Mode = Literal["normal", "multiply", "screen"]


@node("image.composite", title="Composite", group="Size and place", version=2)
def composite(
    foreground: Image,
    background: Image | None = None,
    mask: Mask | None = None,
    colour: Annotated[str, Colour(help="The background where no picture is linked.")] = "#ffffff",
    mode: Annotated[Mode, Setting(help="How the colours meet.")] = "normal",
    opacity: Annotated[float, Slider(0, 1, help="Of the foreground.")] = 1.0,
    linear_light: Annotated[bool, Setting(help="Mix light instead of encoded values.", advanced=True)] = False,
) -> Image:
    """Put a picture over another picture or over a colour.

    The result has the size of the foreground; the background is scaled to cover it and cut in the middle. A mask,
    where linked, narrows what shows of the foreground.
    """
    linear = linear_light and foreground.space == "srgb"
    behind = _behind(foreground, background, colour)
    alpha = foreground.alpha * np.float32(opacity)
    if mask:
        alpha = alpha * fitted_mask(mask, foreground.size)
    over, under = (to_linear(p[..., :3]) if linear else p[..., :3] for p in (foreground.pixels, behind))
    rgb, total = _blend(over, alpha[..., None], under, behind[..., 3:], mode)
    return image_of(to_srgb(rgb) if linear else rgb, total[..., 0], foreground)


def _behind(foreground: Image, background: Image | None, colour: str) -> Float32:
    if background is None:
        flat = np.array(rgba(colour), np.float32)
        return np.broadcast_to(flat, foreground.pixels.shape)
    width, height = foreground.size
    scale = max(width / background.size[0], height / background.size[1])
    size = max(width, round(background.size[0] * scale)), max(height, round(background.size[1] * scale))
    scaled = resample_pixels(background.pixels, size, linear=background.space == "srgb")
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return scaled[top : top + height, left : left + width]


def _blend(over: Float32, a: Float32, under: Float32, b: Float32, mode: Mode) -> tuple[Float32, Float32]:
    """Source-over with a blend function (W3C Compositing and Blending Level 1); colours (H, W, 3), alphas (H, W, 1)."""
    met = {"normal": over, "multiply": over * under, "screen": over + under - over * under}[mode]
    total = a + b * (1 - a)
    mixed = (1 - b) * a * over + a * b * met + (1 - a) * b * under
    return np.divide(mixed, total, out=over.copy(), where=total > 0), total
