"""Folders in the layout of the transformers library, opened strictly and without a network."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from app.engine import BadFile
from app.engine.weight_files import digest_of

SHOWN = 4


def open_model(kind: Any, folder: Path, optional: Iterable[str] = ()) -> Any:
    """A model of a transformers class in evaluation mode, float32, on the CPU, from ``config.json`` and
    ``model.safetensors``.

    ``optional``: patterns of names in the file that this class has no place for. Raises :class:`BadFile` for a folder
    that holds no such model, or tensors that are missing, unknown, or of another shape.
    """
    import torch
    from transformers import AutoConfig
    from transformers.utils import logging

    _need(folder, "config.json", "model.safetensors")
    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        config = None
        if not getattr(kind, "config_class", None):
            config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
            config.use_pretrained_backbone = False
        model, told = kind.from_pretrained(
            str(folder), config=config, local_files_only=True, use_safetensors=True, trust_remote_code=False,
            output_loading_info=True, ignore_mismatched_sizes=True, dtype=torch.float32,
        )  # fmt: skip
    except Exception as error:
        raise unfit(folder, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}") from error
    finally:
        logging.set_verbosity(before)
    _check(folder, told, tuple(optional))
    return model.eval()


def key_of(folder: Path) -> str:
    """Text that names the content of the files that count."""
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    return " ".join(digest_of(folder / name)[:20] for name in names if (folder / name).is_file())


def open_processor(folder: Path) -> Any:
    """The folder's own way of bringing pictures into the network's form. Raises :class:`BadFile`."""
    from transformers import AutoImageProcessor

    _need(folder, "preprocessor_config.json")
    try:
        return AutoImageProcessor.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise unfit(folder, "preprocessor_config.json cannot be used") from error


def unfit(folder: Path, why: str) -> BadFile:
    return BadFile(
        f"The folder {folder.name} does not hold a model of this kind ({why}).",
        "Choose a folder with config.json and model.safetensors of such a model.",
    )


def _need(folder: Path, *names: str) -> None:
    lacking = [name for name in names if not (folder / name).is_file()]
    if lacking:
        raise BadFile(
            f"The folder {folder.name} lacks {' and '.join(lacking)}.",
            "Choose a folder as it is published, with safetensors.",
        )


def _check(folder: Path, told: dict[str, Any], optional: tuple[str, ...]) -> None:
    unknown = [key for key in told["unexpected_keys"] if not any(fnmatchcase(key, p) for p in optional)]
    other = [str(entry[0] if isinstance(entry, tuple) else entry) for entry in told["mismatched_keys"]]
    found = (("missing", list(told["missing_keys"])), ("unknown", unknown), ("of another shape", other))
    parts = [f"{len(names)} tensors {what} ({_some(names)})" for what, names in found if names]
    if parts:
        raise unfit(folder, "; ".join(parts))


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names)[:SHOWN]) + (", …" if len(names) > SHOWN else "")
