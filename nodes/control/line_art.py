"""Line art: the fine dark lines of a picture, white on black."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Image, Run, Slider, node
from nodes.control._lines import darker, inked, on_white

LEAST_CONTRAST = 16 / 255


@node("control.line_art", title="Line art")
def line_art(
    run: Run,
    image: Image,
    width: Annotated[
        float, Slider(1, 32, step=0.5, unit="px", help="Widest line, where the shorter side has 512 pixels.")
    ] = 6.0,
    detail: Annotated[float, Slider(0, 4, step=0.1, unit="px", help="Finer lines than this are left out.")] = 0.0,
    strength: Annotated[float, Slider(0.1, 8, log=True, help="How bright lines become.")] = 1.0,
    threshold: Annotated[float, Slider(0, 0.3, help="Weaker lines are left out.")] = 0.01,
) -> Image:
    """Fine lines, white on black, for the line-art models of ControlNet. Needs no weights.

    A line is what is darker than its surroundings, so drawings come out best. The brightness adapts to the picture:
    its usual line is middle grey.
    """
    run.progress(0.0, "lines")
    found = darker(on_white(image), detail, max(width, detail + 0.5))
    usual = np.median(found[found > LEAST_CONTRAST / 2]) if (found > LEAST_CONTRAST / 2).any() else 0.0
    return Image.of(inked(found, threshold, strength * 0.55 / max(LEAST_CONTRAST, float(usual))))
