"""A small untrained TripoSR on disk in the published layout, and fields with a known surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors.torch import save_file

from app.engine import Image
from nodes.image_to_3d._triposr.config import CLASSES, Config, Vit
from nodes.image_to_3d._triposr.network import TripoSR, published_names

TINY = Config(
    vit=Vit(48, 2, 3, 96), picture=64, plane=8, channels=64, heads=4, head_width=16, blocks=2, features=8, neurons=16
)
SEED = 3


def tiny_network(config: Config = TINY) -> TripoSR:
    """Untrained, but with weights so large that density varies, and passes the usual threshold in a part of space."""
    torch.manual_seed(SEED)
    network = TripoSR(config).eval().requires_grad_(False)
    for layer in network.decoder.layers[::2]:
        layer.weight.normal_().mul_(1.8 / layer.in_features**0.5)
    network.decoder.layers[-1].weight[0] *= 4
    network.decoder.layers[-1].weight[1:] *= 3
    points = (torch.rand(20_000, 3) * 2 - 1) * config.radius
    raw = network.raw(network.planes(torch.rand(config.picture, config.picture, 3)), points)
    network.decoder.layers[-1].bias[0] += 4.2 - raw[:, 0].quantile(0.99)
    return network


def settings(config: Config = TINY) -> dict[str, Any]:
    """``config.yaml`` as published, with the tokenizer's sizes written out."""
    return {
        "cond_image_size": config.picture,
        **CLASSES,
        "image_tokenizer": {"pretrained_model_name_or_path": "facebook/dino-vitb16", **vars(config.vit)},
        "tokenizer": {"plane_size": config.plane, "num_channels": config.channels},
        "backbone": {
            "in_channels": "${tokenizer.num_channels}",
            "num_attention_heads": config.heads,
            "attention_head_dim": config.head_width,
            "num_layers": config.blocks,
            "cross_attention_dim": config.vit.hidden_size,
        },
        "post_processor": {"in_channels": config.channels, "out_channels": config.features},
        "decoder": {
            "in_channels": 3 * config.features,
            "n_neurons": config.neurons,
            "n_hidden_layers": config.hidden,
            "activation": "silu",
        },
        "renderer": {
            "radius": config.radius,
            "feature_reduction": "concat",
            "density_activation": "exp",
            "density_bias": -1.0,
            "num_samples_per_ray": config.samples,
        },
    }


def tiny_folder(folder: Path, name: str = "model.ckpt") -> Path:
    """``config.yaml`` and a checkpoint under the published names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings()), "utf-8")
    state = {key: value.contiguous() for key, value in published_names(tiny_network().state_dict()).items()}
    if name.endswith(".safetensors"):
        save_file(state, folder / name)
    else:
        torch.save(state, folder / name)
    return folder


def cut_out(height: int = 60, width: int = 80) -> Image:
    """A lop-sided shape on transparent ground."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    body = np.hypot((x - 34) / 1.3, y - 30) < 18
    arm = (np.abs(y - 20) < 4) & (x > 34) & (x < 70)
    alpha = (body | arm).astype(np.float32)
    return Image(np.ascontiguousarray(np.stack([x / width, y / height, 0.3 + 0 * x, alpha], -1), np.float32))
