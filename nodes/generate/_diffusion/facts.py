"""Figures of the published networks, so that a checkpoint of one file needs no configuration from elsewhere.

They are those of the configuration files that the publishers put beside their weights. Latents have four channels and
an eighth of the picture's width and height. Every attention head of the SD 2.1 and SDXL networks is 64 channels wide;
those of SD 1.5 have eight heads at every width (the library calls the number of heads ``attention_head_dim``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Config = dict[str, Any]
FamilyName = Literal["SD 1.5", "SD 2.1", "SDXL"]
HEAD = 64
GRID = 8
TOKENS = 77


@dataclass(frozen=True)
class Family:
    """``size``: the picture edge it was trained on, pixels. ``texts``: its text encoders in order of use.

    ``pads``: what fills a prompt up to 77 tokens, per text encoder. ``rgb`` (4, 3) and ``base`` (3,): a linear map from
    latents to colours 0..1, good enough for previews (published by their authors in public posts).
    """

    name: FamilyName
    size: int
    unet: Config
    vae: Config
    texts: tuple[Config, ...]
    pads: tuple[str, ...]
    scheduler: Config
    rgb: tuple[tuple[float, float, float], ...]
    base: tuple[float, float, float]


_BLOCKS = {
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "act_fn": "silu",
}
_FOUR_LEVELS = {
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "transformer_layers_per_block": 1,
}
_VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "act_fn": "silu",
    "sample_size": 512,
    "scaling_factor": 0.18215,
    "force_upcast": False,
}
_CLIP_L = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": TOKENS,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "layer_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
_OPEN_H = {
    **_CLIP_L,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 23,
    "num_attention_heads": 16,
    "hidden_act": "gelu",
    "projection_dim": 512,
}
_OPEN_G = {
    **_OPEN_H,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
}
_NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "prediction_type": "epsilon",
}
_SD_RGB = ((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473))
_XL_RGB = ((0.2353, 0.2353, 0.2353), (-0.2353, -0.0196, 0.0392), (0.0980, 0.0588, -0.0196), (-0.2745, -0.1961, -0.1373))

FAMILIES: dict[FamilyName, Family] = {
    "SD 1.5": Family(
        "SD 1.5", 512,
        {**_BLOCKS, **_FOUR_LEVELS, "sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8,
         "use_linear_projection": False},
        _VAE, (_CLIP_L,), ("<|endoftext|>",), _NOISE, _SD_RGB, (0.5, 0.5, 0.5),
    ),
    "SD 2.1": Family(
        "SD 2.1", 768,
        {**_BLOCKS, **_FOUR_LEVELS, "sample_size": 96, "cross_attention_dim": 1024,
         "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True, "upcast_attention": True},
        {**_VAE, "sample_size": 768}, (_OPEN_H,), ("!",), {**_NOISE, "prediction_type": "v_prediction"}, _SD_RGB,
        (0.5, 0.5, 0.5),
    ),
    "SDXL": Family(
        "SDXL", 1024,
        {**_BLOCKS, "sample_size": 128, "block_out_channels": [320, 640, 1280],
         "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
         "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
         "transformer_layers_per_block": [1, 2, 10], "cross_attention_dim": 2048, "attention_head_dim": [5, 10, 20],
         "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
         "projection_class_embeddings_input_dim": 2816},
        {**_VAE, "sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
        (_CLIP_L, _OPEN_G), ("<|endoftext|>", "!"), {**_NOISE, "timestep_spacing": "leading"}, _XL_RGB,
        (0.5882, 0.5490, 0.5098),
    ),
}  # fmt: skip
