"""Objects drawn on their picture: boxes, names and outlines, each in a colour of its own."""

from __future__ import annotations

import numpy as np

from app.engine import Detections, Image
from app.engine.palette import distinct_colours
from nodes.image._pixels import Float32
from nodes.segment._boxes import mask_at

TINT = np.float32(0.4)


def drawn_on(image: Image, found: Detections) -> Image:
    """The picture, opaque where something is drawn, with every box, its name and its score."""
    rgb, alpha = image.rgb.copy(), image.alpha.copy()
    colours = distinct_colours(len(found.labels))
    if found.masks is not None:
        for number in reversed(range(len(found.labels))):
            share = mask_at(found, number, image.size)[..., None] * TINT
            rgb += share * (colours[number] - rgb)
    shown, covered = _boxes(rgb, found, colours)
    pixels = np.concatenate([shown, np.maximum(alpha, covered)[..., None]], axis=-1)
    return Image(np.ascontiguousarray(pixels, np.float32), image.space)


def _boxes(rgb: Float32, found: Detections, colours: Float32) -> tuple[Float32, Float32]:
    """(picture (H, W, 3), where something was drawn (H, W)); drawn in 8 bits, the rest of the picture keeps its own."""
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    height, width = rgb.shape[:2]
    unit = max(width, height) / 800
    layer = Pictures.new("RGBA", (width, height))
    pen, font = ImageDraw.Draw(layer), ImageFont.load_default(max(9.0, 15 * unit))
    for number in reversed(range(len(found.labels))):
        left, top, right, bottom = (found.boxes[number] * [width, height, width, height]).tolist()
        colour = tuple(int(v) for v in np.round(colours[number] * 255))
        line = max(1, round(2.5 * unit))
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour, width=line)
        words = f" {found.labels[number]} {found.scores[number]:.0%} "
        high = max(11.0, 18 * unit)
        above = top - high if top >= high else top
        pen.rectangle((left, above, left + font.getlength(words), above + high), fill=colour)
        pen.text((left, above), words, fill=(0, 0, 0), font=font)
    drawn = np.asarray(layer, np.float32) / np.float32(255)
    return rgb + drawn[..., 3:] * (drawn[..., :3] - rgb), drawn[..., 3]


def label_picture(masks: Float32, size: tuple[int, int]) -> Image:
    """Every part in a colour of its own on black, small ones above large ones. ``masks``: (N, h, w) of 0 or 1."""
    order = np.argsort(-masks.reshape(len(masks), -1).sum(axis=1), kind="stable")
    colours = distinct_colours(len(masks))
    picture = np.zeros((*masks.shape[1:], 3), np.float32)
    for number in order:
        picture[masks[number] > 0] = colours[number]
    rows = (np.arange(size[1]) + 0.5) * (masks.shape[1] / size[1])
    columns = (np.arange(size[0]) + 0.5) * (masks.shape[2] / size[0])
    return Image.of(picture[rows.astype(int)][:, columns.astype(int)])
