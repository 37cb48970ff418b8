"""A checkpoint in one file, with the names that the original training code gave its tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from app.engine import BadFile, read_tensors, table
from nodes.generate._diffusion.facts import FAMILIES, Config, FamilyName
from nodes.generate._diffusion.read_folder import tokenizer_in
from nodes.generate._diffusion.recipe import Piece, Recipe
from nodes.generate._diffusion.shapes import text_config, unet_config, vae_config

Tensors = dict[str, Any]
UNET, VAE = "model.diffusion_model.", "first_stage_model."
FIRST = f"{UNET}input_blocks.0.0.weight"
ADVICE = "Choose a checkpoint of SD 1.5, SD 2.1 or SDXL, or the model's folder."
BASE_STEPS = 875_000


def read_file(path: Path, tokenizer: Callable[[], Path], prediction: str = "") -> Recipe:
    """``tokenizer``: gives a folder with vocab.json and merges.txt. ``prediction``: what the network predicts
    (``epsilon`` or ``v_prediction``); empty: as the file or its family says. Raises :class:`BadFile`.
    """
    state = read_tensors(path)
    tensors = table(state, label=path.name)
    name = family_of(tensors, path.name)
    family = FAMILIES[name]
    unet, vae = _under(tensors, UNET), _under(tensors, VAE)
    if not vae:
        raise BadFile(f"{path.name} holds no picture decoder.", ADVICE)
    predicts = prediction or _predicts(state, tensors, family.scheduler["prediction_type"])
    try:
        unet_like, vae_like = unet_config(family.unet, unet), vae_config(family.vae, vae)
        texts = tuple(_text(i, config, tensors, path.name) for i, config in enumerate(family.texts))
    except (KeyError, StopIteration, IndexError) as error:
        raise BadFile(f"{path.name} is cut short: it lacks {error}.", ADVICE) from None
    return Recipe(
        name,
        Piece("UNet2DConditionModel", f"{path.name}, denoising network", unet_like,
              partial(_converted, "convert_ldm_unet_checkpoint", tensors, unet_like)),
        Piece("AutoencoderKL", f"{path.name}, picture decoder", vae_like,
              partial(_converted, "convert_ldm_vae_checkpoint", tensors, vae_like)),
        texts,
        lambda: tuple(tokenizer_in(tokenizer(), pad) for pad in family.pads),
        {**family.scheduler, "prediction_type": predicts},
    )  # fmt: skip


def family_of(tensors: Tensors, label: str) -> FamilyName:
    """By the names of the tensors. Raises :class:`BadFile`, in words, for everything else that such files hold."""

    def has(*starts: str) -> bool:
        return any(key.startswith(starts) for key in tensors)

    if FIRST not in tensors:
        raise BadFile(f"{label} is no Stable Diffusion checkpoint: {_what_else(has)}.", ADVICE)
    channels = int(tensors[FIRST].shape[1])
    if channels not in (4, 9):
        raise BadFile(f"{label} is a special model with {channels} input channels.", ADVICE)
    if has("conditioner.embedders.1."):
        return "SDXL"
    if has("conditioner.embedders.0.model."):
        raise BadFile(f"{label} is the SDXL refiner, which cannot begin a picture.", "Choose the base model.")
    if has("cond_stage_model.model."):
        return "SD 2.1"
    if has("cond_stage_model.transformer."):
        return "SD 1.5"
    raise BadFile(f"{label} holds a denoising network without its text encoder.", ADVICE)


def _what_else(has: Callable[..., bool]) -> str:
    found = (
        (("lora_", "unet.down_blocks", "text_encoder.text_model"), "it looks like a LoRA, which goes beside a model"),
        (("control_model.", "controlnet_", "zero_convs."), "it looks like a ControlNet, which goes into that node"),
        (("down_blocks.", "conv_in."), "it is one part of a model in the layout of diffusers"),
        (("model.diffusion_model.", "double_blocks."), "its network is of another kind"),
    )
    return next((words for starts, words in found if has(*starts)), "it has none of its tensors")


def _predicts(state: Any, tensors: Tensors, usual: str) -> str:
    """Newer files carry an empty tensor as a mark. SD 2 base, which predicts noise, is told by its number of steps."""
    if "v_pred" in tensors:
        return "v_prediction"
    steps = state.get("global_step") if isinstance(state, dict) else None
    return "epsilon" if steps == BASE_STEPS else usual


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _converted(name: str, tensors: Tensors, config: Config) -> Tensors:
    from diffusers.loaders import single_file_utils

    converted: Tensors = getattr(single_file_utils, name)(dict(tensors), config)
    return converted


def _text(index: int, base: Config, tensors: Tensors, label: str) -> Piece:
    """Text encoder number ``index``: CLIP as transformers names it, or OpenCLIP with its fused projections."""
    starts = ("conditioner.embedders.0.transformer.", "cond_stage_model.transformer.")
    opened = ("conditioner.embedders.1.model.", "cond_stage_model.model.")
    clip = next((_under(tensors, start) for start in starts if any(k.startswith(start) for k in tensors)), {})
    prefix = next((start for start in opened if any(k.startswith(start) for k in tensors)), "")
    if index == 0 and clip:
        converted, kind = clip, "CLIPTextModel"
    else:
        second = index == 1
        converted = open_clip(_under(tensors, prefix), last=second)
        kind = "CLIPTextModelWithProjection" if second else "CLIPTextModel"
    return Piece(kind, f"{label}, text encoder", text_config(base, converted), lambda: converted)


_OPEN_NAMES = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_OPEN_LAYER = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
    "attn.out_proj.": "self_attn.out_proj.",
}


def open_clip(tensors: Tensors, last: bool) -> Tensors:
    """OpenCLIP's names to those of transformers. ``last``: keep the last layer and the projection; SD 2 uses neither.

    Query, key and value are one matrix there, stacked in this order.
    """
    blocks = {int(key.split(".")[2]) for key in tensors if key.startswith("transformer.resblocks.")}
    dropped = f"transformer.resblocks.{max(blocks)}." if blocks and not last else "\0"
    found: Tensors = {}
    for key, value in tensors.items():
        if key in _OPEN_NAMES:
            found[_OPEN_NAMES[key]] = value
        elif key == "text_projection" and last:
            found["text_projection.weight"] = value.T.contiguous()
        elif key.startswith("transformer.resblocks.") and not key.startswith(dropped):
            number, _, rest = key.removeprefix("transformer.resblocks.").partition(".")
            found.update(_open_layer(f"encoder.layers.{number}.", rest, value))
    return found


def _open_layer(place: str, rest: str, value: Any) -> Tensors:
    if rest.startswith("attn.in_proj_"):
        end = rest.removeprefix("attn.in_proj_")
        parts = zip("qkv", value.chunk(3), strict=True)
        return {f"{place}self_attn.{letter}_proj.{end}": part.clone() for letter, part in parts}
    for old, new in _OPEN_LAYER.items():
        if rest.startswith(old):
            return {place + new + rest.removeprefix(old): value}
    return {place + rest: value}
