"""Marigold's normals pipeline (Ke et al. 2024) from a folder in the layout of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, Placement
from nodes.depth._pretrained import check_fit, damaged, open_model, read_config
from nodes.generate._diffusion.noise import draw_in_full_precision

Float32 = NDArray[np.float32]
SCHEDULERS = ("DDIMScheduler", "LCMScheduler")
SETTINGS = ("prediction_type", "use_full_z_range", "default_denoising_steps", "default_processing_resolution")
NETWORKS = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
TOKENS = 77
STEM = "diffusion_pytorch_model"


def open_pipeline(folder: Path, place: Placement) -> Any:
    """The diffusers pipeline, offline and strict. Raises :class:`BadFile` in words."""
    import diffusers
    import transformers

    draw_in_full_precision()
    index = read_config(folder / "model_index.json")
    if index.get("_class_name") != "MarigoldNormalsPipeline":
        raise BadFile(f"{folder.name} is no Marigold normals model.", "Choose the folder of one.")
    text = open_model(transformers.CLIPTextModel, folder / "text_encoder", ("*.position_ids",))
    parts = {name: _network(getattr(diffusers, kind), folder / name, place) for name, kind in NETWORKS.items()}
    pipe = diffusers.MarigoldNormalsPipeline(
        **parts, text_encoder=text.to(place.dtype), tokenizer=_tokenizer(folder / "tokenizer"),
        scheduler=_scheduler(folder / "scheduler"), **{name: index.get(name) for name in SETTINGS if name in index},
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    if place.tiling:
        pipe.vae.enable_slicing()
    if place.offload:
        pipe.enable_model_cpu_offload(device=place.device)
    else:
        pipe.to(place.device)
    return pipe


def files_of(folder: Path) -> list[Path]:
    """The files that decide the result. Raises :class:`BadFile` where one is missing."""
    found = []
    for name in ("text_encoder", *NETWORKS):
        names = (STEM, f"{STEM}.fp16") if name in NETWORKS else ("model", "model.fp16")
        file = next((folder / name / f"{n}.safetensors" for n in names if _there(folder / name, n)), None)
        if file is None:
            raise BadFile(f"{folder.name}/{name} holds no weights.", "Choose a Marigold folder with safetensors.")
        found += [folder / name / "config.json", file]
    more = (folder / "model_index.json", folder / "scheduler" / "scheduler_config.json")
    for path in (*found, *more):
        if not path.is_file():
            raise BadFile(f"{folder.name} holds no {path.relative_to(folder).as_posix()}.", "Fetch the model again.")
    return [*found, *more]


def _there(folder: Path, stem: str) -> bool:
    return (folder / f"{stem}.safetensors").is_file()


def _network(kind: Any, folder: Path, place: Placement) -> Any:
    variant = None if _there(folder, STEM) else "fp16"
    try:
        model, told = kind.from_pretrained(
            str(folder), variant=variant, torch_dtype=place.dtype, use_safetensors=True, local_files_only=True,
            output_loading_info=True,
        )  # fmt: skip
    except Exception as error:
        raise damaged(folder, f"{STEM}.safetensors") from error
    check_fit(folder, told)
    return model.eval()


def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    try:
        found = CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:
        raise damaged(folder, "The tokenizer") from error
    found.model_max_length = min(found.model_max_length, TOKENS)
    return found


def _scheduler(folder: Path) -> Any:
    import diffusers

    config = read_config(folder / "scheduler_config.json")
    if config.get("_class_name") not in SCHEDULERS:
        raise BadFile(f"{folder.parent.name} has a scheduler that Marigold does not use.", "Use a published folder.")
    return getattr(diffusers, str(config["_class_name"])).from_config(config)


def predict(
    pipe: Any, rgb: Float32, steps: int, together: int, side: int, seed: int, tell: Callable[[float], None]
) -> Float32:
    """(H, W, 3) unit normals: x right, y up, z to the viewer. ``rgb``: (H, W, 3) sRGB.

    ``together``: predictions of which the middle one is taken. ``side``: pixels of the longer side while it works, 0:
    the picture's own. ``tell``: called with the share done before each look of the network; it may stop the run.
    """
    import torch

    done = 0

    def before(*_: Any) -> None:
        nonlocal done
        tell(done / (steps * together))
        done += 1

    picture = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
    hook = pipe.unet.register_forward_pre_hook(before)
    try:
        out = pipe(
            picture, num_inference_steps=steps, ensemble_size=together, processing_resolution=side,
            generator=torch.Generator("cpu").manual_seed(seed), output_type="np",
        )  # fmt: skip
    finally:
        hook.remove()
        pipe.maybe_free_model_hooks()
    found = np.asarray(out.prediction[0], np.float32)
    length = np.linalg.norm(found, axis=-1, keepdims=True)
    return np.asarray(np.divide(found, length, out=np.zeros_like(found), where=length > 1e-6), np.float32)
