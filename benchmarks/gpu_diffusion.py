"""Stable Diffusion 1.5 and XL at real size with random weights: our nodes beside the diffusers library called directly.

    python benchmarks/gpu_diffusion.py                  real size: a GPU with 16 GB or more, 12 GB of disk
    python benchmarks/gpu_diffusion.py --tiny           small networks of the same classes, also on a CPU

Prints one JSON object (and writes it to $OUT/diffusion.json where that is set). A step's time is the difference
between calls of many and of few steps, divided by the difference of steps, so that reading the words and decoding
cancel out; calls of all kinds take turns, and the median of their rounds counts. ``over_direct`` is what our way costs
beyond the library's: 0.01 is one per cent. Needs torch, transformers, diffusers, numpy and psutil, and no network.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from app.engine import Run
from nodes.generate._diffusion import preview
from nodes.generate._diffusion.facts import FAMILIES, Config, FamilyName
from nodes.generate._diffusion.schedulers import scheduler
from nodes.generate.text_to_picture import text_to_picture

PROMPT = "a chair"
TINY_TEXT = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1}
TINY_NET = {"block_out_channels": [32, 64], "layers_per_block": 1, "cross_attention_dim": 64, "sample_size": 8}
TINY_XL = {"block_out_channels": [64, 64], "cross_attention_dim": 128, "attention_head_dim": [1, 1]}


def configs(family: FamilyName, tiny: bool) -> tuple[Config, Config, list[Config]]:
    """Denoising network, picture decoder and text encoders as the shipped tables say, or small ones like them."""
    facts = FAMILIES[family]
    unet, vae, texts = dict(facts.unet), dict(facts.vae), [dict(text) for text in facts.texts]
    if tiny:
        unet |= TINY_NET
        unet |= {"down_block_types": unet["down_block_types"][-2:], "up_block_types": unet["up_block_types"][:2]}
        vae |= {"block_out_channels": [32] * 4, "layers_per_block": 1}
        texts = [{**text, **TINY_TEXT, "projection_dim": 64} for text in texts]
    if tiny and family == "SDXL":
        unet |= {**TINY_XL, "transformer_layers_per_block": 1, "projection_class_embeddings_input_dim": 64 + 6 * 256}
    return unet, vae, texts


def write_model(folder: Path, family: FamilyName, tiny: bool, device: str) -> Path:
    """A model folder with random weights in 16 bits, made on the device."""
    import diffusers
    import transformers

    torch.manual_seed(0)
    unet, vae, texts = configs(family, tiny)
    classes = (transformers.CLIPTextModel, transformers.CLIPTextModelWithProjection)
    with torch.device(device):
        nets = {"unet": diffusers.UNet2DConditionModel.from_config(unet)}
        nets["vae"] = diffusers.AutoencoderKL.from_config(vae)
        for made, config, name in zip(classes, texts, ("text_encoder", "text_encoder_2"), strict=False):
            nets[name] = made(transformers.CLIPTextConfig(**config))
    for name, net in nets.items():
        net.half().save_pretrained(folder / name, max_shard_size="20GB")
    for name in ("tokenizer", "tokenizer_2")[: len(texts)]:
        write_words(folder / name)
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(FAMILIES[family].scheduler))
    return folder


def write_words(folder: Path) -> None:
    """A vocabulary of single bytes: random weights need no better one."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")


def tiny_decoder(folder: Path) -> Path:
    """TAESD's architecture with random weights."""
    from diffusers import AutoencoderTiny
    from safetensors.torch import save_file

    save_file(AutoencoderTiny().state_dict(), folder / "taesd.safetensors")
    return folder / "taesd.safetensors"


def direct(run: Run, family: FamilyName) -> Any:
    """The library's own pipeline over the very networks that the pool holds."""
    import diffusers

    (name,) = [name for name in run.models.names() if name.startswith("diffusion")]
    with run.models.use(name, lambda: None, 0) as parts:
        common = {"vae": parts.vae, "unet": parts.unet, "scheduler": scheduler("Euler", parts.scheduler),
                  "text_encoder": parts.texts[0], "tokenizer": parts.tokenizers[0]}  # fmt: skip
        if family == "SDXL":
            second = {"text_encoder_2": parts.texts[1], "tokenizer_2": parts.tokenizers[1], "add_watermarker": False}
            pipe = diffusers.StableDiffusionXLPipeline(**common, **second)
        else:
            pipe = diffusers.StableDiffusionPipeline(
                **common, safety_checker=None, feature_extractor=None, requires_safety_checker=False
            )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def measure(family: FamilyName, folder: Path, device: str, size: int, few: int, many: int, rounds: int) -> Config:
    run = Run(wanted_device=device)
    how: Config = {"model": "own folder", "folder": folder, "prompt": PROMPT, "width": size, "height": size,
                   "scheduler": "Euler", "guidance": 7.0}  # fmt: skip
    cold = seconds(lambda: text_to_picture(run, steps=1, preview="off", **how))
    hit = seconds(lambda: text_to_picture(run, steps=1, preview="off", **how))
    pipe = direct(run, family)

    def node(steps: int, shown: str, decoder: bool) -> None:
        preview.ON_GPU = (device,) if decoder else ()  # type: ignore[assignment]
        text_to_picture(run, steps=steps, preview=shown, **how)  # type: ignore[arg-type]

    def library(steps: int) -> None:
        generator = torch.Generator().manual_seed(0)
        pipe(PROMPT, width=size, height=size, num_inference_steps=steps, guidance_scale=7.0, generator=generator,
             output_type="latent").images.cpu()  # fmt: skip

    calls: dict[str, Callable[[int], None]] = {
        "direct": library,
        "node, no previews": lambda steps: node(steps, "off", False),
        "node, rough previews": lambda steps: node(steps, "rough", False),
        "node, TAESD previews": lambda steps: node(steps, "auto", True),
    }
    times = alternating(calls, few, many, rounds)
    base = statistics.median(times["direct"])
    table = {
        name: {"step_s": statistics.median(each), "over_direct": statistics.median(each) / base - 1}
        for name, each in times.items()
    }
    return {"size": size, "steps": [few, many], "rounds": rounds, "cold_s": cold, "pool_hit_s": hit, "ways": table}


def alternating(calls: dict[str, Callable[[int], None]], few: int, many: int, rounds: int) -> dict[str, list[float]]:
    """Every call once to warm up, then all in turn, round after round: the time of a step in each round."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call(few)
    for _ in range(rounds):
        for name, call in calls.items():
            short, long = seconds(lambda c=call: c(few)), seconds(lambda c=call: c(many))
            found[name].append((long - short) / (many - few))
    return found


def seconds(call: Callable[[], Any]) -> float:
    settle()
    start = time.perf_counter()
    call()
    settle()
    return time.perf_counter() - start


def settle() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main(arguments: list[str] | None = None) -> Config:
    wants = argparse.ArgumentParser()
    wants.add_argument("--tiny", action="store_true", help="small networks")
    wants.add_argument("--device", default="auto")
    wants.add_argument("--rounds", type=int, default=5)
    wants.add_argument("--few", type=int, default=5)
    wants.add_argument("--many", type=int, default=35)
    wants.add_argument("--only", choices=("SD 1.5", "SDXL"), help="one family")
    given = wants.parse_args(arguments)
    device = Run(wanted_device=given.device).device
    name = torch.cuda.get_device_name() if device == "cuda" else device
    result: Config = {"device": name, "torch": torch.__version__, "tiny": given.tiny, "families": {}}
    with tempfile.TemporaryDirectory() as place:
        decoder = tiny_decoder(Path(place))
        preview.path_of = lambda *_: decoder
        for family in ("SD 1.5", "SDXL"):
            if given.only in (None, family):
                folder = write_model(Path(place) / family, family, given.tiny, device)
                size = 64 if given.tiny else FAMILIES[family].size
                found = measure(family, folder, device, size, given.few, given.many, given.rounds)
                result["families"][family] = found
                print(json.dumps({family: found}), file=sys.stderr, flush=True)
    print(json.dumps(result, indent=1))
    if os.environ.get("OUT"):
        (Path(os.environ["OUT"]) / "diffusion.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main()
