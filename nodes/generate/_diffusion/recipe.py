"""What a checkpoint holds, before any network is made of it: the same form for a folder and for one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.engine import BadFile
from nodes.generate._diffusion.build import build
from nodes.generate._diffusion.facts import Config, FamilyName

Tensors = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """One network. ``kind``: its class; ``tensors``: reads them when it is their turn."""

    kind: str
    label: str
    config: Config
    tensors: Callable[[], Tensors]

    def built(self, dtype: Any, device: str) -> Any:
        return build(self.kind, self.config, self.tensors(), self.label, dtype, device)


@dataclass(frozen=True)
class Recipe:
    """``texts``: one text encoder, or two for SDXL; ``tokenizers``: one for each. ``checker``: the folder of a safety
    checker that came along, or None.
    """

    family: FamilyName
    unet: Piece
    vae: Piece
    texts: tuple[Piece, ...]
    tokenizers: Callable[[], tuple[Any, ...]]
    scheduler: Config
    checker: Path | None = None


@dataclass
class Parts:
    """The networks of one checkpoint, shared by every pipeline that needs them; nobody may change them for good.

    ``vae``: in 32 bits where its numbers do not fit 16.
    """

    family: FamilyName
    unet: Any
    vae: Any
    texts: tuple[Any, ...]
    tokenizers: tuple[Any, ...]
    scheduler: Config = field(default_factory=dict)


def assemble(recipe: Recipe, dtype: Any, device: str, told: Callable[[float, str], None]) -> Parts:
    """Make every network on ``device``. ``told``: a stop point before each, with the fraction done."""
    import torch

    told(0.0, "loading the text encoder")
    tokenizers = recipe.tokenizers()
    texts = tuple(piece.built(dtype, device) for piece in recipe.texts)
    for words, text in zip(tokenizers, texts, strict=True):
        _check_words(len(words), int(text.config.vocab_size), recipe.texts[0].label)
    told(0.3, "loading the denoising network")
    unet = recipe.unet.built(dtype, device)
    told(0.9, "loading the picture decoder")
    wide = recipe.vae.config.get("force_upcast", False)
    vae = recipe.vae.built(torch.float32 if wide else dtype, device)
    return Parts(recipe.family, unet, vae, texts, tokenizers, dict(recipe.scheduler))


def _check_words(known: int, read: int, label: str) -> None:
    """A tokenizer of another model would name words that the text encoder does not have."""
    if known > read:
        raise BadFile(
            f"The tokenizer knows {known:,} words and {label} reads {read:,}: they do not belong together.",
            "Use the tokenizer of this model: name its folder.",
        )
