"""Networks of diffusers written with the tensor names of the original training code, as one-file checkpoints are."""

from __future__ import annotations

import re
from typing import Any

import torch

Tensors = dict[str, torch.Tensor]
_RESNET = {
    "norm1.": "in_layers.0.", "conv1.": "in_layers.2.", "norm2.": "out_layers.0.", "conv2.": "out_layers.3.",
    "time_emb_proj.": "emb_layers.1.", "conv_shortcut.": "skip_connection.",
}  # fmt: skip
_WHOLE = {
    "time_embedding.linear_1.": "time_embed.0.", "time_embedding.linear_2.": "time_embed.2.",
    "conv_in.": "input_blocks.0.0.", "conv_norm_out.": "out.0.", "conv_out.": "out.2.",
    "add_embedding.linear_1.": "label_emb.0.0.", "add_embedding.linear_2.": "label_emb.0.2.",
    "mid_block.attentions.0.": "middle_block.1.", "controlnet_mid_block.": "middle_block_out.0.",
    "controlnet_cond_embedding.conv_in.": "input_hint_block.0.",
    "controlnet_cond_embedding.conv_out.": "input_hint_block.14.",
}  # fmt: skip


def _inner(rest: str) -> str:
    return next((new + rest.removeprefix(old) for old, new in _RESNET.items() if rest.startswith(old)), rest)


def _start(name: str) -> str | None:
    return next((new + name.removeprefix(old) for old, new in _WHOLE.items() if name.startswith(old)), None)


def unet_name(name: str, layers: int, attends: list[bool]) -> str:
    """``layers``: per block; ``attends``: which of the up blocks have attention."""
    if (whole := _start(name)) is not None:
        return whole
    if found := re.match(r"mid_block\.resnets\.(\d)\.(.*)", name):
        return f"middle_block.{int(found[1]) * 2}.{_inner(found[2])}"
    if found := re.match(r"controlnet_down_blocks\.(\d+)\.(.*)", name):
        return f"zero_convs.{found[1]}.0.{found[2]}"
    if found := re.match(r"controlnet_cond_embedding\.blocks\.(\d)\.(.*)", name):
        return f"input_hint_block.{2 * int(found[1]) + 2}.{found[2]}"
    found = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name)
    assert found, name
    way, block, part, number, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    if part == "downsamplers":
        return f"input_blocks.{(block + 1) * (layers + 1)}.0.op.{rest.removeprefix('conv.')}"
    if part == "upsamplers":
        return f"output_blocks.{block * (layers + 1) + layers}.{2 if attends[block] else 1}.{rest}"
    place = block * (layers + 1) + number
    start = f"input_blocks.{place + 1}" if way == "down" else f"output_blocks.{place}"
    return f"{start}.0.{_inner(rest)}" if part == "resnets" else f"{start}.1.{rest}"


_VAE = {
    "mid_block.resnets.0.": "mid.block_1.", "mid_block.resnets.1.": "mid.block_2.",
    "mid_block.attentions.0.": "mid.attn_1.", "conv_norm_out.": "norm_out.", "conv_shortcut.": "nin_shortcut.",
    "downsamplers.0.": "downsample.", "upsamplers.0.": "upsample.", "resnets.": "block.", "down_blocks.": "down.",
    "group_norm.": "norm.", "to_q.": "q.", "to_k.": "k.", "to_v.": "v.", "to_out.0.": "proj_out.",
}  # fmt: skip


def vae_name(name: str, levels: int) -> str:
    name = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}", name)
    for old, new in _VAE.items():
        name = name.replace(old, new)
    return name


def unet_tensors(net: Any) -> Tensors:
    ups = getattr(net.config, "up_block_types", [])
    attends = ["CrossAttn" in kind for kind in ups]
    layers = net.config.layers_per_block
    return {unet_name(key, layers, attends): value for key, value in net.state_dict().items()}


def vae_tensors(net: Any) -> Tensors:
    levels = len(net.config.block_out_channels)
    found = {}
    for key, value in net.state_dict().items():
        maps = ".attentions." in key and value.ndim == 2
        found[vae_name(key, levels)] = value[:, :, None, None] if maps else value
    return found


def clip_tensors(net: Any) -> Tensors:
    return {"text_model." + key.removeprefix("text_model."): value for key, value in net.state_dict().items()}


def open_clip_tensors(net: Any, spare_layer: bool) -> Tensors:
    """``spare_layer``: add a last layer that the model does not use, as the file of SD 2 has."""
    state = {key.removeprefix("text_model."): value for key, value in net.state_dict().items()}
    names = {
        "embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
        "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias",
    }  # fmt: skip
    found = {names[key]: value for key, value in state.items() if key in names}
    if "text_projection.weight" in state:
        found["text_projection"] = state["text_projection.weight"].T.contiguous()
    inner = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    count = net.config.num_hidden_layers
    for i in range(count + spare_layer):
        old, new = f"encoder.layers.{min(i, count - 1)}.", f"transformer.resblocks.{i}."
        for end in ("weight", "bias"):
            for ours, theirs in (*inner.items(), ("self_attn.out_proj", "attn.out_proj")):
                found[f"{new}{theirs}.{end}"] = state[f"{old}{ours}.{end}"].clone()
            fused = [state[f"{old}self_attn.{letter}_proj.{end}"] for letter in "qkv"]
            found[f"{new}attn.in_proj_{end}"] = torch.cat(fused)
    return found | {"logit_scale": torch.tensor(4.6)}


def whole(pipe: Any) -> Tensors:
    """A pipeline as the checkpoint of its family: the denoising network, the picture decoder, the text encoders."""
    found = {f"model.diffusion_model.{key}": value for key, value in unet_tensors(pipe.unet).items()}
    found |= {f"first_stage_model.{key}": value for key, value in vae_tensors(pipe.vae).items()}
    if getattr(pipe, "text_encoder_2", None) is not None:
        first, second = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."
        found |= {first + key: value for key, value in clip_tensors(pipe.text_encoder).items()}
        found |= {second + key: value for key, value in open_clip_tensors(pipe.text_encoder_2, False).items()}
    elif pipe.text_encoder.config.hidden_act == "gelu":
        tensors = open_clip_tensors(pipe.text_encoder, True)
        found |= {f"cond_stage_model.model.{key}": value for key, value in tensors.items()}
    else:
        tensors = clip_tensors(pipe.text_encoder)
        found |= {f"cond_stage_model.transformer.{key}": value for key, value in tensors.items()}
    return {key: value.contiguous().clone() for key, value in found.items()}
