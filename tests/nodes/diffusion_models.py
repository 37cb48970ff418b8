"""Tiny untrained models of the real classes, saved as the real ones are: a folder of diffusers, or one file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import original_names
import torch
from safetensors.torch import save_file

from nodes.generate._diffusion.facts import FAMILIES, Config, FamilyName

SIZES = {"block_out_channels": [32, 64], "layers_per_block": 1, "cross_attention_dim": 64}
TEXT = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1}


def byte_letters() -> list[str]:
    """One printable character for each byte, as CLIP's tokenizer has them."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in shown}
    hidden = [byte for byte in range(256) if byte not in letters]
    letters |= {byte: chr(256 + i) for i, byte in enumerate(hidden)}
    return [letters[byte] for byte in (*shown, *hidden)]


def save_vocabulary(folder: Path, merges: list[str]) -> Path:
    """vocab.json and merges.txt as the hub has them: keys sorted, two spaces, a line feed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(merge.split()) for merge in merges)]
    table = {word: i for i, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    text = json.dumps(table, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "vocab.json").write_bytes(text.encode())
    (folder / "merges.txt").write_bytes(("#version: 0.2\n" + "\n".join(merges) + "\n").encode())
    return folder


def real_merges(shared: Path) -> list[str]:
    """CLIP's own list, from the file that OpenAI published."""
    lines = gzip.decompress((shared / "clip_tokenizer" / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode()
    return lines.split("\n")[1 : 49152 - 256 - 2 + 1]


def small_merges() -> list[str]:
    return ["c h", "a i", "ch ai", "chai r</w>"]


def unet_sizes(family: FamilyName) -> Config:
    base = {**FAMILIES[family].unet, **SIZES, "sample_size": 8}
    base["down_block_types"] = ["CrossAttnDownBlock2D", "DownBlock2D"]
    base["up_block_types"] = ["UpBlock2D", "CrossAttnUpBlock2D"]
    if family == "SDXL":
        base |= {
            "block_out_channels": [64, 64], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
            "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "transformer_layers_per_block": [1, 2],
            "cross_attention_dim": 128, "attention_head_dim": [1, 1],
            "projection_class_embeddings_input_dim": 64 + 6 * 256,
        }  # fmt: skip
    elif family == "SD 2.1":
        base |= {"block_out_channels": [64, 64], "attention_head_dim": [1, 1]}
    return base


def text_sizes(config: Config, words: int) -> Config:
    return {**config, **TEXT, "vocab_size": words, "projection_dim": 64}


def pipeline(family: FamilyName, vocabulary: Path, seed: int = 0, channels: int = 4) -> Any:
    """The diffusers pipeline itself: what the nodes are compared with. ``channels``: 9 for an inpainting model."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    torch.manual_seed(seed)
    facts = FAMILIES[family]
    vae = {**facts.vae, "block_out_channels": [32] * 4, "layers_per_block": 1, "sample_size": 64}
    files = {name: str(vocabulary / f"{name}.{end}") for name, end in (("vocab", "json"), ("merges", "txt"))}
    tokenizers = [CLIPTokenizer(**files, pad_token=pad, model_max_length=77) for pad in facts.pads]
    classes = (CLIPTextModel, CLIPTextModelWithProjection)
    texts = [
        made(CLIPTextConfig(**text_sizes(config, len(tokenizers[0]))))
        for made, config in zip(classes, facts.texts, strict=False)
    ]
    parts: dict[str, Any] = {
        "vae": diffusers.AutoencoderKL(**vae),
        "unet": diffusers.UNet2DConditionModel(**{**unet_sizes(family), "in_channels": channels}),
        "text_encoder": texts[0],
        "tokenizer": tokenizers[0],
        "scheduler": diffusers.EulerDiscreteScheduler(
            **{k: v for k, v in facts.scheduler.items() if k not in ("clip_sample", "set_alpha_to_one")}
        ),
    }
    if family == "SDXL":
        made = diffusers.StableDiffusionXLPipeline(
            **parts, text_encoder_2=texts[1], tokenizer_2=tokenizers[1], add_watermarker=False
        )
    else:
        made = diffusers.StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    made.set_progress_bar_config(disable=True)
    return made


def save_one_file(pipe: Any, path: Path, **more: Any) -> Path:
    """With the original names; a .ckpt lies under ``state_dict``, as training programs put it."""
    tensors = original_names.whole(pipe)
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors, **more}, path)
    return path


def controlnet(unet: Any, seed: int = 1, scale: float = 0.0) -> Any:
    """Of the size of a denoising network. ``scale``: how far its outputs are from zero, where training begins."""
    import diffusers

    torch.manual_seed(seed)
    net = diffusers.ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(16, 32, 32, 32), load_weights_from_unet=False
    )
    if scale:
        for block in (*net.controlnet_down_blocks, net.controlnet_mid_block, net.controlnet_cond_embedding.conv_out):
            torch.nn.init.normal_(block.weight, std=scale)
    return net.eval()
