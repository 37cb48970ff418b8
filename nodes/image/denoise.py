"""Less noise, same edges."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import Float32, image_of
from nodes.image._tones import in_strips, layers

Method = Literal["non-local means", "bilateral", "median"]
PATCH, SEARCH = 7, 21
WHITE = 65535
PER_STRENGTH = 0.85
MEDIAN_IN_CV = 2


@node("image.denoise", title="Denoise", group="Adjust")
def denoise(
    run: Run,
    image: Image,
    method: Annotated[
        Method, Setting(help="Non-local means: photographs. Bilateral: quick. Median: single wrong pixels.")
    ] = "non-local means",
    strength: Annotated[
        float, Slider(0, 0.5, step=0.005, help="Spread of the noise, as a part of full range. Median: not used.")
    ] = 0.04,
    colour_strength: Annotated[
        float, Slider(0, 8, help="Non-local means: times stronger on colour than on brightness.")
    ] = 2.0,
    radius: Annotated[int, Slider(1, 16, unit="px", help="Bilateral and median: how far it looks.")] = 2,
    transparency: Annotated[bool, Setting(help="Clean the transparency, too.")] = False,
) -> Image:
    """Take noise out of a picture. Colours and transparency are worked on apart, so that neither leaks into the other.

    Non-local means averages places that look alike (Buades et al. 2011), in 16 bit, brightness and colour by
    themselves. Bilateral averages neighbours of a like colour. Median takes the middle value around each pixel.
    """
    run.progress(0)
    if method != "median" and strength == 0:
        return image
    rgb, alpha = layers(image, True, transparency)
    if method == "non-local means":
        rgb = _patches(run, rgb, strength, strength * colour_strength)
    else:
        rgb = _near(run, rgb, method, strength, radius)
    if transparency:
        run.progress(0.7, "transparency")
        one = alpha[..., None]
        alpha = (
            _averaged(run, one, strength)[..., 0]
            if method == "non-local means"
            else _near(run, alpha, method, strength, radius)
        )
    return image_of(rgb, alpha, image)


def _patches(run: Run, rgb: Float32, strength: float, colour_strength: float) -> Float32:
    import cv2

    split = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    split[..., :1] = _averaged(run, split[..., :1], strength)
    run.progress(0.3, "colour")
    if colour_strength > 0:
        split[..., 1:] = _averaged(run, split[..., 1:], colour_strength)
    return np.asarray(cv2.cvtColor(split, cv2.COLOR_YCrCb2RGB), np.float32)


def _averaged(run: Run, values: Float32, strength: float) -> Float32:
    """(H, W, 1 or 2) 0..1, by non-local means with a filter parameter in proportion to the noise."""
    import cv2

    h = [strength * PER_STRENGTH * WHITE] * values.shape[2]

    def work(strip: Float32) -> Float32:
        levels = np.rint(np.clip(strip, 0, 1) * WHITE).astype(np.uint16)
        done = cv2.fastNlMeansDenoising(levels, h, None, PATCH, SEARCH, cv2.NORM_L1)
        return np.asarray(done, np.float32).reshape(strip.shape) / np.float32(WHITE)

    return in_strips(run, values, (PATCH + SEARCH) // 2, work)


def _near(run: Run, array: Float32, method: Method, strength: float, radius: int) -> Float32:
    """(H, W[, 3]) by the bilateral or the median filter, in floating point."""
    import cv2

    side = 2 * radius + 1

    def work(strip: Float32) -> Float32:
        if method == "bilateral":
            return np.asarray(cv2.bilateralFilter(strip, side, 2 * strength, radius / 1.5), np.float32)
        if radius <= MEDIAN_IN_CV:
            return np.asarray(cv2.medianBlur(strip, side), np.float32)
        from scipy.ndimage import median_filter

        return np.asarray(median_filter(strip, (side, side, 1)[: strip.ndim], mode="nearest"), np.float32)

    return in_strips(run, array, radius + 1, work)
