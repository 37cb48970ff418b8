"""How often each brightness occurs, and pictures in which it occurs otherwise."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Image, Report, Setting, Slider, node
from nodes.image._equalise import equalised, local, masses, matched
from nodes.image._pixels import Float32, check_finite, image_of
from nodes.image._tones import brightness

Change = Literal["nothing", "local contrast", "equalise", "match"]
WIDE, HIGH, MARGIN = 512, 256, 0.06


class Histogram(NamedTuple):
    """``image``: with the new distribution. ``plot``: its histogram, drawn. ``report``: its figures."""

    image: Image
    plot: Image
    report: Report


@node("image.histogram", title="Histogram", group="Adjust")
def histogram(
    image: Image,
    reference: Image | None = None,
    change: Annotated[
        Change, Setting(help="Local contrast: CLAHE. Equalise: all tones alike. Match: as in the second picture.")
    ] = "local contrast",
    amount: Annotated[float, Slider(0, 1, help="Between the picture as it was (0) and the change (1).")] = 1.0,
    limit: Annotated[float, Slider(1, 16, log=True, help="Local contrast: how much steeper at most.")] = 2.0,
    tiles: Annotated[int, Slider(1, 64, help="Local contrast: areas along the longer side.")] = 8,
) -> Histogram:
    """Draw and change how often each tone occurs.

    Only what is visible counts. Local contrast and equalise work on the brightness and keep the colour differences;
    match gives red, green and blue the distribution that they have in the reference. Nothing is rounded to 256 steps.
    """
    check_finite(image.pixels)
    weight = np.clip(image.alpha, 0, 1)
    changed = image
    if change != "nothing" and amount > 0:
        rgb = (
            _matched(image, weight, reference)
            if change == "match"
            else _brightened(image, weight, change, limit, tiles)
        )
        changed = image_of(image.rgb + (rgb - image.rgb) * np.float32(amount), image.alpha, image)
    return Histogram(changed, plot(changed), _report(changed))


def _brightened(image: Image, weight: Float32, change: Change, limit: float, tiles: int) -> Float32:
    was = brightness(image.rgb)
    new = equalised(was, weight) if change == "equalise" else local(was, weight, limit, tiles)
    return image.rgb + (new - was)[..., None]


def _matched(image: Image, weight: Float32, reference: Image | None) -> Float32:
    if reference is None:
        raise BadInput("There is no second picture to match.", "Link one to the input reference.")
    check_finite(reference.pixels, "The reference")
    aim = np.clip(reference.alpha, 0, 1)
    return np.stack([matched(image.rgb[..., c], weight, reference.rgb[..., c], aim) for c in range(3)], axis=-1)


def plot(image: Image) -> Image:
    """A picture of 512 x 256: red, green and blue as light that adds up, dark left, heights to the tallest bar."""
    weight = np.clip(image.alpha, 0, 1).ravel()
    counts = [np.histogram(image.rgb[..., c].ravel(), 256, (0, 1), weights=weight)[0] for c in range(3)]
    tallest = max(float(np.max(counts)), 1e-9)
    share = np.stack(counts, axis=-1)[np.arange(WIDE) * 256 // WIDE] / tallest * (1 - MARGIN)
    level = (np.arange(HIGH, 0, -1) - 0.5)[:, None, None] / HIGH
    return Image.of(np.where(level < share[None], 0.9, 0.08).astype(np.float32))


def _report(image: Image) -> Report:
    tones, mass = masses(brightness(image.rgb), np.clip(image.alpha, 0, 1))
    if not len(tones):
        return Report("Histogram", (), "The picture is transparent everywhere.")
    part = mass / mass.sum()
    mean = float(tones @ part)
    half = float(tones[np.searchsorted(np.cumsum(part), 0.5)])
    spread = float(np.sqrt(np.maximum((tones - mean) ** 2 @ part, 0)))
    black, white = float(part[tones <= 0].sum()), float(part[tones >= 1 - 1e-6].sum())
    rows = (("darkest", float(tones[0])), ("brightest", float(tones[-1])), ("mean", mean), ("median", half),
            ("spread", spread), ("black, part of 1", black), ("white, part of 1", white))  # fmt: skip
    clipped = black + white > 0.05
    words = "More than a twentieth is black or white without detail." if clipped else "Few pixels are clipped."
    return Report("Histogram", rows, words)
