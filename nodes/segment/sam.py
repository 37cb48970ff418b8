"""One object by clicks, a rectangle, strokes, a rough mask, or detections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from app.engine import (
    BadInput,
    Detections,
    Folder,
    Image,
    Mask,
    Number,
    OpenFile,
    Rect,
    Rectangle,
    Run,
    Setting,
    Slider,
    Stroke,
    Strokes,
    node,
)
from nodes.image._pixels import Float32, check_finite
from nodes.segment._boxes import as_bits, box_of, mask_size
from nodes.segment._clean import without_specks
from nodes.segment._finish import finished, solved
from nodes.segment._models import cards
from nodes.segment._models.loading import FILE_HELP, FOLDER_HELP, MODEL_HELP, Model, embedded, loaded
from nodes.segment._models.segmenter import Frame, Segmenter
from nodes.segment._prompts import Prompt, logits_of, prompts_of, standing_out

Part = Literal["auto", "whole", "part", "detail"]
ORDER = ("whole", "part", "detail")
LEAST, SPECK = 8, 0.0005


class Segmented(NamedTuple):
    """``image``: the object with straight alpha. ``mask``: that alpha. ``score``: how sure the network is, 0..1.

    ``candidates``: the three masks that it offers, named whole, part and detail.
    """

    image: Image
    mask: Mask
    score: Number
    candidates: Detections


@node(
    "segment.sam",
    title="Segment anything",
    licence="Apache-2.0",
    models=cards.SEGMENTERS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
)
def sam(
    run: Run,
    image: Image,
    hint: Mask | None = None,
    objects: Detections | None = None,
    rectangle: Annotated[Rect | None, Rectangle(help="Drawn around the object.")] = None,
    strokes: Annotated[tuple[Stroke, ...], Strokes(help="Click or paint what belongs to it, and what does not.")] = (),
    part: Annotated[
        Part, Setting(help="A click may mean a wheel or the car: auto takes the surest, the others the size you want.")
    ] = "auto",
    model: Annotated[Model, Setting(help=MODEL_HELP)] = "mobile-sam",
    file: Annotated[Path, OpenFile(suffixes=(".pt", ".pth", ".safetensors"), optional=True, help=FILE_HELP)] = Path(),
    folder: Annotated[Path, Folder(optional=True, help=FOLDER_HELP)] = Path(),
    edge: Annotated[
        float, Slider(0, 5, unit="%", help="Reach of the soft edge, solved pixel by pixel; 0: the network's own edge.")
    ] = 0.8,
    feather: Annotated[float, Slider(0, 128, unit="px", help="Softens the finished edge.")] = 0.0,
) -> Segmented:
    """Cut out what you point at, with a network that knows the outlines of things.

    Click on the object, paint on it, draw a rectangle around it, link a rough mask, or link objects: those of Detect
    objects, or the one that Pick an object chose by its name ("chair"). Several objects are cut out together. Without
    any mark, it takes what stands out from the picture's border. A second mark on the same picture is quick, because
    the picture is looked at once. Without model files, Cut out does the same with less.
    """
    run.progress(0, "loading the network")
    check_finite(image.pixels)
    if min(image.size) < LEAST:
        raise BadInput(f"The picture has {image.size[0]} x {image.size[1]} pixels.", "Use a larger picture.")
    with loaded(run, model, file, folder) as (network, name):
        prompts = prompts_of(image, hint, objects, rectangle, strokes) or [standing_out(run, image, strokes)]
        run.progress(0.1, "looking at the picture")
        with embedded(run, network, name, image) as embedding:
            answers = []
            for number, prompt in enumerate(prompts):
                run.progress(0.5 + 0.2 * number / len(prompts), "outlining")
                answers.append(answer(network, embedding, prompt, image.size, part))
    logits = np.maximum.reduce([logits for logits, _, _ in answers])
    score = float(np.mean([score for _, score, _ in answers]))
    return _finished(run, image, logits, score, _merged(answers, image.size), edge, feather)


def answer(
    network: Segmenter, embedding: Any, prompt: Prompt, size: tuple[int, int], part: Part
) -> tuple[Float32, float, tuple[Float32, Float32]]:
    """(logits (H, W) at the picture's size, score, (three masks (3, h, w) of 0 or 1 from whole to detail, scores))."""
    frame = network.frame(size)
    given = _given(network, frame, prompt)
    several, scores = network.decode(embedding, **given)
    masks = (frame.picture(several, mask_size(size))[0] > 0).float().cpu().numpy()
    by_size = np.argsort(-masks.reshape(len(masks), -1).sum(axis=1), kind="stable")
    if part == "auto" and prompt.definite:
        chosen, single = network.decode(embedding, **given, several=False)
        sure = float(single[0, 0])
    else:
        number = scores[0].argmax() if part == "auto" else by_size[min(ORDER.index(part), len(by_size) - 1)]
        chosen, sure = several[:, number : number + 1], float(scores[0, number])
    logits = frame.picture(chosen, size)[0, 0].cpu().numpy()
    return logits, min(max(sure, 0.0), 1.0), (masks[by_size], scores[0][by_size])


def _given(network: Segmenter, frame: Frame, prompt: Prompt) -> dict[str, Any]:
    hint = None
    if prompt.hint is not None:
        hint = frame.square(logits_of(prompt.hint), network.hint_side, -10.0)
    return {
        "points": frame.points(prompt.points)[None] if len(prompt.points) else None,
        "labels": prompt.inside.astype(np.int64)[None] if len(prompt.points) else None,
        "boxes": None if prompt.box is None else frame.points(prompt.box.reshape(2, 2)).reshape(1, 4),
        "hint": hint,
    }


def _merged(answers: list[tuple[Float32, float, tuple[Float32, Float32]]], size: tuple[int, int]) -> Detections:
    masks = np.maximum.reduce([masks for _, _, (masks, _) in answers]) > 0
    scores = np.mean([scores for _, _, (_, scores) in answers], axis=0)
    boxes = np.stack([box_of(mask) for mask in masks])
    return Detections(boxes, np.clip(scores, 0, 1).astype(np.float32), ORDER[: len(masks)], as_bits(masks), size)


def _finished(
    run: Run, image: Image, logits: Float32, score: float, candidates: Detections, edge: float, feather: float
) -> Segmented:
    region = without_specks(logits > 0, max(1, int(SPECK * float((logits > 0).sum()))))
    if not region.any():
        raise BadInput("The network found nothing there.", "Mark another place, or choose another part or model.")
    alpha, colours = region.astype(np.float32), image.rgb
    if edge:
        run.progress(0.75, "refining the edge")
        soft = np.where(region, np.maximum(_opacity(logits), 0.51), np.minimum(_opacity(logits), 0.49))
        colours, alpha = solved(np.ascontiguousarray(image.rgb), soft, edge / 100 * max(image.size))
    return Segmented(*finished(image, colours, alpha * image.alpha, feather), Number(score), candidates)


def _opacity(logits: Float32) -> Float32:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
