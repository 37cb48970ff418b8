"""Which checkpoint a node works with, how its content is named, and its networks from the pool."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from app.engine import BadFile, BadInput, MissingWeights, Placement, Run, WeightCard, place
from app.engine.weight_files import digest_of, path_of, place_of, snapshot_of
from nodes.generate._diffusion import cards
from nodes.generate._diffusion.facts import FAMILIES, GRID
from nodes.generate._diffusion.read_file import read_file
from nodes.generate._diffusion.read_folder import config_of, read_folder, weight_files_in
from nodes.generate._diffusion.recipe import Parts, Recipe, assemble

Model = Literal["SD 1.5", "SD 2.1", "SDXL", "SDXL Turbo", "own folder", "own file"]
Predicts = Literal["as it says", "noise", "velocity"]
PREDICTIONS: dict[str, str] = {"as it says": "", "noise": "epsilon", "velocity": "v_prediction"}
FOLDERS = ("unet", "vae", "text_encoder", "text_encoder_2")
BESIDE = ("tokenizer", "tokenizer_2", "scheduler")
LOADING = 0.1


@dataclass(frozen=True)
class Source:
    """``place``: a folder in the layout of diffusers, or one file. ``name``: stands for the content.

    ``vocabulary``: for one file, a folder whose tokenizer is used, or None.
    """

    place: Path
    name: str
    predicts: str = ""
    vocabulary: Path | None = None

    @property
    def gigabytes(self) -> float:
        """Of the files, as they are."""
        if self.place.is_file():
            return self.place.stat().st_size / 1e9
        parts = [self.place / name for name in FOLDERS if (self.place / name).is_dir()]
        return sum(file.stat().st_size for part in parts for file in weight_files_in(part, True)) / 1e9

    @property
    def edge(self) -> int:
        """Pixels of the square pictures that the model was trained on, as far as that can be told without loading."""
        if self.place.is_dir():
            return int(config_of(self.place / "unet" / "config.json").get("sample_size") or 64) * GRID
        return FAMILIES["SDXL"].size if self.place.suffix == ".safetensors" and _has_two(self.place) else 512

    def recipe(self, half: bool) -> Recipe:
        if self.place.is_dir():
            found = read_folder(self.place, half)
            return found if not self.predicts else _predicting(found, self.predicts)
        return read_file(self.place, self._tokenizer, self.predicts)

    def _tokenizer(self) -> Path:
        """Of the folder that was named, else from the small card, else from a whole model that is here."""
        if self.vocabulary is not None:
            inside = self.vocabulary / "tokenizer"
            return inside if inside.is_dir() else self.vocabulary
        try:
            return snapshot_of(cards.TOKENIZER) / "tokenizer"
        except MissingWeights:
            for card in cards.MODELS:
                here = [place_of(card, f"tokenizer/{name}") for name in ("vocab.json", "merges.txt")]
                if all(file.is_file() for file in here) and here[0].parent == here[1].parent:
                    return here[0].parent
            raise


def source_of(model: Model, folder: Path, file: Path, predicts: Predicts = "as it says") -> Source:
    """Raises :class:`MissingWeights`, :class:`BadInput` and :class:`BadFile`."""
    prediction = PREDICTIONS[predicts]
    if model == "own folder":
        if folder == Path():
            raise BadInput("No model folder is chosen.", "Choose one, or another model.")
        if not folder.is_dir():
            raise BadFile(f"There is no folder {folder}.", "Check the path.")
        return Source(folder, folder_digest(folder, (*FOLDERS, *BESIDE)), prediction)
    if model == "own file":
        if file == Path():
            raise BadInput("No model file is chosen.", "Choose one, or another model.")
        return Source(file, digest_of(file), prediction, None if folder == Path() else folder)
    card = next(card for card in cards.MODELS if card.role == model)
    return Source(snapshot_of(card), f"{card.handle} {card.revision}", prediction)


def lora_of(card: WeightCard) -> Path:
    """The one file of a LoRA card."""
    return path_of(card, card.files[0].name)


def folder_digest(folder: Path, names: tuple[str, ...] = ("",)) -> str:
    """Of all files directly in the folders ``names`` of a folder (itself, as it is), 32 hex digits."""
    state = hashlib.sha256()
    inner = [folder / name for name in names]
    files = sorted(path for part in inner if part.is_dir() for path in part.iterdir() if path.is_file())
    for path in files:
        state.update(f"{path.relative_to(folder).as_posix()}\0{digest_of(path)}\0".encode())
    return state.hexdigest()[:32]


def _predicting(recipe: Recipe, predicts: str) -> Recipe:
    return replace(recipe, scheduler={**recipe.scheduler, "prediction_type": predicts})


def _has_two(path: Path) -> bool:
    """Whether a checkpoint has two text encoders. Its header is read, nothing more."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return any(key.startswith("conditioner.embedders.1.") for key in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError):
        return False


@contextmanager
def parts_of(run: Run, source: Source, half: bool, work_gb: float) -> Iterator[tuple[Parts, Placement]]:
    """The networks, loaded once and shared through the pool by what they are and where they compute."""
    on_disk = source.gigabytes
    placed = place(run, on_disk * 2, work_gb, half)
    run.log.info(placed.words)
    home = "cpu" if placed.offload else placed.device
    words = (source.name, source.predicts, str(source.vocabulary or ""), placed.device, "half" if placed.half else "")
    name = " ".join(("diffusion", *filter(None, words), "waiting" if placed.offload else "")).strip()

    def told(fraction: float, note: str) -> None:
        run.progress(LOADING * fraction, note)

    load = partial(_load, source, placed, home, told)
    with run.models.use(name, load, on_disk * (1 if placed.half else 2), run.check) as parts:
        yield parts, placed


def _load(source: Source, placed: Placement, home: str, told: Any) -> Parts:
    return assemble(source.recipe(placed.half), placed.dtype, home, told)
