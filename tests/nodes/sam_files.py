"""Tiny untrained networks of the real Segment Anything classes, saved as the real ones are published."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import torch


def tiny_sam(seed: int = 23) -> Any:
    """A SamModel that takes 64 x 64 pixels; every weight is drawn, so that every part of it counts.

    The last layer of its masks is strong, so that its logits spread to both sides of 1 and -1.
    """
    from transformers import SamConfig, SamModel

    config = SamConfig(
        vision_config={
            "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 64, "patch_size": 8,
            "output_channels": 32, "window_size": 3, "global_attn_indexes": [1], "num_pos_feats": 16, "mlp_dim": 48,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 64, "patch_size": 8, "mask_input_channels": 8},
        mask_decoder_config={
            "hidden_size": 32, "mlp_dim": 40, "iou_head_hidden_dim": 24, "iou_head_depth": 3, "layer_norm_eps": 1e-5,
        },
    )  # fmt: skip
    network = drawn(SamModel(config), seed)
    with torch.no_grad():
        for head in network.mask_decoder.output_hypernetworks_mlps:
            head.proj_out.weight.mul_(10)
            head.proj_out.bias.mul_(10)
    return network


def tiny_sam2(seed: int = 2) -> Any:
    from transformers import Sam2Config, Sam2Model

    return drawn(Sam2Model(Sam2Config(**_sam2_parts())), seed)


def tiny_sam2_video(seed: int = 2) -> Any:
    """As the hub holds SAM 2: with the parts that follow an object through a film, which pictures do not need."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    more = {
        "image_size": 64, "memory_attention_hidden_size": 32, "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32, "memory_attention_downsample_rate": 1,
        "memory_attention_rope_feat_sizes": [4, 4], "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": 32, "memory_fuser_embed_dim": 32, "memory_fuser_intermediate_dim": 32,
    }  # fmt: skip
    return drawn(Sam2VideoModel(Sam2VideoConfig(**_sam2_parts(), **more)), seed)


def _sam2_parts() -> dict[str, Any]:
    return {
        "vision_config": {
            "backbone_config": {
                "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1,
                "image_size": [64, 64],
                "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 2, 4, 8], "window_size_per_stage": [4, 2, 4, 2],
                "global_attention_blocks": [3], "window_positional_embedding_background_size": [4, 4],
            },
            "backbone_channel_list": [64, 32, 16, 8], "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 32,
        },
        "prompt_encoder_config": {"hidden_size": 32, "image_size": 64, "patch_size": 16, "mask_input_channels": 8},
        "mask_decoder_config": {"hidden_size": 32, "mlp_dim": 40, "iou_head_hidden_dim": 24},
    }  # fmt: skip


def drawn(network: Any, seed: int) -> Any:
    """Weights by fan-in, so that signals neither fade nor grow; biases small; norms around 1."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(network.state_dict().items()):
            noise = torch.randn(value.shape, generator=chance)
            norm = value.ndim == 1 and name.endswith("weight")
            scale = 0.2 if value.ndim < 2 else 1 / math.sqrt(math.prod(value.shape[1:]))
            value.copy_(1 + 0.1 * noise if norm else noise * (1.0 if "positional_embedding" in name else scale))
    network.tie_weights()
    return network.eval()


def as_published(network: Any) -> dict[str, Any]:
    """A SamModel's tensors under the names of the project's own files."""
    state = {k: v.clone() for k, v in network.state_dict().items() if not k.startswith("shared_image_embedding")}
    return {_published_name(key, state): value for key, value in state.items()}


def _published_name(key: str, state: dict[str, Any]) -> str:
    for new, old in (
        ("vision_encoder.patch_embed.projection", "image_encoder.patch_embed.proj"),
        ("vision_encoder.", "image_encoder."),
        ("image_encoder.layers.", "image_encoder.blocks."), ("neck.conv1", "neck.0"), ("neck.layer_norm1", "neck.1"),
        ("neck.conv2", "neck.2"), ("neck.layer_norm2", "neck.3"), ("upscale_conv1", "output_upscaling.0"),
        ("upscale_layer_norm", "output_upscaling.1"), ("upscale_conv2", "output_upscaling.3"),
        ("mask_embed.conv1", "mask_downscaling.0"), ("mask_embed.layer_norm1", "mask_downscaling.1"),
        ("mask_embed.conv2", "mask_downscaling.3"), ("mask_embed.layer_norm2", "mask_downscaling.4"),
        ("mask_embed.conv3", "mask_downscaling.6"), ("layer_norm_final_attn", "norm_final_attn"),
        (".point_embed.", ".point_embeddings."), ("layer_norm", "norm"),
        ("shared_embedding.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
    ):  # fmt: skip
        key = key.replace(new, old)
    found = re.match(
        r"(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head)\.)(.*)\.(weight|bias)$", key
    )
    if not found:
        return key
    inner = sum(1 for other in state if re.match(re.escape(found[1]) + r"layers\.\d+\.weight$", other))
    number = {"proj_in": 0, "proj_out": inner + 1}.get(found[2]) if "proj" in found[2] else int(found[2][7:]) + 1
    return f"{found[1]}layers.{number}.{found[3]}"


def published_file(path: Path, seed: int = 23) -> Path:
    torch.save(as_published(tiny_sam(seed)), path)
    return path
