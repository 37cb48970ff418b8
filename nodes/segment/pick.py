"""One object out of those that were found: by its name, by a click, or by a rectangle."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Detections, Image, Mask, Rect, Rectangle, Run, Setting, Slider, Stroke, Strokes, node
from nodes.image._pixels import Float32, check_finite
from nodes.segment._boxes import mask_at
from nodes.segment._choose import choose
from nodes.segment._finish import finished, solved
from nodes.segment.cut_out import cut_out

Outline = Literal["cut out", "as found"]
ROOM = 0.03


class Picked(NamedTuple):
    """``image``: the object with straight alpha. ``mask``: that alpha. ``chosen``: its box, name and outline."""

    image: Image
    mask: Mask
    chosen: Detections


@node("segment.pick", title="Pick an object")
def pick(
    run: Run,
    image: Image,
    objects: Detections,
    word: Annotated[str, Setting(help='What to pick: "chair", "the dogs". Common synonyms are understood.')] = "",
    rectangle: Annotated[Rect | None, Rectangle(help="Picks the object that fills it best.")] = None,
    strokes: Annotated[tuple[Stroke, ...], Strokes(help="Click on what to keep, and on what it is not.")] = (),
    take: Annotated[Literal["one", "all"], Setting(help="All objects that fit, or the one that fits best.")] = "one",
    outline: Annotated[
        Outline, Setting(help="Of objects with a box only: cut out finds the outline inside, as found takes the box.")
    ] = "cut out",
    edge: Annotated[float, Slider(0, 5, unit="%", help="Reach of the soft edge; 0 keeps masks as found.")] = 0.8,
) -> Picked:
    """Cut one of the detected objects out of the picture: by word, by click or by rectangle.

    "Cut out the chair" takes two steps: Detect objects (or Mask R-CNN), then this one with the word "chair". Without
    any hint the largest object is taken. Masks get a clean edge; of an object that is known only by its box the
    outline is found as in Cut out. For a more exact one, link "chosen" to Segment anything.
    """
    run.progress(0, "choosing")
    check_finite(image.pixels)
    numbers = choose(objects, word, rectangle, strokes, take)
    chosen = objects.only(numbers)
    region = np.zeros(image.alpha.shape, np.float32)
    for number in range(len(numbers)):
        run.progress(0.1 + 0.6 * number / len(numbers), "outlining")
        region = np.maximum(region, _outline(run, image, chosen, number, outline))
    colours = image.rgb
    if edge and objects.masks is not None:
        run.progress(0.7, "refining the edge")
        colours, region = solved(np.ascontiguousarray(image.rgb), region, edge / 100 * max(image.size))
    return Picked(*finished(image, colours, region * image.alpha, 0.0), chosen)


def _outline(run: Run, image: Image, chosen: Detections, number: int, outline: Outline) -> Float32:
    """(H, W) opacity of one object."""
    if chosen.masks is not None or outline == "as found":
        return mask_at(chosen, number, image.size)
    left, top, right, bottom = (float(v) for v in chosen.boxes[number])
    across, down = ROOM * (right - left), ROOM * (bottom - top)
    box = (max(0.0, left - across), max(0.0, top - down), min(1.0, right + across), min(1.0, bottom + down))
    run.warn("Outlines inside boxes are found without a network; Segment anything finds them more exactly.")
    quiet = Run(stop=run.stop, models=run.models, wanted_device=run.wanted_device)
    try:
        return cut_out(quiet, image, rectangle=box, existing_alpha="ignore").mask.values
    except BadInput:
        run.warn(f"No outline stands out inside the box of the {chosen.labels[number]}; the whole box was taken.")
        return mask_at(chosen, number, image.size)
