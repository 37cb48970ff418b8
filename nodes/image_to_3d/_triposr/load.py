"""TripoSR weights: the published card, other folders and files of the same layout, and loading them strictly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.engine import BadFile, BadInput, WeightCard, WeightFile
from app.engine.checkpoints import fill, read_tensors, table
from app.engine.placement import Placement
from app.engine.weight_files import digest_of, path_of
from nodes.image_to_3d._triposr.config import Config, read_config

Model = Literal["TripoSR", "own folder", "own file"]

CARD = WeightCard(
    "stabilityai/TripoSR",
    "5b521936b01fbe1890f6f9baed0254ab6351c04a",
    (
        WeightFile("config.yaml", 987, "74ca708ce086bf68e97709ea6b3d91f14717921c04691e84043f0eb8fcc68e62"),
        WeightFile("model.ckpt", 1_677_246_742, "429e2c6b22a0923967459de24d67f05962b235f79cde6b032aa7ed2ffcd970ee"),
    ),
    "MIT",
    "MIT",
    memory_gb=3.0,
    name="triposr",
    title="TripoSR",
    role="TripoSR",
)
SUFFIXES = (".ckpt", ".safetensors", ".pth", ".pt", ".bin")
NAMES = ("model.ckpt", "model.safetensors")
CONFIG = "config.yaml"


@dataclass(frozen=True)
class Source:
    """A checkpoint and its configuration; without one, the published one counts."""

    weights: Path
    config: Path | None

    @property
    def digest(self) -> str:
        """Says everything that decides the network."""
        return digest_of(self.weights) + (digest_of(self.config)[:16] if self.config else "")

    @property
    def gigabytes(self) -> float:
        return self.weights.stat().st_size / 1e9


def source_of(model: Model, folder: Path, file: Path) -> Source:
    """Raises MissingWeights, :class:`BadFile` or :class:`BadInput`."""
    if model == "TripoSR":
        return Source(path_of(CARD, "model.ckpt"), path_of(CARD, CONFIG))
    if model == "own folder":
        return _in_folder(folder)
    if file == Path():
        raise BadInput("No model file is chosen.", "Choose one, or another model.")
    if not file.is_file():
        raise BadFile(f"There is no file {file.name}.", "Check the path.")
    return Source(file, next(configs_beside(file), None))


def configs_beside(file: Path) -> Iterator[Path]:
    """The configuration that belongs to a checkpoint file, where there is one."""
    beside = file.with_name(CONFIG)
    if beside.is_file():
        yield beside


def _in_folder(folder: Path) -> Source:
    if folder == Path():
        raise BadInput("No model folder is chosen.", "Choose one, or another model.")
    weights = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if weights is None:
        raise BadFile(f"{folder.name} holds neither {' nor '.join(NAMES)}.", "Choose a folder of a TripoSR model.")
    if not (folder / CONFIG).is_file():
        raise BadFile(f"{folder.name} holds no {CONFIG}.", "Copy the one that was published with the weights there.")
    return Source(weights, folder / CONFIG)


def load(source: Source, placement: Placement, check: Callable[[], None]) -> Any:
    """A :class:`~nodes.image_to_3d._triposr.network.TripoSR` ready to use. ``check``: a stop point between steps."""
    import torch

    from nodes.image_to_3d._triposr.network import TripoSR, renamed

    config = read_config(source.config) if source.config else Config()
    check()
    tensors = renamed(table(read_tensors(source.weights), label=source.weights.name))
    check()
    _sound(tensors, source.weights.name)
    with torch.device("meta"):
        network = TripoSR(config)
    fill(network, tensors, source.weights.name)
    check()
    network.eval().requires_grad_(False).to("cpu" if placement.offload else placement.device, placement.dtype)
    network.decoder.to(placement.device)
    return network


def _sound(tensors: Mapping[str, Any], name: str) -> None:
    """Raise :class:`BadFile` where a weight is not a number, or no floating-point one."""
    for place, tensor in tensors.items():
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise BadFile(f"{name} is damaged: {place} holds values that are not numbers.", "Fetch the file again.")
