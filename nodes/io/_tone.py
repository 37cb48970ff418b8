"""Pictures whose values know no upper end, brought to 0..1: exposure, and what becomes of the bright ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nodes.image._pixels import to_srgb

Float32 = NDArray[np.float32]
Bright = Literal["cut", "compress", "fit"]
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


@dataclass(frozen=True)
class Light:
    """Values as a file of floats holds them.

    ``values``: (H, W, 1, 3 or 4) float32. ``premultiplied``: colours are multiplied by alpha. ``encoded``: colours are
    sRGB-encoded already, else they are linear light with the primaries of sRGB.
    """

    values: Float32
    notes: tuple[str, ...] = ()
    premultiplied: bool = False
    encoded: bool = False


@dataclass(frozen=True)
class Tone:
    """``exposure``: stops. ``bright``: cut at 1, compress (Reinhard et al. 2002, equation 4), or fit all of it."""

    exposure: float = 0.0
    bright: Bright = "cut"


AS_IT_IS = Tone()


def to_picture(light: Light, tone: Tone, colour: bool) -> tuple[Float32, list[str]]:
    """(H, W, 4) float32 0..1, straight alpha, and remarks. With ``colour`` sRGB-encoded, else plain numbers."""
    values, notes = _finite(light.values)
    rgb = np.repeat(values, 3, axis=-1) if values.shape[2] == 1 else np.array(values[..., :3])
    alpha = np.clip(values[..., 3:], 0, 1) if values.shape[2] == 4 else np.ones((*values.shape[:2], 1), np.float32)
    if colour and light.premultiplied and values.shape[2] == 4:
        np.divide(rgb, alpha, out=rgb, where=alpha > 0)
    rgb = _colours(rgb, tone, notes) if colour and not light.encoded else _numbers(rgb, tone, notes)
    return np.concatenate([rgb, alpha], axis=-1, dtype=np.float32), notes


def percent(share: float) -> str:
    """0..1 in words: two digits that count, and never a power of ten."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _finite(values: Float32) -> tuple[Float32, list[str]]:
    sound = np.isfinite(values)
    if sound.all():
        return values, []
    most = float(np.max(values, where=sound, initial=0))
    least = float(np.min(values, where=sound, initial=0))
    share = float(1 - sound.mean())
    note = f"{percent(share)} of the values are infinite or no numbers; they are the largest of the others, or 0."
    return np.nan_to_num(values, nan=0.0, posinf=most, neginf=least), [note]


def _colours(rgb: Float32, tone: Tone, notes: list[str]) -> Float32:
    rgb = rgb * np.float32(2.0**tone.exposure)
    most = float(rgb.max())
    if most > 1 and tone.bright == "compress":
        light = np.maximum(rgb @ LUMINANCE, 0)[..., None]
        white = np.float32(max(float(light.max()), 1e-6))
        rgb = rgb * ((1 + light / white**2) / (1 + light))
        notes.append(f"The picture reaches {most:.4g} times white; bright parts are compressed.")
    elif most > 0 and tone.bright == "fit":
        rgb = rgb / np.float32(most)
        notes.append(f"White stands for {most:.6g} in the file's light.")
    elif most > 1:
        share = float((rgb > 1).any(axis=-1).mean())
        notes.append(
            f"{percent(share)} of the picture is brighter than white (up to {most:.4g} times) and was cut. "
            "Lower the Exposure, or choose compress for Bright values."
        )
    return to_srgb(rgb)


def _numbers(rgb: Float32, tone: Tone, notes: list[str]) -> Float32:
    low, high = float(rgb.min()), float(rgb.max())
    if tone.bright == "fit":
        notes.append(f"0 stands for {low:.9g} and 1 for {high:.9g} in the file.")
        return (rgb - np.float32(low)) / np.float32(high - low if high > low else 1)
    if low < 0 or high > 1:
        notes.append(
            f"The numbers run from {low:.4g} to {high:.4g}; what lies outside 0 to 1 was cut. "
            "Choose fit for Bright values to keep all."
        )
    return np.clip(rgb, 0, 1)
