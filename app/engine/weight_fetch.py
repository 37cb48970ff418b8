"""Download the files of a weight card, only ever because a person asked. Proxies are those of the environment."""

from __future__ import annotations

import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.engine.errors import BadFile, CannotFetch, EngineError
from app.engine.weight_files import digest_of, file_state, hub_target, make_folder, partial_of, place_of
from app.engine.weights import WeightCard, WeightFile

Progress = Callable[[str, int, int], None]
TRIES, WAIT_S, TIMEOUT_S = 3, 1.0, 30.0
BLOCK = 1 << 18
SPARE_BYTES = 64 << 20


def fetch(card: WeightCard, progress: Progress = lambda *_: None, mirror: str = "") -> list[Path]:
    """Download what is not there yet and check it; an unfinished file goes on where it stopped.

    ``progress``: called with a file's name, the bytes that are there and its size; an exception from it stops the
    download and keeps what has come. ``mirror``: another folder address for a release, another endpoint for the hub.
    Raises :class:`CannotFetch`, and :class:`BadFile` when what came is not what was published.
    """
    wanted = [file for file in card.files if file_state(card, file) != "ready"]
    if wanted:
        _check_online(card)
        _check_space(card, wanted)
    for file in wanted:
        if card.url:
            _from_release(mirror or card.url, card, file, progress)
        else:
            _from_hub(mirror, card, file, progress)
    return [place_of(card, file.name) for file in card.files]


def _check_online(card: WeightCard) -> None:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise CannotFetch(
            f"{card.label} is not on this machine, and HF_HUB_OFFLINE forbids downloads.",
            f'Unset it, or bring your own copy with "main.py weights import {card.handle} PATH".',
        )


def _check_space(card: WeightCard, wanted: list[WeightFile]) -> None:
    place = place_of(card, wanted[0].name)
    there = next(parent for parent in place.parents if parent.exists())
    waiting = [partial_of(place_of(card, file.name)) for file in wanted]
    left = sum(f.size for f in wanted) - sum(p.stat().st_size for p in waiting if p.is_file())
    free = shutil.disk_usage(there).free
    if free < left + SPARE_BYTES:
        raise CannotFetch(
            f"{card.label} needs {left / 1e6:,.1f} MB more, and the disk of {there} has {free / 1e6:,.1f} MB free.",
            "Free some space, or choose another folder with POLYLOOM_WEIGHTS.",
        )


def _from_release(base: str, card: WeightCard, file: WeightFile, progress: Progress) -> None:
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise CannotFetch(f"{base} is not a web address.", "Use one that begins with https://.")
    place = place_of(card, file.name)
    make_folder(place.parent)
    part = partial_of(place)
    for tries_left in reversed(range(TRIES)):
        try:
            _download(f"{base.rstrip('/')}/{urllib.parse.quote(file.name)}", part, file, progress)
            break
        except urllib.error.HTTPError as error:
            if error.code < 500 or not tries_left:
                raise CannotFetch(
                    f"{base} answered {error.code} {error.reason} for {file.name}.", "Try a mirror, or import the file."
                ) from None
        except (OSError, EOFError) as error:
            if not tries_left:
                raise CannotFetch(
                    f"The download of {file.name} broke off: {error}.", "Fetch again: it goes on where it stopped."
                ) from None
        time.sleep(WAIT_S)
    if part.stat().st_size != file.size or (file.sha256 and digest_of(part) != file.sha256):
        part.unlink()
        raise _not_as_published(card, file)
    part.replace(place)


def _download(url: str, part: Path, file: WeightFile, progress: Progress) -> None:
    """Append what is missing; start anew where the server cannot go on. Raises EOFError when it stops too early."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= file.size > 0:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "polyloom"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as out:
            while have <= file.size and (block := answer.read(BLOCK)):
                out.write(block)
                have += len(block)
                progress(file.name, have, file.size)
    if have < file.size:
        raise EOFError(f"{have:,} of {file.size:,} bytes came")


def _from_hub(endpoint: str, card: WeightCard, file: WeightFile, progress: Progress) -> None:
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(
            card.repository, file.name, revision=card.revision, cache_dir=hub_target(), endpoint=endpoint or None,
            tqdm_class=_bar(file, progress), force_download=file_state(card, file) == "damaged",
        )  # fmt: skip
    except (EngineError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise CannotFetch(
            f"The hub did not give {file.name} of {card.repository}: {_first_line(error)}",
            _HUB_ADVICE.get(type(error).__name__, "Check the connection, try a mirror, or import the file."),
        ) from error
    if file_state(card, file) != "ready":
        raise _not_as_published(card, file)


_HUB_ADVICE = {
    "GatedRepoError": 'Accept its terms on the hub, then sign in with "hf auth login".',
    "RepositoryNotFoundError": "It was withdrawn or needs an account: try a mirror, or import the file.",
}


def _bar(file: WeightFile, progress: Progress) -> Any:
    """The hub library reports to a class of bars; this one draws nothing and passes the count on."""
    from tqdm.std import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})
            self.came = int(options.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.came += int(n or 0)
            progress(file.name, self.came, file.size)
            return None

    return Bar


def _not_as_published(card: WeightCard, file: WeightFile) -> BadFile:
    return BadFile(
        f"What came as {file.name} of {card.label} is not the published file: its checksum is another one.",
        "It was not kept. Fetch again, or try another mirror.",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
