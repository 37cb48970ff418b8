"""What is where in a picture, in the colours that the segmentation ControlNets expect."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from app.engine import BadInput, Folder, Image, Report, Run, Setting, node, place
from nodes.control import _cards as cards
from nodes.control._ade20k import NAMES, palette
from nodes.control._lines import Float32, on_white
from nodes.control._skeleton import Array
from nodes.depth._pretrained import Network, folder_of, gigabytes, key_of, open_network
from nodes.image._pixels import check_finite

Model = Literal["upernet-convnext-small", "own folder", "label picture"]
KINDS = {
    "upernet": "UperNetForSemanticSegmentation",
    "dpt": "DPTForSemanticSegmentation",
    "beit": "BeitForSemanticSegmentation",
    "segformer": "SegformerForSemanticSegmentation",
}
SPARE = ("*.num_batches_tracked", "neck.fusion_stage.layers.0.residual_layer1.*")
WORK_GB = 1.5


class Segmented(NamedTuple):
    """``map``: ADE20K colours. ``labels``: the numbers, 1 to 150, as shades of 255 (0: other). ``found``: a list."""

    map: Image
    labels: Image
    found: Report


@node(
    "control.segmentation",
    title="Segment colours",
    licence="Apache-2.0",
    models=(cards.UPERNET,),
    devices=("cpu", "cuda", "mps"),
    vram_gb=2.0,
)
def segmentation(
    run: Run,
    image: Image,
    model: Annotated[
        Model, Setting(help="Label picture: the picture already holds numbers as shades, as ADE20K files do.")
    ] = "upernet-convnext-small",
    folder: Annotated[
        Path, Folder(optional=True, help="For own folder: a network for the 150 kinds of ADE20K, from transformers.")
    ] = Path(),
) -> Segmented:
    """Give every kind of thing its colour, for the segmentation models of ControlNet.

    The kinds are the 150 of ADE20K: wall, sky, floor, tree, person, chair and so on. A label picture of your own needs
    no network: shade 1 of 255 is the first kind, and 0 is none of them and becomes black.
    """
    run.progress(0, "reading the picture" if model == "label picture" else "loading the network")
    numbers = _numbers(image) if model == "label picture" else _looked(run, image, model, folder)
    run.progress(0.9, "colours")
    colours = np.concatenate([np.zeros((1, 3), np.uint8), palette()])[numbers]
    counts = np.bincount(numbers.ravel(), minlength=len(NAMES) + 1)
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    rows = tuple((("other", *NAMES)[k], f"{100 * counts[k] / numbers.size:.1f} %") for k in order)
    return Segmented(
        Image.of(colours), Image.of(numbers.astype(np.uint8), "data"), Report("Kinds in the picture", rows)
    )


def _numbers(image: Image) -> Array:
    check_finite(image.pixels)
    exact = image.rgb * 255
    numbers = np.rint(exact[..., 0]).astype(np.int64)
    grey = float(np.ptp(exact, axis=-1).max()) < 0.5
    if not grey or np.abs(exact[..., 0] - numbers).max() > 0.25 or numbers.min() < 0 or numbers.max() > len(NAMES):
        raise BadInput(
            "This is no label picture: its shades are not whole numbers from 0 to 150.",
            "Choose a network, or give a grey picture whose shades (of 255) are the numbers of kinds.",
        )
    return numbers


def _looked(run: Run, image: Image, model: str, folder: Path) -> Array:
    rgb = on_white(image)
    source = folder_of(model, (cards.UPERNET,), folder)
    placed = place(run, gigabytes(source), WORK_GB)
    load = partial(open_network, source, KINDS, "SegformerImageProcessor", placed, SPARE)
    with run.models.use(f"kinds {key_of(source)} {placed.key}", load, gigabytes(source), run.check) as network:
        if network.model.config.num_labels != len(NAMES):
            raise BadInput(
                f"The network knows {network.model.config.num_labels} kinds, and not the 150 of ADE20K.",
                "Use one that was trained on ADE20K.",
            )
        run.progress(0.4, "looking")
        return kinds_in(network, rgb) + 1


def kinds_in(network: Network, rgb: Float32) -> Array:
    """(H, W) int64: the most likely kind of each pixel, from 0."""
    import torch

    picture: Any = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    taken = network.processor(picture, do_rescale=False, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        out = network.model(pixel_values=taken.to(network.model.device, network.model.dtype))
        out.logits = out.logits.float()
        found = network.processor.post_process_semantic_segmentation(out, target_sizes=[rgb.shape[:2]])[0]
    return np.asarray(found.cpu().numpy(), np.int64)
