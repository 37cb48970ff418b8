"""From settings to pictures: the parts from the pool, a pipeline over them, and one call for each picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Controls, Image, Placement, Run
from nodes.generate._diffusion import cards
from nodes.generate._diffusion.codec import Codec
from nodes.generate._diffusion.facts import GRID, TOKENS
from nodes.generate._diffusion.lora import applied
from nodes.generate._diffusion.net_cards import MODES, UNION
from nodes.generate._diffusion.nets import check_fits, nets_of
from nodes.generate._diffusion.params import Settings
from nodes.generate._diffusion.pipelines import Task, pipeline, placed
from nodes.generate._diffusion.preview import Preview, preview_of
from nodes.generate._diffusion.recipe import Parts
from nodes.generate._diffusion.safety import check_there, checked
from nodes.generate._diffusion.schedulers import chosen, scheduler, watch
from nodes.generate._diffusion.source import LOADING, Source, lora_of, parts_of, source_of
from nodes.image._pixels import resample
from nodes.io._model_credits import credit_model

Float32 = NDArray[np.float32]
DECODING = 0.97
WORK_GB = 2.2


@dataclass(frozen=True)
class Job:
    """``size``: (width, height), multiples of eight. ``picture``: (H, W, 3) of 0..1 or latents (h, w, 4), and ``mask``:
    (H, W) of 0 and 1, 1 where the picture is made anew, for the tasks that have them. ``more_gb``: memory that the job
    needs besides.
    """

    task: Task
    size: tuple[int, int]
    picture: Float32 | None = None
    mask: Float32 | None = None
    strength: float = 1.0
    more_gb: float = 0.0


@contextmanager
def plain(run: Run, source: Source, parts: Parts, where: Placement, job: Job) -> Iterator[tuple[Parts, Codec, Job]]:
    """A model as it is. Other methods change a copy of its parts, its codec and the job in a function like this one."""
    yield parts, Codec(parts.vae, where), job


Method = Callable[[Run, Source, Parts, Placement, Job], AbstractContextManager[tuple[Parts, Codec, Job]]]


def pictures_of(
    run: Run, settings: Settings, job: Job, controls: Controls | None, method: Method = plain
) -> list[Float32]:
    """``count`` pictures (H, W, 3) of 0..1. Picture number i is the one that seed + i alone gives."""
    source = source_of(settings.model, settings.folder, settings.file, settings.predicts)
    if settings.safety:
        check_there(source)
    loras = _loras(settings)
    own = {"own folder": settings.folder, "own file": settings.file}.get(settings.model, Path())
    for path in (own, settings.lora if settings.lora_strength else Path()):
        credit_model(run, path)
    work = WORK_GB * (job.size[0] * job.size[1] / 512**2) * settings.at_once + job.more_gb
    with ExitStack() as held:
        parts, where = held.enter_context(parts_of(run, source, settings.half, work))
        check_parts(parts, settings, job)
        nets = held.enter_context(nets_of(run, controls, where))
        check_fits(controls, nets, parts.unet)
        shown = held.enter_context(preview_of(run, settings.preview, parts.family, where.device, where.dtype))
        parts, codec, job = held.enter_context(method(run, source, parts, where, job))
        name = chosen(settings.scheduler, settings.few_steps != "off", parts.scheduler)
        steps = scheduler(name, parts.scheduler)
        pipe = pipeline(job.task, parts, steps, codec, nets)
        _warn_of_length(run, settings.prompt, parts.tokenizers[0])
        held.enter_context(applied(pipe, loras, run.warn))
        held.enter_context(placed(pipe, where))
        made = _all(run, settings, job, _call(pipe, settings, job, controls), codec, steps, shown)
    return checked(run, source, made) if settings.safety else made


def check_parts(parts: Parts, settings: Settings, job: Job) -> None:
    """Raise :class:`BadInput` where the model cannot do this job."""
    if parts.unet.config.in_channels == 9 and job.task != "inpaint":
        raise BadInput("This model is made for inpainting only.", "Use it in the node Inpaint, or another model here.")
    wanted = settings.few_steps.removeprefix("LCM ")
    if wanted != "off" and wanted != parts.family:
        raise BadInput(
            f"The LCM-LoRA is for {wanted} and the model is {parts.family}.", "Choose the other one, or off."
        )


def _loras(settings: Settings) -> list[tuple[Path, float]]:
    found = [(lora_of(card), 1.0) for card in cards.FEW_STEPS if card.role == settings.few_steps]
    return found if settings.lora == Path() else [*found, (settings.lora, settings.lora_strength)]


def _call(pipe: Any, settings: Settings, job: Job, controls: Controls | None) -> Callable[..., Any]:
    """The pipeline with everything but seeds: ``call(generators, callback)`` gives latents."""
    given: dict[str, Any] = {
        "prompt": settings.prompt,
        "negative_prompt": settings.negative or None,
        "num_inference_steps": settings.steps,
        "guidance_scale": settings.guidance,
        "output_type": "latent",
    }
    if job.picture is not None:
        given |= {"image": _planes(job.picture), "strength": job.strength}
    if job.mask is not None:
        given["mask_image"] = _planes(job.mask[..., None])
    if job.task != "picture":
        given |= {"width": job.size[0], "height": job.size[1]}
    if controls is not None:
        given |= _guided(controls, job)

    def call(generators: list[Any], seen: Callable[..., Any]) -> Any:
        return pipe(
            **given, generator=generators, num_images_per_prompt=len(generators), callback_on_step_end=seen
        ).images

    return call


def _guided(controls: Controls, job: Job) -> dict[str, Any]:
    """Maps at the size of the picture, with their strengths and ranges; one map goes without its list."""
    maps = [_planes(resample(np.ascontiguousarray(image.rgb), job.size, "area")) for image in controls.maps]
    lists = (
        maps,
        [float(s) for s in controls.strengths],
        *([float(v) for v in column] for column in controls.ranges.T),
    )
    union = controls.nets[0].startswith(UNION)
    image = "image" if job.task == "text" and not union else "control_image"
    names = (image, "controlnet_conditioning_scale", "control_guidance_start", "control_guidance_end")
    single = len(maps) == 1
    given: dict[str, Any] = {n: values[0] if single else values for n, values in zip(names, lists, strict=True)}
    if union:
        modes = [MODES[net.removeprefix(UNION).strip()] for net in controls.nets]
        given |= {"control_image": maps, "control_mode": modes}
    return given


def _planes(pixels: Float32) -> Any:
    """(H, W, C) to a tensor (1, C, H, W)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None])


def _all(
    run: Run, settings: Settings, job: Job, call: Callable[..., Any], codec: Codec, steps: Any, shown: Preview | None
) -> list[Float32]:
    """The groups one after the other; noise is drawn on the CPU, so that every device starts from the same."""
    import torch

    taken = min(int(settings.steps * job.strength), settings.steps) if job.picture is not None else settings.steps
    if taken < 1 and job.picture is not None:
        run.warn("No step is left at this strength: the picture only went through the model's encoder and decoder.")
        return [codec.round_trip(job.picture)] * settings.count
    if shown is not None:
        watch(steps, shown.show)
    made: list[Float32] = []
    for first in range(0, settings.count, settings.at_once):
        seeds = [settings.seed + i for i in range(first, min(first + settings.at_once, settings.count))]
        generators = [torch.Generator("cpu").manual_seed(seed % 2**32) for seed in seeds]

        def seen(_: Any, step: int, __: Any, kept: Any, first: int = first, group: int = len(seeds)) -> Any:
            done = (first + group * min((step + 1) / taken, 1)) / settings.count
            run.progress(LOADING + (DECODING - LOADING) * done, f"step {step + 1} of {taken}")
            return kept

        run.progress(LOADING + (DECODING - LOADING) * first / settings.count, "reading the words")
        made += codec.pictures(call(generators, seen))
    run.progress(DECODING, "done")
    return made


def _warn_of_length(run: Run, prompt: str, tokenizer: Any) -> None:
    """The text encoder reads 77 tokens, two of which mark begin and end."""
    found, most = tokenizer.tokenize(prompt), TOKENS - 2
    if len(found) > most:
        rest = shorten("".join(found[most:]).replace("</w>", " "), 120, placeholder=" …")
        run.warn(f"The prompt is {len(found)} tokens long and the model reads {most}. Left out: {rest}")


def grid_size(width: int, height: int) -> tuple[int, int]:
    """The nearest size that the networks can make, not larger: multiples of eight, at least 64."""
    return max(width // GRID * GRID, 64), max(height // GRID * GRID, 64)


def images_of(pictures: list[Float32]) -> tuple[Image, ...]:
    return tuple(Image.of(picture) for picture in pictures)
