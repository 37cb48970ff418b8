"""Put the files that a node returned where the person asked for them, and nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from app.engine.errors import CannotWrite
from app.engine.graph_file import write_whole
from app.engine.payloads import Files, Payload

OTHER = "Use a name inside it, or choose another output folder."
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


def file_list(outputs: Mapping[str, Payload]) -> tuple[tuple[str, str], ...]:
    """(name, SHA-256) of every file among a node's outputs. Raises :class:`CannotWrite` for one outside the folder."""
    return tuple(
        (_safe(name), sha) for files in _files(outputs) for name, sha in zip(files.names, _shas(files), strict=True)
    )


def deliver(outputs: Mapping[str, Payload], out: Path) -> Iterator[str]:
    """Write every file that is not there with this content already. Yields the relative names as they are done."""
    for files in _files(outputs):
        for name, sha, content in zip(files.names, _shas(files), files.contents, strict=True):
            path = _place(out, name)
            if not same_content(path, sha, content.nbytes):
                _write(path, content.tobytes())
            yield name


def same_content(path: Path, sha: str, size: int | None = None) -> bool:
    """Whether the file is there with this SHA-256."""
    try:
        if size is not None and path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    try:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise CannotWrite(
            f"{path.name} cannot be written to {path.parent}: {error.strerror or error}.",
            "Free some space or choose another output folder; the result itself is kept.",
        ) from error


def _files(outputs: Mapping[str, Payload]) -> list[Files]:
    return [value for value in outputs.values() if isinstance(value, Files)]


def _shas(files: Files) -> list[str]:
    return [hashlib.sha256(content.data).hexdigest() for content in files.contents]


def _place(out: Path, name: str) -> Path:
    """Where a file goes. A link inside the output folder must not lead out of it."""
    path = out / _safe(name)
    try:
        folder = path.parent.resolve()
        inside = folder.is_relative_to(out.resolve())
    except (OSError, RuntimeError) as error:
        raise CannotWrite(f"The folder of {name[:80]!r} cannot be found: {error}.", OTHER) from None
    if not inside:
        raise CannotWrite(f"{name[:80]!r} lies outside the output folder: a link leads to {folder}.", OTHER)
    return path


def leads_outside(name: str) -> bool:
    """Whether a name is, on any system, something else than a plain path inside the output folder."""
    pure = PurePosixPath(name.replace("\\", "/"))
    return pure.is_absolute() or ".." in pure.parts or ":" in name or not pure.name


def _safe(name: str) -> str:
    """The name with forward slashes, if it means the same file inside the folder on every system."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if leads_outside(name):
        raise CannotWrite(f"{name[:80]!r} lies outside the output folder.", OTHER)
    for part in pure.parts:
        if DEVICE.fullmatch(part) or part[-1] in ". " or not part.isprintable():
            raise CannotWrite(f"{part[:80]!r} cannot be a file name on every system.", "Choose another name.")
    return str(pure)
