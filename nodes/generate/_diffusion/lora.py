"""LoRA: small additions to the weights of a model, put in for one call and taken out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.engine import BadFile, read_tensors, table

NETS = ("unet", "text_encoder", "text_encoder_2")
DOWN = r"lora_A\.|lora_down\.|lora\.down\.|lora_linear_layer\.down\."
ADVICE = "Choose a LoRA for this family of models, in the format of diffusers or of kohya."


@contextmanager
def applied(pipe: Any, loras: Sequence[tuple[Path, float]], warn: Callable[[str], None]) -> Iterator[None]:
    """``loras``: files and strengths. Whatever happens, the networks are afterwards what they were before.

    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021. Raises :class:`BadFile`.
    """
    wanted = [(path, strength) for path, strength in loras if strength]
    if not wanted:
        yield
        return
    try:
        for number, (path, _) in enumerate(wanted):
            _put_in(pipe, path, f"lora{number}", warn)
        names = [f"lora{number}" for number in range(len(wanted))]
        pipe.set_adapters(names, [strength for _, strength in wanted])
        yield
    finally:
        _take_out(pipe)


def _put_in(pipe: Any, path: Path, name: str, warn: Callable[[str], None]) -> None:
    tensors = table(read_tensors(path), prefixes=(), label=path.name)
    if not any("lora" in key for key in tensors):
        raise BadFile(f"{path.name} is no LoRA: none of its tensors is named so.", ADVICE)
    try:
        pipe.load_lora_weights(dict(tensors), adapter_name=name)
    except (ValueError, RuntimeError, KeyError, TypeError, IndexError, AttributeError, NotImplementedError) as error:
        raise BadFile(f"{path.name} does not fit this model: {_brief(error)}.", ADVICE) from error
    there, placed = sum(bool(re.search(DOWN, key)) for key in tensors), _placed(pipe, name)
    if placed < there / 2 or not placed:
        raise BadFile(f"{path.name} does not fit this model: it has a place for {placed} of {there} parts.", ADVICE)
    if placed < there:
        warn(f"{there - placed} of {there} parts of {path.name} have no place in this model and are left out.")


def _placed(pipe: Any, name: str) -> int:
    """How many layers an addition was put into."""
    nets = (getattr(pipe, part, None) for part in NETS)
    modules = (module for net in nets if net is not None for module in net.modules())
    return sum(name in getattr(module, "lora_A", ()) for module in modules)


def _take_out(pipe: Any) -> None:
    """Also what a file that turned out not to fit has left behind."""
    pipe.unload_lora_weights()
    for name in NETS:
        net = getattr(pipe, name, None)
        if net is not None:
            _restore(net)


def _restore(net: Any) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(net.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, leaf = name.rpartition(".")
            setattr(net.get_submodule(parent), leaf, module.get_base_layer())
    for mark in ("peft_config", "_hf_peft_config_loaded"):
        net.__dict__.pop(mark, None)


def _brief(error: Exception) -> str:
    """The first line of what a library says, at most 160 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:160]
