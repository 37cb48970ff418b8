"""Segment anything as nodes use it: chosen, loaded once, and with one embedding for all prompts on a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from app.engine import BadInput, Image, Run, place
from app.engine.codec import digest, encode
from app.engine.weight_files import digest_of, path_of, snapshot_of
from nodes.segment._finish import opaque
from nodes.segment._models import cards, segmenter
from nodes.segment._models.folders import key_of
from nodes.segment._models.segmenter import Segmenter

Model = Literal["mobile-sam", "sam2.1-tiny", "sam2.1-small", "sam-vit-b", "own file", "own folder"]
MODEL_HELP = "mobile-sam: smallest and quickest. sam2.1: more exact. sam-vit-b: the first, slow without a GPU."
FILE_HELP = "For own file: any sam_vit file, or MobileSAM's."
FOLDER_HELP = "For own folder: SAM or SAM 2 with config.json and safetensors."
WORK_GB = 2.0


@contextmanager
def loaded(run: Run, model: Model, file: Path, folder: Path) -> Iterator[tuple[Segmenter, str]]:
    """(the segmenter, text that names its content and place)."""
    path = _source(model, file, folder)
    weights = [path] if path.is_file() else list(path.glob("*.safetensors"))
    gigabytes = sum(weight.stat().st_size for weight in weights) / 1e9
    where = place(run, gigabytes, WORK_GB)
    run.log.info(where.words)
    name = f"sam {digest_of(path) if path.is_file() else key_of(path)} {where.key}"
    load = segmenter.load_file if path.is_file() else segmenter.load_folder
    with run.models.use(name, partial(load, path, where.device, where.half), gigabytes, run.check) as network:
        yield network, name


@contextmanager
def embedded(run: Run, network: Segmenter, name: str, image: Image) -> Iterator[Any]:
    """The picture's embedding; another stroke on the same picture finds it again."""
    key = f"{name} picture {digest(encode(image))}"
    with run.models.use(key, lambda: network.embed(opaque(image)), 0.02, run.check) as embedding:
        yield embedding


def _source(model: Model, file: Path, folder: Path) -> Path:
    if model == "own file":
        if file == Path():
            raise BadInput("No model file is chosen.", "Choose one, or another model.")
        return file
    if model == "own folder":
        if folder == Path():
            raise BadInput("No model folder is chosen.", "Choose one, or another model.")
        return folder
    card = next(card for card in cards.SEGMENTERS if card.role == model)
    return path_of(card, card.files[0].name) if card.url else snapshot_of(card)
