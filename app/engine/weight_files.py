"""Where weight files lie on this machine, whether they are whole, and how a person's own copy gets there.

Files of the hub lie in the hub's own cache layout, so that other programs share them; files of a plain release lie in
``<project>/<release>/<file>``. Nothing here touches a network.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from app.engine.errors import BadFile, CannotWrite, MissingWeights
from app.engine.file_digests import FileDigests
from app.engine.places import home
from app.engine.weights import WeightCard, WeightFile

WeightState = Literal["missing", "partial", "ready", "damaged"]
PARTIAL = ".partial"


def folder() -> Path:
    """Where weights are kept; ``POLYLOOM_WEIGHTS`` moves it. Not made here."""
    chosen = os.environ.get("POLYLOOM_WEIGHTS")
    return Path(chosen).absolute() if chosen else home() / "weights"


def hub_folder() -> Path:
    """The cache that programs using the hub share, by the hub library's own variables."""
    for name, below in (("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub")):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser() / below
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "huggingface" / "hub"


def hub_target() -> Path:
    """The hub cache that new files go to: the person's own folder where one was chosen, else the shared one."""
    return folder() if os.environ.get("POLYLOOM_WEIGHTS") else hub_folder()


def place_of(card: WeightCard, name: str) -> Path:
    """Where a file of a card is, or would go."""
    if card.url:
        return folder() / card.repository / card.revision / name
    inside = Path("models--" + card.repository.replace("/", "--"), "snapshots", card.revision, name)
    places = [hub_target() / inside, folder() / inside, hub_folder() / inside]
    return next((place for place in places if place.is_file()), places[0])


def file_state(card: WeightCard, file: WeightFile) -> WeightState:
    """Of one file. A digest is computed once and remembered until the file changes."""
    place = place_of(card, file.name)
    if not place.is_file():
        return "partial" if partial_of(place).is_file() else "missing"
    if place.stat().st_size != file.size:
        return "damaged"
    return "ready" if not file.sha256 or digest_of(place) == file.sha256 else "damaged"


def state(card: WeightCard) -> WeightState:
    """Of all its files together: ``damaged`` and ``partial`` where one of them is."""
    states = {file_state(card, file) for file in card.files}
    if "damaged" in states:
        return "damaged"
    if "partial" in states or states == {"missing", "ready"}:
        return "partial"
    return "ready" if states <= {"ready"} else "missing"


def needed(cards: Iterable[WeightCard], settings: Mapping[str, Any]) -> tuple[WeightCard, ...]:
    """The cards that a node with these settings calls for."""
    chosen = {value for value in settings.values() if isinstance(value, str)}
    return tuple(card for card in cards if not card.role or card.role in chosen)


def path_of(card: WeightCard, name: str) -> Path:
    """A whole file of a card. Raises :class:`MissingWeights`, in words, when it is not there or not as published."""
    file = next(file for file in card.files if file.name == name)
    now = file_state(card, file)
    if now == "ready":
        return place_of(card, name)
    size = f"{card.download_bytes / 1e6:,.1f} MB, licence {card.terms}"
    what = {"damaged": "is damaged", "partial": "was fetched only in part"}.get(now, "is not on this machine")
    raise MissingWeights(
        f"{card.label}: {name} {what} ({size}).",
        f'Get it with "main.py weights fetch {card.handle}", or bring your own copy with '
        f'"main.py weights import {card.handle} PATH".',
    )


def used_digests(card: WeightCard) -> list[list[str]]:
    """[name, digest] of each file as a result's key sees it: as published, or as found where none is published."""
    found = []
    for file in card.files:
        place = place_of(card, file.name)
        found.append([file.name, file.sha256 or (digest_of(place) if place.is_file() else "")])
    return found


def import_file(card: WeightCard, path: Path) -> Path:
    """Copy a person's own file to its place. It counts by its content; its name matters only without a checksum.

    Raises :class:`BadFile` when it is no file of this card, :class:`CannotWrite` when it cannot be copied.
    """
    if not path.is_file():
        raise BadFile(f"There is no file {path}.", "Check the path.")
    size, digest = path.stat().st_size, digest_of(path)
    found = next((file for file in card.files if _is_that(file, path.name, size, digest)), None)
    if found is None:
        raise BadFile(
            f"{path.name} is no file of {card.label}: {size:,} bytes, SHA-256 {digest}.",
            "Wanted: "
            + "; ".join(f"{f.name}, {f.size:,} bytes, SHA-256 {f.sha256 or 'any'}" for f in card.files)
            + ".",
        )
    target = place_of(card, found.name)
    if not (target.exists() and target.samefile(path)):
        _copy(path, target)
    return target


def digest_of(path: Path) -> str:
    """SHA-256 of a file, remembered. Raises :class:`BadFile`."""
    return _digests(home()).of_file(path)


def partial_of(place: Path) -> Path:
    """Where an unfinished download waits."""
    return place.with_name(place.name + PARTIAL)


def make_folder(path: Path) -> None:
    """Raises :class:`CannotWrite`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"The folder {path} cannot be made: {error.strerror}.", "Choose another one with POLYLOOM_WEIGHTS."
        ) from None


def _is_that(file: WeightFile, name: str, size: int, digest: str) -> bool:
    return size == file.size and (digest == file.sha256 if file.sha256 else name == Path(file.name).name)


def _copy(path: Path, target: Path) -> None:
    make_folder(target.parent)
    new = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        shutil.copyfile(path, new)
        new.replace(target)
        partial_of(target).unlink(missing_ok=True)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise CannotWrite(
            f"{path.name} cannot be copied to {target.parent}: {error.strerror}.", "Free some disk space."
        ) from None


@cache
def _digests(root: Path) -> FileDigests:
    """Kept per user; in memory where that folder is not there or cannot be written."""
    for place in (root / "weights.sqlite", ":memory:"):
        try:
            db = sqlite3.connect(place, check_same_thread=False, isolation_level=None, timeout=5)
            db.execute("CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stat TEXT, digest TEXT)")
        except sqlite3.Error:
            continue
        break
    return FileDigests(db, threading.RLock())
