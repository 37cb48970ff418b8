"""Download the files of a weight card, only ever because a person asked. Proxies are those of the environment."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from app.engine.errors import BadFile, CannotFetch
from app.engine.weight_files import file_state, is_like, partial_of, place_of, waiting_bytes
from app.engine.weight_hub import Source, find_on_hub, put_into_cache
from app.engine.weight_places import free_bytes, make_folder
from app.engine.weights import WeightCard, WeightFile

Progress = Callable[[str, int, int], None]
TRIES, WAIT_S, TIMEOUT_S = 3, 1.0, 30.0
BLOCK = 1 << 18
NOTHING_MORE = 416
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
        _check_address(mirror or card.url)
    for file in wanted:
        _get(card, file, mirror, progress)
    return [place_of(card, file.name) for file in card.files]


def offline() -> bool:
    """Whether the environment forbids downloads."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _check_online(card: WeightCard) -> None:
    if offline():
        raise CannotFetch(
            f"{card.label} is not on this machine, and HF_HUB_OFFLINE forbids downloads.",
            f'Unset it, or bring your own copy with "main.py weights import {card.handle} PATH".',
        )


def _check_space(card: WeightCard, wanted: list[WeightFile]) -> None:
    place = place_of(card, wanted[0].name).parent
    left = sum(file.size for file in wanted) - waiting_bytes(card)
    free = free_bytes(place)
    if free < left + SPARE_BYTES:
        raise CannotFetch(
            f"{card.label} needs {left / 1e6:,.1f} MB more, and the disk of {place} has {free / 1e6:,.1f} MB free.",
            "Free some space, or choose another folder with POLYLOOM_WEIGHTS.",
        )


def _check_address(address: str) -> None:
    if address and urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise CannotFetch(f"{address} is not a web address.", "Use one that begins with https://.")


def _get(card: WeightCard, file: WeightFile, mirror: str, progress: Progress) -> None:
    """One file, through a partial file beside its place."""
    place = place_of(card, file.name)
    make_folder(place.parent)
    part = partial_of(place)

    def source(again: bool) -> Source:
        if not card.url:
            return find_on_hub(card, file, mirror, patient=again)
        size = file.size if file.exact else None
        return Source(f"{(mirror or card.url).rstrip('/')}/{urllib.parse.quote(file.name)}", size, file.sha256)

    came = _bring(source, part, file, progress)
    if not file.may_be(part.stat().st_size) or not is_like(came.stated, part):
        part.unlink()
        raise BadFile(
            f"What came as {file.name} of {card.label} is not the published file: its checksum is another one.",
            "It was not kept. Fetch again, or try another mirror.",
        )
    if card.url or not came.stated:
        part.replace(place)
    else:
        put_into_cache(part, place, came.stated)


def _bring(find: Callable[[bool], Source], part: Path, file: WeightFile, progress: Progress) -> Source:
    """Try again after a fault, as long as something comes now and then."""
    tries_left, again = TRIES, False
    while True:
        had = part.stat().st_size if part.is_file() else 0
        tries_left -= 1
        source, again = find(again), True
        try:
            _download(source, part, file, progress)
            return source
        except urllib.error.HTTPError as error:
            if error.code == NOTHING_MORE and had and source.size is None:
                return source
            if error.code < 500 or not tries_left:
                raise CannotFetch(
                    f"{urllib.parse.urlsplit(source.url).netloc} answered {error.code} {error.reason} for {file.name}.",
                    "Try a mirror, or import the file.",
                ) from None
        except (OSError, EOFError, http.client.HTTPException) as error:
            if not tries_left:
                raise CannotFetch(
                    f"The download of {file.name} broke off: {error}.", "Fetch again: it goes on where it stopped."
                ) from None
        if part.is_file() and part.stat().st_size > had:
            tries_left = TRIES
        time.sleep(WAIT_S)


def _download(source: Source, part: Path, file: WeightFile, progress: Progress) -> None:
    """Append what is missing; start anew where the server cannot go on. Raises EOFError when it stops too early."""
    have = part.stat().st_size if part.is_file() else 0
    if have:
        progress(file.name, have, source.size or file.size)
    if source.size is not None and have >= source.size > 0:
        return
    request = urllib.request.Request(source.url, headers={"User-Agent": "polyloom", **source.headers})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if goes_on else 0
        announced = int(answer.headers.get("Content-Length") or 0)
        size = source.size if source.size is not None else have + announced
        with part.open("ab" if goes_on else "wb") as out:
            while have <= size and (block := answer.read(BLOCK)):
                out.write(block)
                have += len(block)
                progress(file.name, have, size)
    if have < size:
        raise EOFError(f"{have:,} of {size:,} bytes came")
