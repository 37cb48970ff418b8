"""A model folder in the layout of the diffusers library: one folder for each network, with its own configuration."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from app.engine import BadFile, read_tensors, table
from nodes.generate._diffusion.facts import TOKENS, Config, FamilyName
from nodes.generate._diffusion.recipe import Piece, Recipe

Tensors = dict[str, Any]
ADVICE = "Choose a folder with unet, vae, text_encoder, tokenizer and scheduler in it."
STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")


def read_folder(folder: Path, half: bool) -> Recipe:
    """``half``: of two copies, take the one in 16 bits. Raises :class:`BadFile`."""
    if not (folder / "unet").is_dir():
        raise BadFile(f"{folder.name or folder} is no Stable Diffusion folder: it holds no folder unet.", ADVICE)
    texts = tuple(name for name in ("text_encoder", "text_encoder_2") if (folder / name / "config.json").is_file())
    if "text_encoder" not in texts:
        raise BadFile(
            f"{folder.name} holds no first text encoder; an SDXL refiner is such a folder.", "Choose a base model."
        )
    unet = piece(folder / "unet", "UNet2DConditionModel", half)
    kinds = ("CLIPTextModel", "CLIPTextModelWithProjection")
    encoders = tuple(piece(folder / name, kind, half) for name, kind in zip(texts, kinds, strict=False))
    checker = folder / "safety_checker"
    return Recipe(
        _family(encoders, unet),
        unet,
        piece(folder / "vae", "AutoencoderKL", half),
        encoders,
        partial(_tokenizers, folder, len(texts)),
        config_of(folder / "scheduler" / "scheduler_config.json"),
        checker if (checker / "config.json").is_file() else None,
    )


def piece(folder: Path, kind: str, half: bool) -> Piece:
    """A network in a folder of its own."""
    config = config_of(folder / "config.json")
    files = weight_files_in(folder, half)
    return Piece(kind, f"{folder.parent.name}/{folder.name}", config, partial(_read, files))


def config_of(path: Path) -> Config:
    """The table in a JSON file. Raises :class:`BadFile`."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        raise BadFile(f"{path.parent.name}/{path.name} is missing.", ADVICE) from None
    except ValueError:
        raise BadFile(f"{path.parent.name}/{path.name} is damaged.", "Fetch the model again.") from None
    if not isinstance(found, dict):
        raise BadFile(f"{path.parent.name}/{path.name} is not a configuration.", ADVICE)
    return found


def weight_files_in(folder: Path, half: bool) -> list[Path]:
    """The files of one copy of the weights: whole or in numbered parts. Raises :class:`BadFile`."""
    for variant in (".fp16", "") if half else ("", ".fp16"):
        for suffix in (".safetensors", ".bin"):
            for stem in STEMS:
                single = folder / f"{stem}{variant}{suffix}"
                if single.is_file():
                    return [single]
                index = folder / f"{stem}{suffix}.index{variant}.json"
                if index.is_file():
                    names = config_of(index).get("weight_map") or {}
                    return [folder / Path(str(name)).name for name in sorted(set(names.values()))]
    raise BadFile(f"{folder.parent.name}/{folder.name} holds no weights.", "Fetch the model again.")


def _read(files: list[Path]) -> Tensors:
    tensors: Tensors = {}
    for file in files:
        tensors.update(table(read_tensors(file), label=file.name))
    return tensors


def _family(encoders: tuple[Piece, ...], unet: Piece) -> FamilyName:
    """Two encoders: SDXL. The encoder of SD 2 is OpenCLIP's, which has another activation than CLIP's."""
    if len(encoders) == 2:
        return "SDXL"
    if unet.config.get("addition_embed_type"):
        raise BadFile(f"{unet.label} needs a second text encoder, and there is none.", ADVICE)
    return "SD 2.1" if encoders[0].config.get("hidden_act") == "gelu" else "SD 1.5"


def _tokenizers(folder: Path, count: int) -> tuple[Any, ...]:
    return tuple(tokenizer_in(folder / name) for name in ("tokenizer", "tokenizer_2")[:count])


def tokenizer_in(folder: Path, pad: str = "") -> Any:
    """The CLIP tokenizer of a folder with vocab.json and merges.txt, or with tokenizer.json as newer libraries save it.

    ``pad``: what fills a prompt up; without it, as the folder says. Raises :class:`BadFile`.
    """
    from transformers import CLIPTokenizer

    files = {"vocab": folder / "vocab.json", "merges": folder / "merges.txt"}
    listed = all(path.is_file() for path in files.values())
    if not listed and not (folder / "tokenizer.json").is_file():
        raise BadFile(f"{folder.parent.name}/{folder.name} holds no vocab.json and merges.txt.", ADVICE)
    other = {"pad_token": pad} if pad else {}
    try:
        if listed and pad:
            found = CLIPTokenizer(**{name: str(path) for name, path in files.items()}, **other)
        else:
            found = CLIPTokenizer.from_pretrained(str(folder), local_files_only=True, **other)
    except Exception as error:
        raise BadFile(f"The tokenizer in {folder.parent.name}/{folder.name} is damaged.", "Fetch it again.") from error
    found.model_max_length = TOKENS
    return found
