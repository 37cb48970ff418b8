"""Tiny random networks of the real classes, saved the way the published ones are."""

from __future__ import annotations

import json
from pathlib import Path

import torch


def depth_anything(folder: Path, metric: bool = False) -> Path:
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

    torch.manual_seed(1)
    backbone = Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, image_size=28, patch_size=14, mlp_ratio=2,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=32, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
        head_hidden_size=4, depth_estimation_type="metric" if metric else "relative", max_depth=20 if metric else 1,
    )  # fmt: skip
    return saved(DepthAnythingForDepthEstimation(config), folder, DPTImageProcessor.from_dict({
        "size": {"height": 56, "width": 56}, "keep_aspect_ratio": True, "ensure_multiple_of": 14, "resample": 3,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    }))  # fmt: skip


def dpt(folder: Path) -> Path:
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    torch.manual_seed(2)
    config = DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=37, image_size=32, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[16, 16, 16, 16], fusion_hidden_size=16,
    )  # fmt: skip
    processor = DPTImageProcessor.from_dict({"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3})
    return saved(DPTForDepthEstimation(config), folder, processor)


def vitpose(folder: Path, experts: int = 1) -> Path:
    from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation, VitPoseImageProcessor

    torch.manual_seed(4)
    backbone = VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        mlp_ratio=2, num_experts=experts, part_features=8, out_indices=[2],
    )  # fmt: skip
    config = VitPoseConfig(backbone_config=backbone, scale_factor=4, use_simple_decoder=True, num_labels=17)
    processor = VitPoseImageProcessor.from_dict({"size": {"height": 64, "width": 48}})
    return saved(VitPoseForPoseEstimation(config), folder, processor)


def upernet(folder: Path, kinds: int = 150) -> Path:
    from transformers import (
        ConvNextConfig,
        SegformerImageProcessor,
        UperNetConfig,
        UperNetForSemanticSegmentation,
    )

    torch.manual_seed(5)
    backbone = ConvNextConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    config = UperNetConfig(backbone_config=backbone, hidden_size=8, auxiliary_channels=8, auxiliary_in_channels=16)
    config.num_labels = kinds
    processor = SegformerImageProcessor.from_dict({"size": {"height": 64, "width": 64}, "do_reduce_labels": True})
    return saved(UperNetForSemanticSegmentation(config), folder, processor)


def saved(model: torch.nn.Module, folder: Path, processor: object) -> Path:
    """Weights are made larger than at the start of training, so that outputs are no mere noise about zero."""
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.ndim > 1 and "embed" not in name:
                values.mul_(4)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def marigold(folder: Path, half: bool = False) -> Path:
    from diffusers import AutoencoderKL, DDIMScheduler, MarigoldNormalsPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(3)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=8, out_channels=4, block_out_channels=(32, 32), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32, attention_head_dim=8, norm_num_groups=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 16, 16), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, norm_num_groups=8, layers_per_block=1, latent_channels=4,
    )  # fmt: skip
    config = CLIPTextConfig(
        vocab_size=514, hidden_size=32, intermediate_size=37, num_hidden_layers=1, num_attention_heads=4,
        bos_token_id=512, eos_token_id=513,
    )  # fmt: skip
    words = folder.parent / "words"
    words.mkdir(parents=True, exist_ok=True)
    signs = [chr(33 + i) for i in range(256)]
    names = [*signs, *(f"{sign}</w>" for sign in signs), "<|startoftext|>", "<|endoftext|>"]
    (words / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    (words / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(vocab=str(words / "vocab.json"), merges=str(words / "merges.txt"), model_max_length=77)
    pipe = MarigoldNormalsPipeline(
        unet, vae, DDIMScheduler(prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1),
        CLIPTextModel(config), tokenizer, prediction_type="normals", use_full_z_range=True,
        default_denoising_steps=4, default_processing_resolution=64,
    )  # fmt: skip
    (pipe.to(torch.float16) if half else pipe).save_pretrained(folder, variant="fp16" if half else None)
    for part in ("vocab.json", "merges.txt"):
        (folder / "tokenizer" / part).write_bytes((words / part).read_bytes())
    return folder
