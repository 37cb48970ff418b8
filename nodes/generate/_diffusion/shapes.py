"""The configuration of a network as the shapes of its tensors tell it, on top of what its family says.

Names are those of the original training code: ``input_blocks.3.0.op.weight``. What no shape tells (heads, activation)
comes from the family, so a file of the published size gets exactly the published configuration.
"""

from __future__ import annotations

import re
from typing import Any

from nodes.generate._diffusion.facts import HEAD, Config

Tensors = dict[str, Any]


def unet_config(base: Config, tensors: Tensors) -> Config:
    """For a UNet (or the encoding half of one: a ControlNet), names without their prefix."""
    count = _count(tensors, r"input_blocks\.(\d+)\.")
    down = next((i for i in range(count) if f"input_blocks.{i}.0.op.weight" in tensors), count)
    layers = down - 1
    firsts = range(1, count, layers + 1)
    widths = [int(tensors[f"input_blocks.{first}.0.out_layers.3.weight"].shape[0]) for first in firsts]
    depths = [_count(tensors, rf"input_blocks\.{first}\.1\.transformer_blocks\.(\d+)\.") for first in firsts]
    middle = _count(tensors, r"middle_block\.1\.transformer_blocks\.(\d+)\.")
    attend = next(key for key in tensors if key.endswith("attn2.to_k.weight"))
    linear = next(value for key, value in tensors.items() if key.endswith("1.proj_in.weight")).ndim == 2
    config = {
        **base,
        "in_channels": int(tensors["input_blocks.0.0.weight"].shape[1]),
        "layers_per_block": layers,
        "block_out_channels": widths,
        "down_block_types": ["CrossAttnDownBlock2D" if d else "DownBlock2D" for d in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if d else "UpBlock2D" for d in reversed(depths)],
        "transformer_layers_per_block": _depths(depths, middle),
        "cross_attention_dim": int(tensors[attend].shape[1]),
        "use_linear_projection": linear,
        "attention_head_dim": [width // HEAD for width in widths] if linear else 8,
    }
    if "label_emb.0.0.weight" in tensors:
        config["projection_class_embeddings_input_dim"] = int(tensors["label_emb.0.0.weight"].shape[1])
    return config


def _depths(depths: list[int], middle: int) -> int | list[int]:
    """One number where all agree; a level without attention counts as one, the last one as deep as the middle."""
    found = [depth or 1 for depth in depths[:-1]] + [depths[-1] or middle]
    return found[0] if len(set(found)) == 1 else found


def vae_config(base: Config, tensors: Tensors) -> Config:
    """For the picture encoder and decoder, names without their prefix."""
    levels = _count(tensors, r"encoder\.down\.(\d+)\.")
    widths = [int(tensors[f"encoder.down.{i}.block.0.conv1.weight"].shape[0]) for i in range(levels)]
    return {
        **base,
        "block_out_channels": widths,
        "layers_per_block": _count(tensors, r"encoder\.down\.0\.block\.(\d+)\."),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "latent_channels": int(tensors["post_quant_conv.weight"].shape[0]),
    }


def text_config(base: Config, tensors: Tensors) -> Config:
    """For a text encoder, names of the transformers library, with or without ``text_model.``."""
    words = _ending(tensors, "token_embedding.weight")
    width = int(words.shape[1])
    config = {
        **base,
        "vocab_size": int(words.shape[0]),
        "hidden_size": width,
        "num_attention_heads": width // HEAD,
        "num_hidden_layers": _count(tensors, r".*encoder\.layers\.(\d+)\."),
        "intermediate_size": int(_ending(tensors, "layers.0.mlp.fc1.weight").shape[0]),
        "max_position_embeddings": int(_ending(tensors, "position_embedding.weight").shape[0]),
    }
    if "text_projection.weight" in tensors:
        config["projection_dim"] = int(tensors["text_projection.weight"].shape[0])
    return config


def _ending(tensors: Tensors, end: str) -> Any:
    return next(value for key, value in tensors.items() if key.endswith(end))


def _count(tensors: Tensors, pattern: str) -> int:
    found = [int(match[1]) for key in tensors if (match := re.match(pattern, key))]
    return max(found) + 1 if found else 0
