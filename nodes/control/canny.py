"""Canny edges as the canny ControlNets expect them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from app.engine import Image, Run, Slider, node
from nodes.control._lines import on_white
from nodes.image._pixels import blur


@node("control.canny", title="Canny lines")
def canny(
    run: Run,
    image: Image,
    low: Annotated[int, Slider(0, 255, help="A line goes on down to this slope.")] = 100,
    high: Annotated[int, Slider(0, 255, help="A line begins at this slope.")] = 200,
    smooth: Annotated[float, Slider(0, 16, step=0.1, unit="px", help="Blur beforehand, against noise.")] = 0.0,
) -> Image:
    """Thin white lines on black where colours change, for the canny models of ControlNet.

    OpenCV's Canny on 8-bit colours, as those models were trained with; what is transparent counts as white. For the
    edges of 16-bit pictures and masks there is the Edges step.
    """
    import cv2

    run.progress(0.0, "lines")
    rgb = (blur(on_white(image), smooth) * 255 + 0.5).astype(np.uint8)
    return Image.of(cv2.Canny(np.ascontiguousarray(rgb), min(low, high), max(low, high)))
