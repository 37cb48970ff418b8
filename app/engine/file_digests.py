"""Digests of input files, remembered by path, size and times, so that planning does not read every file again."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import sqlite3
import threading
from pathlib import Path
from stat import S_ISREG

from app.engine.errors import BadFile

MOST_BYTES = 1 << 40
MOST_FILES = 100_000


class FileDigests:
    """A replaced file has another digest; a touched one is read again and keeps its own."""

    def __init__(self, db: sqlite3.Connection, lock: threading.RLock) -> None:
        self._db, self._lock = db, lock
        self._seen: dict[str, tuple[str, str]] = {}

    def of_file(self, path: Path) -> str:
        """SHA-256 of a file's content. Raises :class:`BadFile`, also for what only looks like a file (``/proc``)."""
        try:
            stat = path.stat()
            if not S_ISREG(stat.st_mode) or stat.st_size > MOST_BYTES:
                raise BadFile(f"{path.name} is not a file that can be read whole.", "Choose another file.")
            mark = json.dumps([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])
            name = str(path)
            known = self._seen.get(name) or self._recall(name)
            if known and known[0] == mark:
                self._seen[name] = known
                return known[1]
            with path.open("rb") as file:
                digest = hashlib.file_digest(file if stat.st_size else io.BytesIO(), "sha256").hexdigest()
        except OSError as error:
            raise BadFile(f"{path.name} cannot be read: {error.strerror}.", "Check the path and its rights.") from None
        self._seen[name] = (mark, digest)
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, mark, digest))
        return digest

    def of_folder(self, path: Path) -> str:
        """One digest for the names and contents of all files below a folder. Raises :class:`BadFile`."""
        state = hashlib.sha256()
        files = sorted(itertools.islice((p for p in path.rglob("*") if p.is_file()), MOST_FILES + 1))
        if len(files) > MOST_FILES:
            raise BadFile(f"{path.name} holds more than {MOST_FILES:,} files.", "Choose a smaller folder.")
        for file in files:
            state.update(f"{file.relative_to(path).as_posix()}\0{self.of_file(file)}\0".encode())
        return state.hexdigest()

    def forget(self, path: Path) -> None:
        """The file is read again the next time it is asked for."""
        self._seen.pop(str(path), None)
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.execute("DELETE FROM files WHERE path = ?", (str(path),))

    def _recall(self, name: str) -> tuple[str, str] | None:
        with self._lock:
            try:
                row = self._db.execute("SELECT stat, digest FROM files WHERE path = ?", (name,)).fetchone()
            except sqlite3.Error:
                return None
        return (row[0], row[1]) if row else None
