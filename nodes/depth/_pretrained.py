"""Folders in the layout of the transformers library: opened strictly, offline, and without running what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from app.engine import BadFile, BadInput, Placement, WeightCard, read_tensors, table
from app.engine.weight_files import digest_of, snapshot_of

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "model.fp16.safetensors", "pytorch_model.bin")
SHOWN = 4


@dataclass(frozen=True)
class Network:
    """``model``: in evaluation mode, where it computes. ``processor``: brings pictures into its form and back."""

    model: Any
    processor: Any


def folder_of(model: str, cards: Iterable[WeightCard], own: Path) -> Path:
    """The folder of the model with this name, or the person's own. Raises MissingWeights or :class:`BadInput`."""
    for card in cards:
        if model in card.roles:
            return snapshot_of(card)
    if own == Path():
        raise BadInput("No model folder is chosen.", "Choose one, or another model.")
    return own


def weights_in(folder: Path) -> Path:
    """The file with the tensors. Raises :class:`BadFile`."""
    found = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if found is None:
        raise _lacking(folder, " or ".join(WEIGHTS))
    return found


def gigabytes(folder: Path) -> float:
    """Of the tensors as they are stored."""
    return weights_in(folder).stat().st_size / 1e9


def key_of(folder: Path) -> str:
    """Text that names the content of a model folder."""
    parts = [folder / name for name in (CONFIG, PROCESSOR) if (folder / name).is_file()]
    return " ".join(digest_of(path)[:16] for path in [*parts, weights_in(folder)])


def open_network(
    folder: Path, kinds: Mapping[str, str], processor: str, place: Placement, optional: Iterable[str] = ()
) -> Network:
    """``kinds``: ``model_type`` of the configuration -> class of transformers. ``processor``: class of transformers.

    ``optional``: patterns of tensors that may be absent or extra. Raises :class:`BadFile` in words.
    """
    import transformers

    kind = kinds.get(str(read_config(folder / CONFIG).get("model_type")))
    if kind is None:
        raise BadFile(
            f"The model in {folder.name} is of another kind than {' or '.join(kinds)}.", "Choose another folder."
        )
    model = open_model(getattr(transformers, kind), folder, optional)
    try:
        prepare = getattr(transformers, processor).from_dict(read_config(folder / PROCESSOR))
    except (TypeError, ValueError, KeyError, AttributeError):
        raise damaged(folder, PROCESSOR) from None
    return Network(model.to(place.device, place.dtype), prepare)


def open_model(kind: Any, folder: Path, optional: Iterable[str] = ()) -> Any:
    """A network of a transformers class on the CPU, in 32 bits. Every tensor finds its place, and none is empty."""
    import torch
    from transformers.utils import logging

    config_table = read_config(folder / CONFIG)
    tensors = table(read_tensors(weights_in(folder)), label=weights_in(folder).name)
    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        config = kind.config_class.from_dict(config_table)
        config.use_pretrained_backbone = False
        if getattr(config, "max_depth", 1) is None:  # null in older files stands for the default
            config.max_depth = 1
        model, told = kind.from_pretrained(
            None, config=config, state_dict=tensors, output_loading_info=True, ignore_mismatched_sizes=True,
            dtype=torch.float32,
        )  # fmt: skip
    except Exception as error:
        raise damaged(folder, CONFIG) from error
    finally:
        logging.set_verbosity(before)
    check_fit(folder, told, optional)
    return model.eval()


def read_config(path: Path) -> dict[str, Any]:
    """The table in a JSON file. Raises :class:`BadFile`."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        raise _lacking(path.parent, path.name) from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise damaged(path.parent, path.name)
    return found


def check_fit(folder: Path, told: Mapping[str, Any], optional: Iterable[str] = ()) -> None:
    """Raise :class:`BadFile` for what a library told of tensors that are missing, unknown or of another shape."""
    patterns, parts = tuple(optional), []
    for what, entry in (("missing", "missing_keys"), ("unknown", "unexpected_keys"), ("misshapen", "mismatched_keys")):
        names = sorted(str(key[0] if isinstance(key, tuple) else key) for key in told[entry])
        counted = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)]
        if counted:
            listed = ", ".join(counted[:SHOWN]) + (", …" if len(counted) > SHOWN else "")
            parts.append(f"{len(counted)} tensors {what} ({listed})")
    if parts:
        raise BadFile(
            f"The weights in {folder.name} do not fit their configuration: {'; '.join(parts)}.",
            "Choose a folder as it was published.",
        )


def _lacking(folder: Path, what: str) -> BadFile:
    return BadFile(f"The folder {folder.name} holds no {what}.", "Choose the folder of a model saved by transformers.")


def damaged(folder: Path, what: str) -> BadFile:
    return BadFile(f"{what} in {folder.name} is damaged or of another version.", "Fetch the model again.")
