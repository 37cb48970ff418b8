"""Arithmetic on pictures that several steps share. Arrays: (H, W) or (H, W, C) float32, row 0 on top."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mask

Float32 = NDArray[np.float32]
Filter = Literal["area", "lanczos", "bilinear", "nearest"]

MAX_PIXELS = 100_000_000
CLEAR = np.float32(1 / 1024)


def to_linear(srgb: Float32) -> Float32:
    """sRGB-encoded 0..1 to linear light 0..1 (IEC 61966-2-1), same shape."""
    low = srgb <= 0.04045
    return np.where(low, srgb / np.float32(12.92), ((srgb + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4))


def to_srgb(linear: Float32) -> Float32:
    """Linear light 0..1 to sRGB-encoded 0..1 (IEC 61966-2-1), same shape."""
    clipped = np.clip(linear, 0, 1)
    low = clipped <= 0.0031308
    power = np.float32(1.055) * clipped ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(low, clipped * np.float32(12.92), power)


def fit_within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) of the same shape whose longer side is ``longest`` pixels; no side is less than 1."""
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def check_size(width: int, height: int) -> None:
    """Raise :class:`BadInput` for a picture too large to work on."""
    if width * height > MAX_PIXELS:
        raise BadInput(
            f"The result would be {width:,} x {height:,} pixels, more than {MAX_PIXELS // 1_000_000} million.",
            "Choose a smaller size.",
        )


def resample(array: Float32, size: tuple[int, int], how: Filter = "area") -> Float32:
    """(H, W[, C]) to ``size`` (width, height), each channel by itself.

    ``area`` averages when it reduces and is bilinear when it enlarges; ``lanczos`` (three lobes) is sharper and may
    leave 0..1 slightly: the caller clips.
    """
    import cv2

    if size == array.shape[1::-1]:
        return array
    if how == "lanczos":
        return _lanczos(array, size)
    shrinks = size[0] < array.shape[1] or size[1] < array.shape[0]
    flag = cv2.INTER_NEAREST if how == "nearest" else cv2.INTER_AREA if how == "area" and shrinks else cv2.INTER_LINEAR
    result = cv2.resize(np.ascontiguousarray(array), size, interpolation=flag)
    return np.asarray(result, np.float32).reshape(size[1], size[0], *array.shape[2:])


def _lanczos(array: Float32, size: tuple[int, int]) -> Float32:
    from PIL import Image as Pictures

    layers = array.reshape(*array.shape[:2], -1)
    done = [
        np.asarray(Pictures.fromarray(np.ascontiguousarray(layers[..., c])).resize(size, Pictures.Resampling.LANCZOS))
        for c in range(layers.shape[2])
    ]
    return np.stack(done, axis=-1).reshape(size[1], size[0], *array.shape[2:])


def resample_pixels(
    pixels: Float32, size: tuple[int, int], how: Filter = "area", linear: bool = False, weigh: bool = True
) -> Float32:
    """(H, W, 4) straight alpha to ``size`` (width, height), values 0..1.

    Colours are weighted by alpha, so that what lies under transparency never shows at an edge. Where the result is
    clear, the colours there are those of the plain resampling. ``linear``: mix light instead of encoded values.
    ``weigh`` off: alpha is a number like the others, as in packed maps, and each channel stands by itself.
    """
    if size == pixels.shape[1::-1]:
        return pixels
    colours = to_linear(pixels[..., :3]) if linear else pixels[..., :3]
    alpha = pixels[..., 3:]
    plain = np.clip(resample(colours, size, how), 0, 1)
    if float(alpha.min()) < 1:
        small = np.clip(resample(alpha[..., 0], size, how), 0, 1)[..., None]
        plain = unweight(resample(colours * alpha, size, how), small, plain) if weigh else plain
    else:
        small = np.ones((*plain.shape[:2], 1), np.float32)
    return np.concatenate([to_srgb(plain) if linear else plain, small], axis=-1)


def unweight(weighted: Float32, alpha: Float32, elsewhere: Float32) -> Float32:
    """Colours (H, W, 3) from alpha-weighted ones, 0..1; ``elsewhere`` (H, W, 3) where alpha (H, W, 1) is next to 0."""
    seen = alpha > CLEAR
    colours = np.divide(weighted, alpha, out=np.zeros_like(weighted), where=seen)
    return np.where(seen, np.clip(colours, 0, 1), elsewhere)


def blur(array: Float32, sigma: float) -> Float32:
    """Gaussian of ``sigma`` pixels over (H, W[, C]), mirrored at the border.

    Wide Gaussians run on a reduced picture whose averaging and interpolation are counted as part of the width.
    """
    import cv2

    if sigma <= 0:
        return array
    step = 1
    while sigma / step > 10 and min(array.shape[:2]) > 4 * step:
        step *= 2
    height, width = array.shape[:2]
    size = (width, height) if step == 1 else (-(-width // step), -(-height // step))
    small = resample(array, size, "area")
    across, down = (_narrowed(sigma, full / part) for full, part in zip((width, height), size, strict=True))
    soft = cv2.GaussianBlur(small, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    return resample(np.asarray(soft, np.float32).reshape(small.shape), (width, height), "bilinear")


def _narrowed(sigma: float, step: float) -> float:
    """Sigma on the reduced picture: box averaging adds step²/12 of variance, linear interpolation step²/6."""
    return sigma if step == 1 else float(np.sqrt((sigma / step) ** 2 - 1 / 4))


def extend_colours(colours: Float32, weight: Float32) -> Float32:
    """Colours (H, W, 3) carried on into places without weight (H, W, 0..1), smoother with distance.

    Where the weight is 1 nothing changes. Averages on ever coarser pictures fill what finer ones leave empty
    (the pull-push scheme of Gortler et al., The Lumigraph, 1996). A weight of zero everywhere gives the colours back.
    """
    if float(weight.max()) <= 0:
        return colours
    stacked = np.concatenate([colours * weight[..., None], weight[..., None]], axis=-1)
    filled = _pull_push(stacked)
    return np.asarray(colours * weight[..., None] + filled[..., :3] * (1 - weight[..., None]), np.float32)


def _pull_push(weighted: Float32) -> Float32:
    """(H, W, C + weight) weighted values to filled values, the last channel to 1."""
    height, width = weighted.shape[:2]
    weight = weighted[..., -1:]
    own = np.divide(weighted, weight, out=np.zeros_like(weighted), where=weight > 0)
    if float(weight.min()) >= 1 or max(height, width) == 1:
        return own
    half = resample(weighted, ((width + 1) // 2, (height + 1) // 2), "area")
    gain = 1 / np.maximum(half[..., -1:], np.float32(1e-6))
    coarse = _pull_push(half * np.minimum(gain, 2))
    behind = resample(coarse, (width, height), "bilinear")
    return own * weight + behind * (1 - weight)


def fitted_mask(mask: Mask, size: tuple[int, int]) -> Float32:
    """The mask's values at ``size`` (width, height). Raises :class:`BadInput` when its shape is another one."""
    if mask.size == size:
        return mask.values
    ratio = (mask.size[0] / mask.size[1]) / (size[0] / size[1])
    if not 0.98 < ratio < 1.02:
        raise BadInput(
            f"The mask is {mask.size[0]} x {mask.size[1]} pixels and the picture {size[0]} x {size[1]}: "
            "their shapes differ.",
            "Use a mask that was made from this picture.",
        )
    return np.clip(resample(mask.values, size, "area"), 0, 1)


def check_finite(pixels: NDArray[Any], what: str = "The picture") -> None:
    """Raise :class:`BadInput` when an array holds NaN or infinity."""
    if not np.isfinite(pixels).all():
        raise BadInput(f"{what} holds values that are not numbers.", "Mend the step that made it.")


def image_of(rgb: Float32, alpha: Float32, like: Image) -> Image:
    """An image of (H, W, 3) and (H, W), clipped to 0..1, in the colour space of ``like``."""
    pixels = np.concatenate([rgb, alpha[..., None]], axis=-1)
    return Image(np.ascontiguousarray(np.clip(pixels, 0, 1), np.float32), like.space)
