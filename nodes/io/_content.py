"""The content of a file that a person chose, or in words why it cannot be had."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from app.engine import BadFile

BLANK = b"\0 \r\n\t"
LOOKED_AT = 1_000_000


def content_of(path: Path, suffixes: Container[str], kind: str, readable: str, most: int, smaller: str) -> bytes:
    """All bytes. Raises :class:`BadFile`. ``kind``: what it should hold, such as ``"mesh"``. ``most``: bytes.

    ``readable``, ``smaller``: what to do where the file is none of that kind, or too large.
    """
    if path == Path():
        raise BadFile("No file is chosen.", readable)
    if path.suffix.lower() not in suffixes:
        raise BadFile(f"{path.name} is not a {kind} file that can be read.", readable)
    try:
        if path.stat().st_size > most:
            raise BadFile(f"{path.name} is larger than {most / 1e9:.0f} GB.", smaller)
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadFile(f"{path.name} is not there.", readable) from None
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read: {error.strerror}.", "Check the file's permissions.") from error
    if not data[:LOOKED_AT].strip(BLANK):
        raise BadFile(f"{path.name} is empty.", "Copy or export the file again.")
    return data
