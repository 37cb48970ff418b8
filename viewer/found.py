"""Detections as a picture: each box, and its outline where it is known, in a colour of its own on dark ground."""

from __future__ import annotations

import numpy as np

from app.engine.palette import distinct_colours
from app.engine.payloads import Detections, Float32

GROUND, LONGEST, TINT = (24, 26, 30), 1024, 0.55


def found_picture(found: Detections) -> Float32:
    """(H, W, 4) float32 0..1, in the shape of the picture that the detections belong to."""
    from PIL import Image, ImageDraw, ImageFont

    scale = LONGEST / max(found.size)
    width, height = (max(1, round(side * scale)) for side in found.size)
    colours = np.round(distinct_colours(len(found.boxes)) * 255).astype(int)
    canvas = Image.new("RGB", (width, height), GROUND)
    for mask, colour in zip(found.masks if found.masks is not None else (), colours, strict=False):
        shape = Image.fromarray(np.ascontiguousarray(mask) * np.uint8(255 * TINT))
        canvas.paste(tuple(colour.tolist()), mask=shape.resize((width, height), Image.Resampling.NEAREST))
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(max(12, LONGEST // 36))
    for box, score, label, colour in zip(found.boxes, found.scores, found.labels, colours, strict=True):
        left, top, right, bottom = (box * [width, height, width, height]).tolist()
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=tuple(colour.tolist()), width=3)
        pen.text((left + 6, top + 4), f"{label} {score:.0%}", fill=tuple(colour.tolist()), font=font)
    pixels = np.asarray(canvas, np.float32) / np.float32(255)
    return np.concatenate([pixels, np.ones((height, width, 1), np.float32)], axis=-1)
