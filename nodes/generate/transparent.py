"""Pictures with their own transparency from words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Controls, Image, OpenFile, Pictures, Run, Setting, Slider, node
from nodes.generate._diffusion import cards
from nodes.generate._diffusion import params as p
from nodes.generate._diffusion.job import Job, images_of, pictures_of
from nodes.generate._diffusion.made import Made
from nodes.generate._layerdiffuse.files import CARD, own, published
from nodes.generate._layerdiffuse.method import MORE_GB, Transparent, laid_on
from nodes.image._pixels import check_finite

GRID = 64
Model = Literal["SDXL", "own folder", "own file"]
Layers = Literal["published", "own files"]
Weights = Annotated[Path, OpenFile(suffixes=p.LIGHT, optional=True, help="For own files.", advanced=True)]
MODELS = (*(card for card in cards.MODELS if card.role == "SDXL"), cards.TOKENIZER, cards.PREVIEWS["SDXL"], CARD)


@node(
    "generate.transparent",
    title="Transparent picture",
    licence="Apache-2.0",
    models=MODELS,
    devices=("cpu", "cuda", "mps"),
    vram_gb=8.0,
    cheaper={"at_once": 1},
)
def transparent(
    run: Run,
    image: Image | None = None,
    controls: Controls | None = None,
    model: Annotated[Model, Setting(help="SDXL, or a model of its family.")] = "SDXL",
    folder: p.ModelFolder = Path(),
    file: p.ModelFile = Path(),
    prompt: p.Prompt = "a wooden chair, high quality",
    negative: p.Negative = "",
    width: Annotated[int, Slider(64, 2048, step=64, unit="px", help="Multiples of 64.")] = 1024,
    height: Annotated[int, Slider(64, 2048, step=64, unit="px", help="Multiples of 64.")] = 1024,
    strength: Annotated[
        float, Slider(0, 1, step=0.01, help="With a picture: 0 keeps it, 1 leaves nothing of it.")
    ] = 0.7,
    count: p.Count = 1,
    seed: p.Picture = 0,
    steps: p.Steps = 25,
    guidance: p.Guidance = 7.0,
    scheduler: p.Scheduler = "auto",
    lora: p.Lora = Path(),
    lora_strength: p.LoraStrength = 1.0,
    careful: Annotated[
        bool, Setting(help="Read the transparency in eight turned passes, not in one: cleaner edges.", advanced=True)
    ] = True,
    layers: Annotated[Layers, Setting(help="Which files make SDXL transparent.", advanced=True)] = "published",
    attention: Weights = Path(),
    decoder: Weights = Path(),
    encoder: Weights = Path(),
    at_once: p.AtOnce = 1,
    preview: p.Preview = "auto",
    half: p.Half = True,
) -> Made:
    """Make pictures of things that are already cut out, glass and hair included, with LayerDiffuse on SDXL.

    Straight alpha: colours reach on under transparency. With a picture linked, that picture is made anew, its own
    transparency included: it is laid on the middle of the size that was asked for. The preview shows colours only.
    """
    run.progress(0, "loading")
    settings = p.Settings(
        model, folder, file, prompt, negative, seed, count, at_once, steps, guidance, scheduler, "off", lora,
        lora_strength, preview, False, half, "as it says",
    )  # fmt: skip
    size = max(width // GRID, 1) * GRID, max(height // GRID, 1) * GRID
    start = None
    if image is not None:
        check_finite(image.pixels)
        start = laid_on(image, size)
    reads = image is not None
    files = published(reads) if layers == "published" else own(attention, decoder, encoder, reads)
    task: Literal["text", "picture"] = "picture" if reads else "text"
    job = Job(task, size, strength=strength, more_gb=MORE_GB / (1 if run.device == "cpu" or not half else 2))
    made = images_of(pictures_of(run, settings, job, controls, Transparent(files, start, careful)))
    return Made(made[0], Pictures(made))
