"""The named ways to take the steps from noise to picture, over the noise schedule that a model was trained with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal

from nodes.generate._diffusion.facts import Config

Name = Literal["auto", "Euler", "Euler a", "DPM++ 2M Karras", "DPM++ 2M SDE Karras", "DDIM", "UniPC", "LCM"]
LATENT = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
_CLASSES: dict[str, tuple[str, Config]] = {
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "DPM++ 2M Karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "DPM++ 2M SDE Karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    "DDIM": ("DDIMScheduler", {}),
    "UniPC": ("UniPCMultistepScheduler", {}),
    "LCM": ("LCMScheduler", {}),
}


def chosen(name: Name, lcm: bool, trained: Config) -> str:
    """What "auto" stands for: LCM with an LCM-LoRA, Euler a where the model was distilled for it (its steps are then
    spaced from the end), DPM++ 2M Karras otherwise.
    """
    if name != "auto":
        return name
    if lcm:
        return "LCM"
    return "Euler a" if trained.get("timestep_spacing") == "trailing" else "DPM++ 2M Karras"


def scheduler(name: str, trained: Config) -> Any:
    """A fresh scheduler. ``trained``: the configuration that came with the model.

    What it leaves open is as latent models need it, not as the library's defaults for pixels are.
    """
    import diffusers

    kind, options = _CLASSES[name]
    made = getattr(diffusers, kind)
    known = inspect.signature(made.__init__).parameters
    given = {key: value for key, value in {**LATENT, **trained, **options}.items() if key in known}
    return made(**given)


def watch(steps: Any, seen: Callable[[Any], None]) -> None:
    """Have ``seen`` called at every step with what the finished latents would be, as far as is known by then.

    Every scheduler of the list computes that estimate: some return it beside the next sample, the multistep ones keep
    it as their last model output.
    """
    plain = steps.step

    @functools.wraps(plain)
    def step(*arguments: Any, **options: Any) -> Any:
        result = plain(*arguments, **options)
        if isinstance(result, tuple) and len(result) > 1:
            seen(result[1])
        elif getattr(steps, "model_outputs", None):
            seen(steps.model_outputs[-1])
        return result

    steps.step = step
