"""Pictures from words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from app.engine import Controls, Pictures, Run, Slider, node
from nodes.generate._diffusion import cards
from nodes.generate._diffusion import params as p
from nodes.generate._diffusion.job import Job, grid_size, images_of, pictures_of
from nodes.generate._diffusion.made import Made


@node(
    "generate.text_to_picture",
    title="Text to picture",
    licence="Apache-2.0",
    models=cards.CARDS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=4.0,
    cheaper={"at_once": 1},
)
def text_to_picture(
    run: Run,
    controls: Controls | None = None,
    model: p.Model = "SD 1.5",
    folder: p.ModelFolder = Path(),
    file: p.ModelFile = Path(),
    prompt: p.Prompt = "a wooden chair, studio photograph, plain white background",
    negative: p.Negative = "",
    width: Annotated[
        int, Slider(64, 2048, step=8, unit="px", help="512 for SD 1.5, 768 for 2.1, 1024 for SDXL.")
    ] = 512,
    height: Annotated[
        int, Slider(64, 2048, step=8, unit="px", help="512 for SD 1.5, 768 for 2.1, 1024 for SDXL.")
    ] = 512,
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
    """Make pictures from words with Stable Diffusion.

    Needs a model; on a CPU a picture takes minutes. Controls guide shape and pose by maps. The same seed gives the
    same picture; the noise is the same on every device.
    """
    run.progress(0, "loading")
    settings = p.Settings(
        model, folder, file, prompt, negative, seed, count, at_once, steps, guidance, scheduler, few_steps, lora,
        lora_strength, preview, safety, half, predicts,
    )  # fmt: skip
    made = images_of(pictures_of(run, settings, Job("text", grid_size(width, height)), controls))
    return Made(made[0], Pictures(made))
