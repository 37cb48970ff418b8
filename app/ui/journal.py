"""Edits since the last save, kept in a per-user folder so that a crash or a kill loses a few seconds at most."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile

from app.engine import graph_file
from app.engine.errors import BadGraphFile
from app.engine.graph import Graph


@dataclass(frozen=True)
class LeftBehind:
    """A journal of a window that did not close. ``path``: the file that was open, or None for an unsaved graph."""

    journal: Path
    path: Path | None
    graph: Graph
    written: float

    def forget(self) -> None:
        self.journal.unlink(missing_ok=True)
        _lock_of(self.journal).unlink(missing_ok=True)


class Journal:
    """One file per open window, locked while the window lives; written atomically, removed on save and on closing."""

    def __init__(self, folder: Path) -> None:
        folder = _usable(folder)
        self.file = folder / f"{int(time.time() * 1000):x}-{os.getpid():x}-{id(self):x}.journal"
        self._lock = _locker(self.file)
        self._lock.tryLock(0)

    def write(self, graph: Graph, path: Path | None) -> None:
        """Raises ``OSError`` when the folder cannot be written."""
        record = {"path": None if path is None else str(path), "graph": graph_file.dumps(graph)}
        graph_file.write_whole(self.file, json.dumps(record).encode())

    def clear(self) -> None:
        """Nothing is unsaved any more."""
        self.file.unlink(missing_ok=True)

    def close(self) -> None:
        self.clear()
        self._lock.unlock()

    def left_behind(self) -> list[LeftBehind]:
        """Journals whose window is gone, newest first. Unreadable ones are set aside, not deleted."""
        found = [left for left in map(_read, self._orphans()) if left]
        return sorted(found, key=lambda left: left.written, reverse=True)

    def _orphans(self) -> Iterator[Path]:
        for file in self.file.parent.glob("*.journal"):
            if file != self.file and not owner_lives(_lock_of(file)):
                yield file


def owner_lives(held: Path) -> bool:
    """Whether the window that made this lock file is still open."""
    if not held.exists():
        return False
    lock = _locker(held)
    lives = not lock.tryLock(0) and lock.getLockInfo()[0]
    lock.unlock()
    return bool(lives)


def _usable(folder: Path) -> Path:
    """The folder, made if need be, or a temporary one: a window without a journal would be worse."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="polyloom-journal-"))


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _locker(file: Path) -> QLockFile:
    lock = QLockFile(str(_lock_of(file)))
    lock.setStaleLockTime(0)
    return lock


def _read(file: Path) -> LeftBehind | None:
    try:
        record = json.loads(file.read_text("utf-8"))
        graph = graph_file.loads(record["graph"])
        path = None if record["path"] is None else Path(record["path"])
        return LeftBehind(file, path, graph, file.stat().st_mtime)
    except (OSError, ValueError, KeyError, TypeError, BadGraphFile):
        with contextlib.suppress(OSError):
            file.rename(file.with_suffix(".unreadable"))
        return None
