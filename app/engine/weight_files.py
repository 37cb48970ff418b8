"""Where weight files lie on this machine, whether they are whole, and how a person's own copy gets there.

Files of the hub lie in the hub's own cache layout, so that other programs share them; files of a plain release lie in
``<project>/<release>/<file>``. Nothing here touches a network.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from app.engine.errors import BadFile, BadParam, CannotWrite, MissingWeights
from app.engine.file_digests import FileDigests
from app.engine.places import home
from app.engine.weight_places import folder, hub_folder, hub_target, make_folder
from app.engine.weights import WeightCard, WeightFile

WeightState = Literal["missing", "partial", "ready", "damaged"]
PARTIAL = ".partial"
LITTER_S = 3600.0
WHAT = {"missing": "is not on this machine", "partial": "was fetched only in part", "damaged": "is damaged"}


def place_of(card: WeightCard, name: str) -> Path:
    """Where a file of a card is, or would go."""
    if card.url:
        return folder() / card.repository / card.revision / name
    roots = _snapshots(card)
    whole = [root for root in roots if all((root / file.name).is_file() for file in card.files)]
    return next((root / name for root in (*whole, *roots) if (root / name).is_file()), roots[0] / name)


def snapshot_of(card: WeightCard) -> Path:
    """The folder with all files of a hub card, laid out as in its repository. Raises :class:`MissingWeights`."""
    for file in card.files:
        path_of(card, file.name)
    whole = [root for root in _snapshots(card) if all((root / file.name).is_file() for file in card.files)]
    if not whole:
        raise _missing(card, card.files[0].name, "lies in another folder than the rest")
    return whole[0]


def file_state(card: WeightCard, file: WeightFile) -> WeightState:
    """Of one file. A digest is computed once and remembered until the file changes."""
    place = place_of(card, file.name)
    if not place.is_file():
        return "partial" if partial_of(place).is_file() else "missing"
    if not file.may_be(place.stat().st_size):
        return "damaged"
    return "ready" if is_like(file.sha256 or _stated(place), place) else "damaged"


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
    return tuple(card for card in cards if not card.optional and (not card.roles or chosen & set(card.roles)))


def path_of(card: WeightCard, name: str) -> Path:
    """A whole file of a card. Raises :class:`MissingWeights`, in words, when it is not there or not as published."""
    file = next(file for file in card.files if file.name == name)
    now = file_state(card, file)
    if now == "ready":
        return place_of(card, name)
    raise _missing(card, name, WHAT[now])


def _missing(card: WeightCard, name: str, what: str) -> MissingWeights:
    size = f"{card.download_bytes / 1e6:,.1f} MB, licence {card.terms}"
    return MissingWeights(
        f"{card.label}: {name} {what} ({size}).",
        f'Get it with "main.py weights fetch {card.handle}", or bring your own copy with '
        f'"main.py weights import {card.handle} PATH"; in the window both are under File > Models.',
    )


def used_digests(card: WeightCard) -> list[list[str]]:
    """[name, digest] of each file as a result's key sees it: as published, or as found where none is published."""
    found = []
    for file in card.files:
        place = place_of(card, file.name)
        found.append([file.name, file.sha256 or _stated(place) or (digest_of(place) if place.is_file() else "")])
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


def files_in(card: WeightCard, path: Path) -> list[Path]:
    """The path itself, or the files of a folder that carry the card's names. Raises :class:`BadParam` for none."""
    if not path.is_dir():
        return [path]
    places = [path / form for file in card.files for form in (file.name, Path(file.name).name)]
    found = list(dict.fromkeys(place for place in places if place.is_file()))
    if not found:
        wanted = ", ".join(file.name for file in card.files)
        raise BadParam(f"{path.name} holds no file of {card.label}.", f"Wanted: {wanted}.")
    return found


def read_again(card: WeightCard) -> None:
    """Forget what is remembered of its files: the next look reads every byte of them."""
    for file in card.files:
        _digests(home()).forget(place_of(card, file.name))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, remembered. Raises :class:`BadFile`."""
    return _digests(home()).of_file(path)


def _snapshots(card: WeightCard) -> list[Path]:
    """The folders that may hold a hub card's files, the one for new files first."""
    inside = Path("models--" + card.repository.replace("/", "--"), "snapshots", card.revision)
    return [root / inside for root in (hub_target(), folder(), hub_folder())]


def _stated(place: Path) -> str:
    """The hash by which the hub names a file's content, from the link in its cache; empty where there is none."""
    if not place.is_symlink():
        return ""
    name = place.readlink().name
    return name if len(name) in (40, 64) and set(name) <= set("0123456789abcdef") else ""


def is_like(stated: str, path: Path) -> bool:
    """Whether a file has the hash that was stated for it; an empty one says nothing and fits all."""
    return not stated or _digest_like(stated, path) == stated


def _digest_like(stated: str, place: Path) -> str:
    """SHA-256, or for 40 digits the name that git gives a small file."""
    if len(stated) == 64:
        return digest_of(place)
    data = place.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def partial_of(place: Path) -> Path:
    """Where an unfinished download waits."""
    return place.with_name(place.name + PARTIAL)


def waiting_bytes(card: WeightCard) -> int:
    """Bytes of unfinished downloads of a card."""
    parts = [partial_of(place_of(card, file.name)) for file in card.files]
    return sum(part.stat().st_size for part in parts if part.is_file())


def _is_that(file: WeightFile, name: str, size: int, digest: str) -> bool:
    return file.may_be(size) and (digest == file.sha256 if file.sha256 else name == Path(file.name).name)


def _copy(path: Path, target: Path) -> None:
    make_folder(target.parent)
    _clear_litter(target)
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


def _clear_litter(target: Path) -> None:
    """What a copy that was killed left behind; a fresh one may be another program's work."""
    for old in target.parent.glob(f".{glob.escape(target.name)}.????????"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > LITTER_S:
                old.unlink()


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
