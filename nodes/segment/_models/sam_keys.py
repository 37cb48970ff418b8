"""Names of tensors: from the files of the Segment Anything project to those of the transformers library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_RULES = (
    (r"^image_encoder\.patch_embed\.proj\.", "vision_encoder.patch_embed.projection."),
    (r"^image_encoder\.blocks\.(\d+)\.norm(\d)\.", r"vision_encoder.layers.\1.layer_norm\2."),
    (r"^image_encoder\.blocks\.", "vision_encoder.layers."),
    (r"^image_encoder\.", "vision_encoder."),
    (r"^(mask_decoder\.transformer\.layers\.\d+)\.norm(\d)\.", r"\1.layer_norm\2."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.point_embeddings\.", ".point_embed."),
    (r"\.pe_layer\.positional_encoding_gaussian_matrix$", ".shared_embedding.positional_embedding"),
)
UNUSED = ("vision_encoder.norm_head.*", "vision_encoder.head.*")
_NECK = {"0": "conv1", "1": "layer_norm1", "2": "conv2", "3": "layer_norm2"}
_HEAD = re.compile(r"^(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))\.layers\.(\d+)\.")


def is_mobile(tensors: Mapping[str, Any]) -> bool:
    """Whether the encoder is MobileSAM's."""
    return "image_encoder.patch_embed.seq.0.c.weight" in tensors


def translated(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Every tensor under its new name. MobileSAM's encoder keeps its own names below ``vision_encoder``."""
    mobile = is_mobile(tensors)
    last = {head[1]: _last(tensors, head[1]) for head in map(_HEAD.match, tensors) if head}
    found = {_new_name(key, mobile, last): value for key, value in tensors.items()}
    shared = found.get("prompt_encoder.shared_embedding.positional_embedding")
    if shared is not None:
        found["shared_image_embedding.positional_embedding"] = shared
    return found


def _last(tensors: Mapping[str, Any], name: str) -> int:
    return max(int(head[2]) for head in map(_HEAD.match, tensors) if head and head[1] == name)


def _new_name(key: str, mobile: bool, last: Mapping[str, int]) -> str:
    if mobile and key.startswith("image_encoder."):
        return "vision_encoder." + key.removeprefix("image_encoder.")
    head = _HEAD.match(key)
    if head:
        number = int(head[2])
        part = "proj_in" if not number else "proj_out" if number == last[head[1]] else f"layers.{number - 1}"
        return f"{head[1]}.{part}.{key[head.end() :]}"
    for pattern, new in _RULES:
        key = re.sub(pattern, new, key)
    return re.sub(r"^vision_encoder\.neck\.(\d)\.", lambda m: f"vision_encoder.neck.{_NECK[m[1]]}.", key)


def sizes(tensors: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The configuration that the tensors (by their first names) speak of. Raises KeyError and the like for others."""
    shape = {key: tuple(value.shape) for key, value in tensors.items()}
    width = shape["mask_decoder.iou_token.weight"][1]
    narrow = shape["mask_decoder.transformer.layers.0.cross_attn_token_to_image.q_proj.weight"][0]
    deep = _depth(shape, r"mask_decoder\.transformer\.layers\.(\d+)\.")
    vision = _mobile() if is_mobile(tensors) else _encoder(shape)
    return {
        "vision_config": {
            **vision,
            "num_pos_feats": shape["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"][1],
        },
        "prompt_encoder_config": {
            "hidden_size": width,
            "image_size": vision["image_size"],
            "patch_size": vision["patch_size"],
            "mask_input_channels": shape["prompt_encoder.mask_downscaling.3.weight"][0],
        },
        "mask_decoder_config": {
            "hidden_size": width,
            "mlp_dim": shape["mask_decoder.transformer.layers.0.mlp.lin1.weight"][0],
            "num_hidden_layers": deep,
            "attention_downsample_rate": width // narrow,
            "num_multimask_outputs": shape["mask_decoder.mask_tokens.weight"][0] - 1,
            "iou_head_depth": _last(tensors, "mask_decoder.iou_prediction_head") + 1,
            "iou_head_hidden_dim": shape["mask_decoder.iou_prediction_head.layers.0.weight"][0],
            "layer_norm_eps": 1e-5,
        },
    }


def _depth(names: Mapping[str, Any], pattern: str) -> int:
    return 1 + max(int(found[1]) for found in (re.match(pattern, name) for name in names) if found)


def _mobile() -> dict[str, Any]:
    return {"image_size": 1024, "patch_size": 16, "num_hidden_layers": 0, "hidden_size": 16, "num_attention_heads": 1}


def _encoder(shape: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    _, grid, _, width = shape["image_encoder.pos_embed"]
    patch = shape["image_encoder.patch_embed.proj.weight"][2]
    deep = _depth(shape, r"image_encoder\.blocks\.(\d+)\.")
    reach = [(shape[f"image_encoder.blocks.{i}.attn.rel_pos_h"][0] + 1) // 2 for i in range(deep)]
    return {
        "hidden_size": width,
        "image_size": grid * patch,
        "patch_size": patch,
        "num_hidden_layers": deep,
        "num_attention_heads": width // shape["image_encoder.blocks.0.attn.rel_pos_h"][1],
        "mlp_dim": shape["image_encoder.blocks.0.mlp.lin1.weight"][0],
        "output_channels": shape["image_encoder.neck.0.weight"][0],
        "window_size": min(reach),
        "global_attn_indexes": [i for i, side in enumerate(reach) if side == grid],
    }
