"""A picture made anew after words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from app.engine import Controls, Image, Pictures, Run, Slider, node
from nodes.generate._diffusion import cards
from nodes.generate._diffusion import params as p
from nodes.generate._diffusion.frame import padded, scaled
from nodes.generate._diffusion.job import Job, images_of, pictures_of
from nodes.generate._diffusion.made import Made


@node(
    "generate.picture_to_picture",
    title="Picture to picture",
    licence="Apache-2.0",
    models=cards.CARDS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=4.0,
    cheaper={"at_once": 1},
)
def picture_to_picture(
    run: Run,
    image: Image,
    controls: Controls | None = None,
    model: p.Model = "SD 1.5",
    folder: p.ModelFolder = Path(),
    file: p.ModelFile = Path(),
    prompt: p.Prompt = "a wooden chair, studio photograph, plain white background",
    negative: p.Negative = "",
    strength: p.Strength = 0.6,
    longest: Annotated[
        int, Slider(0, 2048, step=8, unit="px", help="The longer side is scaled to this. 0: as the picture is.")
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
    """Make a picture anew after words, more or less close to what it was.

    Of the steps, only the share that the strength says is taken. Transparency is lost: what is clear takes the colours
    around it. At strength 0 the picture only goes through the model's encoder and decoder.
    """
    run.progress(0, "loading")
    settings = p.Settings(
        model, folder, file, prompt, negative, seed, count, at_once, steps, guidance, scheduler, few_steps, lora,
        lora_strength, preview, safety, half, predicts,
    )  # fmt: skip
    colours = scaled(image, longest)
    height, width = colours.shape[:2]
    start = padded(colours)
    made = pictures_of(run, settings, Job("picture", start.shape[1::-1], start, strength=strength), controls)
    pictures = images_of([part[:height, :width] for part in made])
    return Made(pictures[0], Pictures(pictures))
