"""The safety checker that some model folders bring along: it names pictures to black out. Off unless asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, BadInput, Run
from nodes.generate._diffusion.source import Source, folder_digest

Float32 = NDArray[np.float32]
NEEDED = ("safety_checker", "feature_extractor")


def check_there(source: Source) -> None:
    """Raise :class:`BadInput` where a checker is asked for and the model has none."""
    if not all((source.place / name).is_dir() for name in NEEDED):
        raise BadInput(
            "This model brings no safety checker.",
            "Choose an own folder that holds safety_checker and feature_extractor, or switch the check off.",
        )


def checked(run: Run, source: Source, pictures: list[Float32]) -> list[Float32]:
    """(H, W, 3) pictures of 0..1; those that the checker objects to come back black, and the node says so."""
    import torch

    run.check()
    name = f"safety {folder_digest(source.place, NEEDED)} cpu"
    with run.models.use(name, lambda: _load(source.place), 1.3, run.check) as (checker, extractor):
        whole = [(picture * 255).round().astype(np.uint8) for picture in pictures]
        seen = extractor(images=whole, return_tensors="pt").pixel_values
        with torch.inference_mode():
            done, flagged = checker(clip_input=seen, images=np.stack(pictures))
    if any(flagged):
        run.warn(f"The safety checker of the model blacked out {sum(map(bool, flagged))} of {len(pictures)} pictures.")
    return [np.ascontiguousarray(picture, np.float32) for picture in done]


def _load(place: Path) -> tuple[Any, Any]:
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPImageProcessor

    checker, extractor = (str(place / name) for name in NEEDED)
    try:
        made = StableDiffusionSafetyChecker.from_pretrained(checker, local_files_only=True)
        return made.eval(), CLIPImageProcessor.from_pretrained(extractor, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise BadFile(f"The safety checker in {place.name} cannot be read.", "Fetch the model again.") from error
