"""Named objects with boxes around them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Detections, Folder, Image, OpenFile, Run, Setting, Slider, node
from app.engine.weight_files import digest_of, path_of, snapshot_of
from nodes.image._pixels import Float32, check_finite
from nodes.segment._boxes import suppress
from nodes.segment._drawing import drawn_on
from nodes.segment._finish import opaque
from nodes.segment._labels import COCO_80
from nodes.segment._models import cards, detr, yolox
from nodes.segment._models.folders import key_of

Model = Literal["yolox-nano", "yolox-tiny", "yolox-s", "rtdetr-r18", "yolos-tiny", "own file", "own folder"]
LEAST = 8


class Detected(NamedTuple):
    """``objects``: what was found, best first. ``picture``: the input with the boxes drawn on it."""

    objects: Detections
    picture: Image


@node(
    "segment.detect",
    title="Detect objects",
    licence="Apache-2.0",
    models=cards.DETECTORS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=1.0,
)
def detect(
    run: Run,
    image: Image,
    model: Annotated[
        Model, Setting(help="yolox-nano: smallest. yolox-s: better. rtdetr-r18: most exact. All run without a GPU.")
    ] = "yolox-s",
    file: Annotated[
        Path, OpenFile(suffixes=(".onnx",), optional=True, help="For own file: a network exported by YOLOX.")
    ] = Path(),
    folder: Annotated[
        Path, Folder(optional=True, help="For own folder: RT-DETR, YOLOS or a relative, as saved by transformers.")
    ] = Path(),
    threshold: Annotated[float, Slider(0.05, 0.95, step=0.05, help="Drops what is less certain than this.")] = 0.35,
    overlap: Annotated[
        float,
        Slider(0.1, 1, step=0.05, help="Of boxes that share more than this, only the best stays.", advanced=True),
    ] = 0.45,
    most: Annotated[int, Slider(1, 300, log=True, help="No more objects than this.", advanced=True)] = 100,
) -> Detected:
    """Find people, animals, vehicles, furniture and other things of daily life, and put a box around each.

    The published networks know the 80 kinds of the COCO data set. Link the objects into Pick an object to cut one out
    by its name ("chair"), and from there into Segment anything for an exact outline. A network of your own is taken
    from a file or a folder.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    rgb = opaque(image)
    if model in ("rtdetr-r18", "yolos-tiny", "own folder"):
        boxes, scores, labels = _by_folder(run, rgb, _folder(model, folder), threshold)
        kept = suppress(boxes, scores, overlap, np.unique(labels, return_inverse=True)[1] if labels else None)
    else:
        boxes, scores, labels = _by_file(run, rgb, _file(model, file), threshold)
        kept = suppress(boxes, scores, overlap)
    run.progress(0.9, "drawing")
    objects = Detections(boxes, scores, labels, size=image.size).only(kept[:most])
    return Detected(objects, drawn_on(image, objects))


def _file(model: Model, file: Path) -> Path:
    if model != "own file":
        card = next(card for card in cards.DETECTORS if card.role == model)
        return path_of(card, card.files[0].name)
    if file == Path():
        raise BadInput("No model file is chosen.", "Choose one, or another model.")
    return file


def _folder(model: Model, folder: Path) -> Path:
    if model != "own folder":
        return snapshot_of(next(card for card in cards.DETECTORS if card.role == model))
    if folder == Path():
        raise BadInput("No model folder is chosen.", "Choose one, or another model.")
    return folder


def _by_file(run: Run, rgb: Float32, path: Path, threshold: float) -> tuple[Float32, Float32, tuple[str, ...]]:
    name = f"detect {digest_of(path)} cpu"
    with run.models.use(name, partial(yolox.load, path), path.stat().st_size * 3 / 1e9, run.check) as network:
        run.progress(0.4, "looking")
        found = yolox.find(network, rgb, threshold)
    labels = tuple(COCO_80[kind] if network.kinds == len(COCO_80) else f"kind {kind}" for kind in found.kinds)
    return found.boxes, found.scores, labels


def _by_folder(run: Run, rgb: Float32, folder: Path, threshold: float) -> tuple[Float32, Float32, tuple[str, ...]]:
    name = f"detect {key_of(folder)} {run.device}"
    gigabytes = sum(path.stat().st_size for path in folder.glob("*.safetensors")) * 2 / 1e9
    with run.models.use(name, partial(detr.load, folder, run.device), gigabytes, run.check) as detector:
        run.progress(0.4, "looking")
        return detr.find(detector, rgb, threshold)
