"""Where the hub has a file, and the hub's cache layout, in which other programs find what was fetched here.

The hub library itself answers what a file's content is called and sends the person's token; its own download starts
from nothing each time, so the bytes are fetched by ``weight_fetch``, which goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.engine.errors import CannotFetch
from app.engine.weight_places import make_folder
from app.engine.weights import WeightCard, WeightFile

ADVICE = {
    "GatedRepoError": 'Accept its terms on the hub, then sign in with "hf auth login".',
    "RepositoryNotFoundError": "It was withdrawn or needs an account: try a mirror, or import the file.",
}


@dataclass(frozen=True)
class Source:
    """Where bytes come from. ``size``: of the whole file; None: what the server announces. ``stated``: the hash that
    its content must have, SHA-256 or git's, or empty."""

    url: str
    size: int | None
    stated: str
    headers: Mapping[str, str] = field(default_factory=dict)


def find_on_hub(card: WeightCard, file: WeightFile, endpoint: str = "", patient: bool = False) -> Source:
    """Ask the hub, or a mirror. ``patient``: it answered before, so a fault will pass. Raises :class:`CannotFetch`."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    try:
        url = hf_hub_url(card.repository, file.name, revision=card.revision, endpoint=endpoint or None)
        found = get_hf_file_metadata(url, endpoint=endpoint or None, retry_on_errors=patient)
    except Exception as error:
        raise CannotFetch(
            f"The hub did not give {file.name} of {card.repository}: {_first_line(error)}",
            ADVICE.get(type(error).__name__, "Check the connection, try a mirror, or import the file."),
        ) from error
    same_host = urllib.parse.urlsplit(found.location).netloc == urllib.parse.urlsplit(url).netloc
    headers = build_hf_headers() if same_host else {}
    stated = file.sha256 or _hash_in(found.etag or "")
    return Source(
        found.location, found.size if found.size is not None or not file.exact else file.size, stated, headers
    )


def put_into_cache(part: Path, place: Path, stated: str) -> None:
    """Content under its hash, and a link to it at ``place``; the file itself where the system makes no links."""
    snapshots = next(parent for parent in place.parents if parent.name == "snapshots")
    blob = snapshots.parent / "blobs" / stated
    make_folder(blob.parent)
    part.replace(blob)
    place.unlink(missing_ok=True)
    with contextlib.suppress(OSError, NotImplementedError):
        place.symlink_to(os.path.relpath(blob, place.parent))
        return
    blob.replace(place)


def _hash_in(etag: str) -> str:
    """The hub names content by its SHA-256, small files by git's hash; anything else is no hash of the content."""
    return etag if len(etag) in (40, 64) and set(etag) <= set("0123456789abcdef") else ""


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
