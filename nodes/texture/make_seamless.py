"""A picture that repeats without a visible border."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.image._pixels import Float32, check_finite, unweight
from nodes.texture._scaling import Content, renormalised
from nodes.texture._tiling import blended, periodic, stitched

Method = Literal["blend", "cut", "smooth"]
LEAST = 8


class Seamless(NamedTuple):
    """``repeated``: the picture two by two, to look at the joints."""

    image: Image
    repeated: Image


@node("texture.make_seamless", title="Make seamless", group="Paint")
def make_seamless(
    run: Run,
    image: Image,
    method: Annotated[
        Method,
        Setting(
            help="blend: fades opposite borders into each other, for grass, plaster, cloth. cut: joins them along "
            "the least visible line, for stones and bricks. smooth: evens out light and level, keeps the size, "
            "and leaves cut shapes at the border."
        ),
    ] = "blend",
    overlap: Annotated[
        float, Slider(2, 45, unit="%", help="blend and cut: how much of each side is laid over the other.")
    ] = 20.0,
    even: Annotated[
        bool, Setting(help="blend and cut: first take out the difference in light between opposite sides.")
    ] = True,
    content: Annotated[
        Content,
        Setting(help="Normals keep unit length. Maps of one material need equal settings, and blend or smooth."),
    ] = "colour",
) -> Seamless:
    """Make a picture tile: its left and right, top and bottom borders join.

    Blend and cut give a smaller picture, since the borders lie over each other; Resize texture brings it to a power of
    two. The fade keeps the contrast of what it mixes.
    """  # fmt: skip
    check_finite(image.pixels)
    run.progress(0.0, "borders")
    pixels = np.clip(image.pixels, 0, 1)
    alpha = pixels[..., 3:]
    weighted = np.concatenate([pixels[..., :3] * alpha, alpha], axis=2) if float(alpha.min()) < 1 else pixels[..., :3]
    made = _joined(run, np.ascontiguousarray(weighted), method, overlap / 100, even)
    run.progress(0.9, "joining")
    result = _straight(np.clip(made, 0, 1))
    result = np.ascontiguousarray(renormalised(result) if content == "normal" else result, np.float32)
    return Seamless(Image(result, image.space), Image(np.tile(result, (2, 2, 1)), image.space))


def _joined(run: Run, values: Float32, method: Method, share: float, even: bool) -> Float32:
    across, down = (max(1, min(n // 2 - 1, round(n * share))) for n in (values.shape[1], values.shape[0]))
    if method != "smooth" and min(values.shape[:2]) < LEAST:
        run.warn(f"The picture is less than {LEAST} pixels wide or high; only its level is evened out.")
        method = "smooth"
    if method == "smooth" or even:
        values = periodic(values)
    run.progress(0.5, "borders")
    if method == "smooth":
        return values
    return (blended if method == "blend" else stitched)(values, (across, down))


def _straight(made: Float32) -> Float32:
    """(H, W, 4) with straight alpha."""
    if made.shape[2] == 3:
        return np.concatenate([made, np.ones((*made.shape[:2], 1), np.float32)], axis=2)
    alpha = made[..., 3:]
    return np.concatenate([unweight(made[..., :3], alpha, np.zeros_like(made[..., :3])), alpha], axis=2)
