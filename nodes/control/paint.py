"""Paint on a control map by hand."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import numpy as np

from app.engine import Colour, Image, Run, Slider, Stroke, Strokes, node, rgba
from nodes.image._pixels import Float32, blur, check_finite


@node("control.paint", title="Paint on map")
def paint(
    run: Run,
    image: Image,
    strokes: Annotated[tuple[Stroke, ...], Strokes(help="Keep paints with the colour, drop with the ground.")] = (),
    colour: Annotated[str, Colour(help="What is painted: white for lines, grey for depth.")] = "#ffffff",
    ground: Annotated[str, Colour(help="What erasing leaves behind.")] = "#000000",
    soften: Annotated[float, Slider(0, 32, step=0.5, unit="px", help="Soft edges of the strokes.")] = 0.0,
) -> Image:
    """Add lines to a control map, or erase some, before it is used. Later strokes lie over earlier ones.

    Any picture can be painted on. An empty black one makes a scribble from nothing.
    """
    run.progress(0.0, "painting")
    check_finite(image.pixels)
    pixels = image.pixels
    for stroke in strokes:
        run.check()
        cover = blur(_cover(stroke, image.size), soften)[..., None]
        pixels = pixels * (1 - cover) + np.array(rgba(colour if stroke.keep else ground), np.float32) * cover
    return Image(np.ascontiguousarray(np.clip(pixels, 0, 1), np.float32), image.space)


def _cover(stroke: Stroke, size: tuple[int, int]) -> Float32:
    """(H, W) 0..1: the share of each pixel under a round pen that follows the points of a stroke."""
    canvas = np.zeros((size[1], size[0]), np.float32)
    points = np.array(stroke.points, np.float64) * size
    radius = max(0.5, stroke.radius * size[0])
    for one, two in itertools.pairwise(points if len(points) > 1 else points.repeat(2, axis=0)):
        low = np.maximum(np.floor(np.minimum(one, two) - radius - 1), 0).astype(int)
        high = np.minimum(np.ceil(np.maximum(one, two) + radius + 1), size).astype(int)
        if (low < high).all():
            window = canvas[low[1] : high[1], low[0] : high[0]]
            x, y = np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5
            np.maximum(window, np.clip(radius + 0.5 - _away(x[None], y[:, None], one, two), 0, 1), out=window)
    return canvas


def _away(x: Any, y: Any, one: Any, two: Any) -> Any:
    """(H, W) pixels from (1, W) and (H, 1) places to the straight line between two points."""
    along = two - one
    length = max(float(along @ along), 1e-12)
    share = np.clip(((x - one[0]) * along[0] + (y - one[1]) * along[1]) / length, 0, 1)
    return np.hypot(x - one[0] - share * along[0], y - one[1] - share * along[1])
