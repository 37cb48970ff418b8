"""Named objects with their outlines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Detections, Image, OpenFile, Run, Setting, Slider, node, place
from app.engine.weight_files import digest_of, path_of
from nodes.image._pixels import check_finite
from nodes.segment._boxes import mask_size
from nodes.segment._drawing import drawn_on
from nodes.segment._finish import opaque
from nodes.segment._labels import coco_91
from nodes.segment._models import cards
from nodes.segment._models.mask_rcnn import find, load, paste

Model = Literal["maskrcnn-r50-v2", "maskrcnn-r50", "own file"]
LEAST, WORK_GB = 8, 2.0


class Found(NamedTuple):
    """``objects``: what was found with its outlines, best first. ``picture``: the input with all of it drawn on."""

    objects: Detections
    picture: Image


@node(
    "segment.instances",
    title="Mask R-CNN",
    licence="BSD-3-Clause",
    models=cards.INSTANCES,
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
    cheaper={"size": 400},
)
def instances(
    run: Run,
    image: Image,
    model: Annotated[Model, Setting(help="v2 is more exact and slower.")] = "maskrcnn-r50-v2",
    file: Annotated[
        Path,
        OpenFile(suffixes=(".pth", ".pt", ".safetensors"), optional=True, help="For own file: any of torchvision."),
    ] = Path(),
    threshold: Annotated[float, Slider(0.05, 0.95, step=0.05, help="Drops what is less certain than this.")] = 0.5,
    size: Annotated[
        int, Slider(160, 1600, log=True, unit="px", help="Shorter side that is worked on; smaller is quicker.")
    ] = 800,
    most: Annotated[int, Slider(1, 100, log=True, help="No more objects than this.", advanced=True)] = 50,
) -> Found:
    """Find people, animals, vehicles, furniture and other things, each with its outline.

    Knows the 80 kinds of the COCO data set. Link the objects into Pick an object to cut one out by its name ("chair"),
    by a click or by a rectangle; for a sharper outline link what it chose on into Segment anything. A network that was
    trained on other kinds is taken from a file, whose kinds are numbered.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    path = _file(model, file)
    gigabytes = path.stat().st_size / 1e9
    where = place(run, gigabytes, WORK_GB, half=False)
    run.log.info(where.words)
    name = f"mask-rcnn {digest_of(path)} {where.key}"
    with run.models.use(name, partial(load, path, where.device), gigabytes, run.check) as detector:
        run.progress(0.2, "looking")
        found = find(detector, opaque(image), size, threshold, lambda done: run.progress(done, "looking"))
    run.progress(0.9, "drawing")
    names = coco_91() if detector.kinds == len(coco_91()) else ()
    labels = tuple(names[kind] if kind < len(names) and names[kind] else f"kind {kind}" for kind in found.kinds)
    masks = paste(found.shapes[:most], found.boxes[:most], mask_size(image.size))
    every = Detections(found.boxes[:most], found.scores[:most], labels[:most], masks, image.size)
    objects = every.only(np.flatnonzero(masks.any(axis=(1, 2))))
    return Found(objects, drawn_on(image, objects))


def _file(model: Model, file: Path) -> Path:
    if model != "own file":
        card = next(card for card in cards.INSTANCES if card.role == model)
        return path_of(card, card.files[0].name)
    if file == Path():
        raise BadInput("No model file is chosen.", "Choose one, or another model.")
    return file
