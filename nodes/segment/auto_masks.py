"""Every part of a picture, without any mark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from app.engine import BadInput, Detections, Folder, Image, OpenFile, Run, Setting, Slider, node
from app.engine.payloads import UInt8
from nodes.image._pixels import Float32, check_finite, fit_within
from nodes.segment._boxes import box_of, mask_size, suppress
from nodes.segment._drawing import label_picture
from nodes.segment._models import cards
from nodes.segment._models.loading import FILE_HELP, FOLDER_HELP, MODEL_HELP, Model, embedded, loaded
from nodes.segment._models.segmenter import Segmenter

BATCH, LEAST, WORK_SIDE, OFFSET = 32, 8, 256, 1.0


class Parts(NamedTuple):
    """``picture``: every part in a colour of its own, on black. ``parts``: their masks, the surest first."""

    picture: Image
    parts: Detections


@node(
    "segment.auto_masks",
    title="Find all parts",
    licence="Apache-2.0",
    models=cards.SEGMENTERS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
    cheaper={"points": 8},
)
def auto_masks(
    run: Run,
    image: Image,
    points: Annotated[
        int, Slider(2, 64, log=True, help="Asked at so many places across and down; more find smaller parts.")
    ] = 16,
    quality: Annotated[float, Slider(0, 1, step=0.01, help="Drops what the network itself thinks less of.")] = 0.88,
    stability: Annotated[
        float, Slider(0, 1, step=0.01, help="Drops masks whose outline is vague.", advanced=True)
    ] = 0.92,
    overlap: Annotated[
        float, Slider(0.1, 1, step=0.05, help="Of masks whose boxes share more, the best stays.", advanced=True)
    ] = 0.7,
    smallest: Annotated[float, Slider(0, 20, step=0.05, unit="%", help="Smallest area, of the picture's.")] = 0.1,
    model: Annotated[Model, Setting(help=MODEL_HELP)] = "mobile-sam",
    file: Annotated[Path, OpenFile(suffixes=(".pt", ".pth", ".safetensors"), optional=True, help=FILE_HELP)] = Path(),
    folder: Annotated[Path, Folder(optional=True, help=FOLDER_HELP)] = Path(),
) -> Parts:
    """Divide a picture into all its things and their parts.

    Segment anything is asked at a grid of points; of what it answers, sure and sharply bounded masks are kept, and of
    several that mean the same the best one (as the project's own generator does, Kirillov et al. 2023). Link the parts
    to Pick an object and click on one, or use the coloured picture as it is.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    with loaded(run, model, file, folder) as (network, name):
        run.progress(0.05, "looking at the picture")
        with embedded(run, network, name, image) as embedding:
            least = max(smallest / 100, 1e-9)
            found = list(_answers(run, network, embedding, image.size, points, (quality, stability, least)))
    parts = _distinct(found, overlap, image.size)
    picture = label_picture(parts.masks.astype(np.float32), image.size) if parts.masks is not None else None
    return Parts(picture or Image.of(np.zeros((image.size[1], image.size[0], 3), np.float32)), parts)


def grid(count: int) -> Float32:
    """(count * count, 2) in 0..1, row by row: the middles of a grid of equal cells."""
    at = (np.arange(count, dtype=np.float32) + np.float32(0.5)) / np.float32(count)
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


def stability_of(logits: Any) -> Any:
    """(...,) of (..., H, W): how much of the mask is left when its threshold is raised, as IoU of the two."""
    narrow = (logits > OFFSET).sum(dim=(-1, -2))
    wide = (logits > -OFFSET).sum(dim=(-1, -2))
    return narrow / wide.clamp(min=1)


def _answers(
    run: Run, network: Segmenter, embedding: Any, size: tuple[int, int], points: int, limits: tuple[float, float, float]
) -> Iterator[tuple[Float32, float, UInt8]]:
    """(box, score, mask in bits) of each answer that passes the limits on quality, stability and area."""
    frame, places = network.frame(size), grid(points)
    small = fit_within(size, WORK_SIDE)
    for start in range(0, len(places), BATCH):
        run.progress(0.3 + 0.6 * start / len(places), "asking")
        some = frame.points(places[start : start + BATCH].astype(np.float64))[:, None]
        logits, scores = network.decode(embedding, points=some, labels=np.ones(some.shape[:2], np.int64))
        seen = frame.picture(logits, small)
        steady = stability_of(seen).cpu().numpy()
        shares = (seen > 0).float().mean(dim=(-1, -2)).cpu().numpy()
        quality, stability, least = limits
        good = (scores >= quality) & (steady >= stability) & (shares >= least)
        for prompt, number in np.argwhere(good):
            fine = frame.picture(logits[prompt : prompt + 1, number : number + 1], mask_size(size))[0, 0] > 0
            mask = fine.cpu().numpy()
            if mask.any():
                yield box_of(mask), float(min(scores[prompt, number], 1.0)), np.packbits(mask)


def _distinct(found: list[tuple[Float32, float, UInt8]], overlap: float, size: tuple[int, int]) -> Detections:
    if not found:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), None, size)
    boxes, scores = np.stack([box for box, _, _ in found]), np.array([score for _, score, _ in found], np.float32)
    kept = suppress(boxes, scores, overlap)
    width, height = mask_size(size)
    masks = np.stack([np.unpackbits(found[i][2], count=width * height).reshape(height, width) for i in kept])
    labels = tuple(f"part {number + 1}" for number in range(len(kept)))
    return Detections(boxes[kept], scores[kept], labels, masks, size)
