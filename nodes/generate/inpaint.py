"""Part of a picture made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Controls, Image, Mask, Pictures, Run, Slider, node
from nodes.generate._diffusion import cards
from nodes.generate._diffusion import params as p
from nodes.generate._diffusion.frame import Window, blocks, padded, solid, window_around
from nodes.generate._diffusion.job import Job, pictures_of
from nodes.generate._diffusion.made import Made
from nodes.generate._diffusion.source import source_of
from nodes.image._pixels import check_finite, fitted_mask, resample

Float32 = NDArray[np.float32]


@node(
    "generate.inpaint",
    title="Inpaint",
    licence="Apache-2.0",
    models=cards.CARDS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=4.0,
    cheaper={"at_once": 1},
)
def inpaint(
    run: Run,
    image: Image,
    mask: Mask,
    controls: Controls | None = None,
    model: p.Model = "SD 1.5",
    folder: p.ModelFolder = Path(),
    file: p.ModelFile = Path(),
    prompt: p.Prompt = "plain white wall",
    negative: p.Negative = "",
    strength: p.Strength = 1.0,
    around: Annotated[
        int,
        Slider(0, 1024, unit="px", help="Work only on the mask and this much around it, enlarged. 0: whole picture."),
    ] = 0,
    count: p.Count = 1,
    seed: p.Picture = 0,
    steps: p.Steps = 25,
    guidance: p.Guidance = 7.0,
    scheduler: p.Scheduler = "auto",
    few_steps: p.FewSteps = "off",
    lora: p.Lora = Path(),
    lora_strength: p.LoraStrength = 1.0,
    at_once: p.AtOnce = 1,
    preview: p.Preview = "auto",
    safety: p.Safety = False,
    half: p.Half = True,
    predicts: p.Predicts = "as it says",
) -> Made:
    """Make the masked part of a picture anew after words; every pixel outside the mask stays exactly as it is.

    A soft mask blends. Models made for inpainting (own folder or file) fit the new part best; every other model works
    too. What is masked becomes opaque by as much as the mask says.
    """
    run.progress(0, "loading")
    settings = p.Settings(
        model, folder, file, prompt, negative, seed, count, at_once, steps, guidance, scheduler, few_steps, lora,
        lora_strength, preview, safety, half, predicts,
    )  # fmt: skip
    check_finite(mask.values, "The mask")
    values = np.clip(fitted_mask(mask, image.size), 0, 1)
    if float(values.max()) <= 0:
        raise BadInput("The mask is empty.", "Mark what is to be made anew.")
    whole = solid(image)
    view = _view(values, around, source_of(model, folder, file).edge if around else 0)
    start, part = padded(view.cut(whole)), blocks(padded(view.cut(values)))
    job = Job("inpaint", start.shape[1::-1], start, part, strength)
    made = pictures_of(run, settings, job, _seen(controls, view, image))
    wide, high = view.size
    pictures = tuple(_laid(image, view.back(whole, new[:high, :wide]), values) for new in made)
    return Made(pictures[0], Pictures(pictures))


def _view(values: Float32, around: int, edge: int) -> Window:
    if around:
        return window_around(values, around, edge)
    height, width = values.shape
    if min(height, width) < 64:
        raise BadInput(f"A picture of {width} x {height} pixels is too small to work on.", "Enlarge it first.")
    return Window((0, 0, width, height), (width, height))


def _seen(controls: Controls | None, view: Window, image: Image) -> Controls | None:
    """The same part of the maps, where only a part of the picture is worked on."""
    if controls is None or view.size == image.size:
        return controls
    whole = [resample(np.ascontiguousarray(m.pixels), image.size, "area") for m in controls.maps]
    return replace(controls, maps=tuple(Image(view.cut(pixels)) for pixels in whole))


def _laid(image: Image, new: Float32, values: Float32) -> Image:
    """New colours over the picture by the mask; where it is 0, every value stays bit for bit."""
    share = values[..., None]
    mixed = image.rgb * (1 - share) + new * share
    pixels = np.concatenate([mixed, np.maximum(image.alpha, values)[..., None]], axis=-1)
    return Image(np.where(share > 0, np.clip(pixels, 0, 1), image.pixels).astype(np.float32), image.space)
