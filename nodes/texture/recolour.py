"""Another colour for a part of a texture; colours for a grey one."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Colour, Image, Mask, Run, Slider, node, rgba
from nodes.image._oklab import from_oklab, to_oklab
from nodes.image._pixels import Float32, check_finite, fitted_mask, image_of, to_linear, to_srgb
from nodes.image._tones import brightness

FAINT = 1e-6


@node("texture.recolour", title="Recolour", group="Paint")
def recolour(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    colour: Annotated[str, Colour(help="What the middle colour of the part becomes.")] = "#3a6ea5",
    lightness: Annotated[float, Slider(0, 1, help="0: as light as before. 1: as light as the colour.")] = 1.0,
    variety: Annotated[float, Slider(0, 3, help="How far colours differ from the middle one; 1 as before.")] = 1.0,
    amount: Annotated[float, Slider(0, 1, help="0 leaves the picture as it is.")] = 1.0,
) -> Image:
    """Give a texture, or the part of it under a mask, another colour and keep its grain.

    The mean colour of the part moves to the chosen one, in OKLab, and every pixel moves along, so lighter grain stays
    lighter and redder grain redder.
    """
    run.progress(0.0, "recolouring")
    check_finite(image.pixels)
    weight = np.ones(image.size[::-1], np.float32) if mask is None else fitted_mask(mask, image.size)
    counts = weight * image.alpha
    if not float(counts.sum()) > FAINT:
        run.warn("The mask is empty: nothing is recoloured.")
        return image
    linear = to_linear(image.rgb) if image.space == "srgb" else image.rgb
    lab = to_oklab(np.clip(linear, 0, 1))
    mean = (lab * counts[..., None]).sum(axis=(0, 1), dtype=np.float64) / counts.sum(dtype=np.float64)
    wanted = to_oklab(to_linear(np.array(rgba(colour)[:3], np.float32)))
    wanted[0] = mean[0] + lightness * (wanted[0] - mean[0])
    moved = np.clip(from_oklab(np.asarray(wanted + variety * (lab - mean), np.float32)), 0, 1)
    share = (weight * np.float32(amount))[..., None]
    mixed = np.asarray(linear + share * (moved - linear), np.float32)
    kept = np.where(share > 0, to_srgb(mixed) if image.space == "srgb" else mixed, image.rgb)
    return image_of(np.asarray(kept, np.float32), image.alpha, image)


@node("texture.gradient_map", title="Gradient map", group="Paint")
def gradient_map(
    image: Image,
    dark: Annotated[str, Colour(help="What black becomes.")] = "#1d1a16",
    middle: Annotated[str, Colour(help="What lies between.")] = "#7a5c3e",
    light: Annotated[str, Colour(help="What white becomes.")] = "#e8d9b8",
    middle_at: Annotated[float, Slider(0.02, 0.98, help="Brightness that takes the middle colour.")] = 0.5,
) -> Image:
    """Colours for a grey picture by its brightness: rust, rock or wood from a noise.

    Colours between the three are mixed in OKLab, where steps look even. Transparency stays.
    """
    check_finite(image.pixels)
    stops = np.stack([to_oklab(to_linear(np.array(rgba(c)[:3], np.float32))) for c in (dark, middle, light)])
    level = np.clip(brightness(image.rgb), 0, 1)
    lab = np.stack([np.interp(level, (0, middle_at, 1), stops[:, k]) for k in range(3)], axis=-1)
    rgb: Float32 = to_srgb(np.clip(from_oklab(lab.astype(np.float32)), 0, 1))
    return Image(np.ascontiguousarray(np.dstack([np.clip(rgb, 0, 1), image.alpha]), np.float32))
