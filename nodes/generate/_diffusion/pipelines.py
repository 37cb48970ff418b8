"""Pipelines of the diffusers library over shared parts: nothing is loaded here and nothing copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from app.engine import Placement
from nodes.generate._diffusion.codec import Codec
from nodes.generate._diffusion.nets import is_union
from nodes.generate._diffusion.noise import draw_in_full_precision
from nodes.generate._diffusion.recipe import Parts

Task = Literal["text", "picture", "inpaint"]
_CLASSES: dict[tuple[bool, bool, Task], str] = {
    (False, False, "text"): "StableDiffusionPipeline",
    (False, False, "picture"): "StableDiffusionImg2ImgPipeline",
    (False, False, "inpaint"): "StableDiffusionInpaintPipeline",
    (False, True, "text"): "StableDiffusionControlNetPipeline",
    (False, True, "picture"): "StableDiffusionControlNetImg2ImgPipeline",
    (False, True, "inpaint"): "StableDiffusionControlNetInpaintPipeline",
    (True, False, "text"): "StableDiffusionXLPipeline",
    (True, False, "picture"): "StableDiffusionXLImg2ImgPipeline",
    (True, False, "inpaint"): "StableDiffusionXLInpaintPipeline",
    (True, True, "text"): "StableDiffusionXLControlNetPipeline",
    (True, True, "picture"): "StableDiffusionXLControlNetImg2ImgPipeline",
    (True, True, "inpaint"): "StableDiffusionXLControlNetInpaintPipeline",
}

_UNION: dict[Task, str] = {
    "text": "StableDiffusionXLControlNetUnionPipeline",
    "picture": "StableDiffusionXLControlNetUnionImg2ImgPipeline",
    "inpaint": "StableDiffusionXLControlNetUnionInpaintPipeline",
}


def pipeline(task: Task, parts: Parts, steps: Any, codec: Codec, nets: tuple[Any, ...] = ()) -> Any:
    """A pipeline for one call. ``steps``: a fresh scheduler; ``nets``: ControlNets, in the order of their maps."""
    import diffusers

    draw_in_full_precision()
    large = parts.family == "SDXL"
    union = bool(nets) and is_union(nets[0])
    made = getattr(diffusers, _UNION[task] if union else _CLASSES[large, bool(nets), task])
    given: dict[str, Any] = {
        "vae": codec,
        "text_encoder": parts.texts[0],
        "tokenizer": parts.tokenizers[0],
        "unet": parts.unet,
        "scheduler": steps,
    }
    if large:
        given |= {"text_encoder_2": parts.texts[1], "tokenizer_2": parts.tokenizers[1], "add_watermarker": False}
    else:
        given |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    if nets:
        given["controlnet"] = nets[0] if len(nets) == 1 else list(nets)
    pipe = made(**given)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@contextmanager
def placed(pipe: Any, placement: Placement) -> Iterator[None]:
    """The pipeline's networks where they compute; those that wait in main memory are there again afterwards."""
    if placement.slicing:
        pipe.enable_attention_slicing()
    if placement.offload:
        pipe.enable_model_cpu_offload(device=placement.device)
    try:
        yield
    finally:
        if placement.offload:
            pipe.remove_all_hooks()
            for net in pipe.components.values():
                if callable(getattr(net, "parameters", None)):
                    net.to("cpu")
        if placement.slicing:
            pipe.disable_attention_slicing()
