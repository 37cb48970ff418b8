"""Hue, colourfulness, lightness, warmth."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Image, Setting, Slider, node
from nodes.image._oklab import from_oklab, to_oklab
from nodes.image._pixels import Float32, check_finite, image_of, to_linear, to_srgb
from nodes.image._tones import brightness

DAYLIGHT_K = 6504.0


@node("image.colour", title="Colour", group="Adjust")
def colour(
    image: Image,
    temperature: Annotated[
        float, Slider(-110, 250, unit="mired", help="Above 0 warmer, as by a filter of that strength; below 0 cooler.")
    ] = 0.0,
    hue: Annotated[float, Slider(-180, 180, unit="°", help="Turns every colour around the colour wheel.")] = 0.0,
    saturation: Annotated[float, Slider(0, 4, help="0 is grey, 1 unchanged.")] = 1.0,
    lightness: Annotated[float, Slider(-1, 1, help="Added to how light a colour looks.")] = 0.0,
    gamma: Annotated[float, Slider(0.1, 10, log=True, help="Above 1 lifts the middle tones.")] = 1.0,
    grey: Annotated[bool, Setting(help="A grey picture of the same light.")] = False,
    invert: Annotated[bool, Setting(help="The negative.")] = False,
) -> Image:
    """Change hue, colourfulness, lightness and warmth. Transparency stays.

    In the order of the settings. Hue, saturation and lightness are those of OKLab, in which equal steps look equal:
    turning the hue leaves yellow as light as it was. Colours that a screen cannot show are clipped.
    """
    check_finite(image.pixels)
    rgb, encoded = image.rgb, image.space == "srgb"
    if temperature or hue % 360 or saturation != 1 or lightness or grey:
        linear = (to_linear(rgb) if encoded else rgb) * _warmth(temperature)
        linear = np.clip(_turned(linear, hue, saturation, lightness), 0, 1)
        if grey:
            linear = np.repeat(brightness(linear)[..., None], 3, axis=-1)
        rgb = to_srgb(linear) if encoded else linear
    if gamma != 1:
        rgb = np.clip(rgb, 0, 1) ** np.float32(1 / gamma)
    return image_of(1 - rgb if invert else rgb, image.alpha, image)


def _turned(linear: Float32, hue: float, saturation: float, lightness: float) -> Float32:
    """Linear (H, W, 3) with OKLab's hue turned by degrees, its chroma scaled, its lightness raised."""
    if not (hue % 360 or saturation != 1 or lightness):
        return linear
    lab = to_oklab(np.maximum(linear, 0))
    c, s = np.cos(np.deg2rad(hue)) * saturation, np.sin(np.deg2rad(hue)) * saturation
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 0] += np.float32(lightness)
    lab[..., 1], lab[..., 2] = a * c - b * s, a * s + b * c
    return from_oklab(lab)


def _warmth(mired: float) -> Float32:
    """Gains of linear red, green and blue (3,) that move daylight by ``mired`` and keep the brightness of white."""
    if not mired:
        return np.ones(3, np.float32)
    white, moved = (_blackbody(k) for k in (DAYLIGHT_K, 1e6 / (1e6 / DAYLIGHT_K + mired)))
    gains = moved / white
    return np.asarray(gains / brightness(np.asarray(gains, np.float32)), np.float32)


def _blackbody(kelvin: float) -> Float32:
    """Linear sRGB (3,) of a glowing body from 1667 to 25000 K (cubic fits of Kim et al., US patent 7,024,034)."""
    t = 1e3 / kelvin
    if kelvin <= 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin <= 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin <= 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    from_xyz = np.array([[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560],
                         [0.0556434, -0.2040259, 1.0572252]])  # fmt: skip
    return np.asarray(np.maximum(from_xyz @ [x / y, 1, (1 - x - y) / y], 1e-3), np.float32)
