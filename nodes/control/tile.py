"""A picture without its fine detail, for the tile ControlNets to put new detail in."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.control._lines import on_white
from nodes.image._pixels import blur, resample


@node("control.tile", title="Tile")
def tile(
    run: Run,
    image: Image,
    reduce: Annotated[float, Slider(1, 32, log=True, step=0.5, help="Detail finer than this many pixels goes.")] = 4.0,
    back: Annotated[
        Literal["smooth", "squares"], Setting(help="How it is enlarged again: soft, or as even squares.")
    ] = "smooth",
    soften: Annotated[float, Slider(0, 32, step=0.5, unit="px", help="Blurs the result.")] = 0.0,
) -> Image:
    """The same picture with its fine detail averaged away, at the same size, for the tile models of ControlNet.

    The network keeps what is left and invents the detail. What is transparent counts as white.
    """
    run.progress(0.0, "reducing")
    rgb, size = on_white(image), image.size
    small = (max(1, round(size[0] / reduce)), max(1, round(size[1] / reduce)))
    mean = resample(rgb, small, "area")
    large = resample(mean, size, "nearest" if back == "squares" else "bilinear")
    return Image.of(np.clip(blur(large, soften), 0, 1), image.space)
