"""Results by key: a memory tier with a byte budget over a disk tier that other processes share.

On disk: ``index.sqlite`` (write-ahead log) holds entries (key -> what came out), blobs (content digest -> bytes, small
ones inside) and remembered file digests; large blobs are files under ``blobs/``, written beside and renamed, mapped
into memory for reading. Content is checked against its digest the first time a process opens it. Entries outlive their
blobs: they are a line each, and they let a later step be reused when an earlier one's bytes were evicted.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from app.engine.codec import Buffer, decode, digest, encode
from app.engine.credits import Credit
from app.engine.errors import CannotWrite, StoreDamaged
from app.engine.file_digests import FileDigests
from app.engine.payloads import Payload, nbytes

INLINE_BYTES = 16 * 1024
GIGABYTE = 1024**3
OPEN_S = 20.0
LITTER_S = 3600.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS entries
    (key TEXT PRIMARY KEY, type TEXT, outputs TEXT, notes TEXT, files TEXT, seconds REAL);
CREATE TABLE IF NOT EXISTS credits (key TEXT PRIMARY KEY, said TEXT);
CREATE TABLE IF NOT EXISTS blobs (digest TEXT PRIMARY KEY, size INTEGER, used REAL, inline BLOB);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stat TEXT, digest TEXT);
CREATE TABLE IF NOT EXISTS costs (type TEXT PRIMARY KEY, seconds REAL, bytes INTEGER, runs INTEGER);
"""


@dataclass(frozen=True)
class Entry:
    """What a step gave. ``outputs``: socket -> content digest. ``files``: (name, SHA-256) of files that it writes.

    ``credits``: what the step itself was made from; None when an earlier version, which kept none, made the result.
    """

    outputs: Mapping[str, str]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = field(default=())
    credits: tuple[Credit, ...] | None = ()


class Store:
    """Safe for several threads and for several processes on one folder.

    ``memory_bytes``: budget of the memory tier, arrays counted truly. ``disk_bytes``: least recently used blobs are
    evicted above it, never those in ``protect``.
    """

    def __init__(self, folder: Path, memory_bytes: int = 2 * GIGABYTE, disk_bytes: int = 20 * GIGABYTE) -> None:
        self.folder = folder
        self.memory_bytes, self.disk_bytes = memory_bytes, disk_bytes
        self._lock = threading.RLock()
        self._memory: OrderedDict[str, Payload] = OrderedDict()
        self._memory_used = 0
        self._unsaved: dict[str, Entry] = {}
        self._unsaved_payloads: dict[str, Payload] = {}
        self._touched: set[str] = set()
        self._protected: set[str] = set()
        self._written = 0
        try:
            (folder / "blobs").mkdir(parents=True, exist_ok=True)
            self._db = self._open()
        except (OSError, sqlite3.Error) as error:
            raise CannotWrite(f"The result store {folder} cannot be used: {error}.", "Choose another folder.") from None
        self.files = FileDigests(self._db, self._lock)

    @classmethod
    def temporary(cls) -> Store:
        """A store of its own in a fresh folder, for scripts and tests."""
        return cls(Path(tempfile.mkdtemp(prefix="polyloom-store-")))

    def lookup(self, key: str) -> Entry | None:
        """What the step of this key gave, if it ever ran."""
        with self._lock:
            if key in self._unsaved:
                return self._unsaved[key]
            row = self._db.execute(
                "SELECT outputs, seconds, notes, files, said FROM entries LEFT JOIN credits USING (key) WHERE key = ?",
                (key,),
            ).fetchone()
            if row is None:
                return None
            try:
                outputs, notes, files = (json.loads(row[i]) for i in (0, 2, 3))
                said = None if row[4] is None else tuple(Credit(**credit) for credit in json.loads(row[4]))
                return Entry(outputs, row[1], tuple(notes), tuple((name, sha) for name, sha in files), said)
            except (ValueError, TypeError):
                self._forget(key)
                return None

    def has(self, digests: Iterable[str]) -> bool:
        """Whether the bytes of all these digests are there."""
        with self._lock:
            return all(d in self._memory or d in self._unsaved_payloads or self._row(d) is not None for d in digests)

    def load(self, digest: str) -> Payload:
        """A payload. Raises ``KeyError`` when it is not there, :class:`StoreDamaged` when its bytes were damaged."""
        with self._lock:
            found = self._memory.get(digest) or self._unsaved_payloads.get(digest)
            if found is not None:
                if digest in self._memory:
                    self._memory.move_to_end(digest)
                self._touched.add(digest)
                return found
            row = self._row(digest)
        if row is None:
            raise KeyError(digest)
        payload = self._read(digest, row[1])
        self._remember(digest, payload)
        self._touched.add(digest)
        return payload

    def publish(
        self,
        key: str,
        type_id: str,
        outputs: Mapping[str, Payload],
        seconds: float,
        notes: Iterable[str] = (),
        files: Iterable[tuple[str, str]] = (),
        peak_bytes: int = 0,
        credits: Iterable[Credit] = (),
    ) -> Entry:
        """Keep a result; others see all of it or nothing. When the disk refuses, memory keeps it and a note says so."""
        pieces = {name: encode(payload) for name, payload in outputs.items()}
        names = {name: digest(parts) for name, parts in pieces.items()}
        entry = Entry(names, seconds, tuple(notes), tuple(files), tuple(credits))
        for name, payload in outputs.items():
            self._remember(names[name], payload)
        try:
            for name, parts in pieces.items():
                self._write(names[name], parts, names.values())
            self._insert(key, type_id, entry, peak_bytes)
        except (OSError, sqlite3.Error) as error:
            text = f"The result could not be kept on disk ({error}); it is held in memory until the program ends."
            entry = replace(entry, notes=(*entry.notes, text))
            with self._lock:
                self._unsaved[key] = entry
                self._unsaved_payloads.update({names[name]: payload for name, payload in outputs.items()})
        return entry

    def keep(self, payload: Payload) -> str:
        """Keep bytes without an entry (an intermediate preview) and return their digest."""
        parts = encode(payload)
        name = digest(parts)
        self._remember(name, payload)
        with contextlib.suppress(OSError, sqlite3.Error):
            self._write(name, parts)
        return name

    def forget(self, key: str) -> None:
        with self._lock:
            self._forget(key)

    def expected(self, type_id: str) -> tuple[float, int] | None:
        """(seconds, bytes of memory) that this node type took on this machine, lately; None when it never ran.

        Seconds are a running mean; bytes are the most that any run needed.
        """
        with self._lock:
            row = self._db.execute("SELECT seconds, bytes FROM costs WHERE type = ?", (type_id,)).fetchone()
        return (float(row[0]), int(row[1])) if row else None

    def protect(self, digests: Iterable[str]) -> None:
        """Blobs that the running job still needs; an empty call lets all go."""
        self._protected = set(digests)

    def flush(self) -> None:
        """Write down what was used, then evict above the limit. Called at the end of a run."""
        with self._lock, contextlib.suppress(OSError, sqlite3.Error):
            now = time.time()
            self._db.executemany("UPDATE blobs SET used = ? WHERE digest = ?", [(now, d) for d in self._touched])
            self._db.commit()
            self._touched.clear()
            self._evict()

    def sweep(self) -> None:
        """Remove files that a kill left behind: parts, and blobs that the index does not know. Fresh ones may be
        another process's work."""
        with self._lock, contextlib.suppress(OSError, sqlite3.Error):
            known = {name for (name,) in self._db.execute("SELECT digest FROM blobs")}
            for path in (self.folder / "blobs").glob("*/*"):
                if path.name not in known and time.time() - path.stat().st_mtime > LITTER_S:
                    path.unlink()

    def disk_used(self) -> int:
        """Bytes of all blobs."""
        with self._lock:
            return int(self._db.execute("SELECT COALESCE(SUM(size), 0) FROM blobs").fetchone()[0])

    def memory_used(self) -> int:
        """Bytes of the payloads in the memory tier."""
        return self._memory_used

    def clear(self) -> None:
        """Remove every result."""
        with self._lock:
            self._db.executescript("DELETE FROM entries; DELETE FROM credits; DELETE FROM blobs;")
            self.release()
            shutil.rmtree(self.folder / "blobs", ignore_errors=True)
            (self.folder / "blobs").mkdir(exist_ok=True)

    def release(self) -> None:
        """Empty the memory tier."""
        with self._lock:
            self._memory.clear()
            self._memory_used = 0

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._db.close()

    def _open(self) -> sqlite3.Connection:
        """Wait for a process that is just making the same index; replace an index that is no database any more."""
        path = self.folder / "index.sqlite"
        patience = time.monotonic() + OPEN_S
        while True:
            try:
                return _connect(path)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > patience:
                    raise
                time.sleep(0.02)
            except sqlite3.DatabaseError:
                for part in self.folder.glob("index.sqlite*"):
                    part.unlink(missing_ok=True)

    def _row(self, digest: str) -> tuple[int, bytes | None] | None:
        row = self._db.execute("SELECT size, inline FROM blobs WHERE digest = ?", (digest,)).fetchone()
        if row is None or (row[1] is None and not self._path(digest).exists()):
            return None
        return int(row[0]), row[1]

    def _path(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest

    def _read(self, name: str, inline: bytes | None) -> Payload:
        try:
            data: Buffer = inline if inline is not None else _map(self._path(name))
        except (OSError, ValueError):
            raise KeyError(name) from None
        if digest([data]) != name:
            self._drop(name)
            raise StoreDamaged("A stored result does not match its checksum.", "It will be computed again.")
        return decode(data)

    def _write(self, name: str, pieces: list[Buffer], together: Collection[str] = ()) -> None:
        """``together``: blobs of the same result, which must not push each other out."""
        size = sum(len(piece) for piece in pieces)
        inline = b"".join(pieces) if size <= INLINE_BYTES else None
        if inline is None:
            self._write_file(name, pieces)
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)", (name, size, time.time(), inline))
            self._written += size
            if self._written > self.disk_bytes // 16:
                self._written = 0
                self._evict(together)

    def _write_file(self, name: str, pieces: list[Buffer]) -> None:
        path = self._path(name)
        if path.exists() and self._sound(name):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise

    def _sound(self, name: str) -> bool:
        try:
            return digest([_map(self._path(name))]) == name
        except (OSError, ValueError):
            return False

    def _insert(self, key: str, type_id: str, entry: Entry, peak_bytes: int) -> None:
        row = (key, type_id, json.dumps(entry.outputs), json.dumps(entry.notes), json.dumps(entry.files), entry.seconds)
        said = json.dumps([asdict(credit) for credit in entry.credits or ()])
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO credits VALUES (?, ?)", (key, said))
            self._db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
            self._db.execute(
                "INSERT INTO costs VALUES (?, ?, ?, 1) ON CONFLICT (type) DO UPDATE SET runs = runs + 1,"
                " bytes = MAX(bytes, excluded.bytes),"
                " seconds = seconds + (excluded.seconds - seconds) / MIN(runs + 1, 8)",
                (type_id, entry.seconds, peak_bytes),
            )

    def _remember(self, name: str, payload: Payload) -> None:
        size = nbytes(payload) + 512
        with self._lock:
            if name in self._memory or size > self.memory_bytes:
                return
            self._memory[name] = payload
            self._memory_used += size
            while self._memory_used > self.memory_bytes:
                _, old = self._memory.popitem(last=False)
                self._memory_used -= nbytes(old) + 512

    def _forget(self, key: str) -> None:
        self._unsaved.pop(key, None)
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("DELETE FROM entries WHERE key = ?", (key,))
            self._db.execute("DELETE FROM credits WHERE key = ?", (key,))

    def _drop(self, name: str) -> None:
        with self._lock:
            gone = self._memory.pop(name, None)
            if gone is not None:
                self._memory_used -= nbytes(gone) + 512
            with contextlib.suppress(OSError, sqlite3.Error):
                self._db.execute("DELETE FROM blobs WHERE digest = ?", (name,))
                self._path(name).unlink(missing_ok=True)

    def _evict(self, keep: Collection[str] = ()) -> None:
        """Least recently used files first; what is small enough for the index frees next to nothing and goes last."""
        excess = self.disk_used() - self.disk_bytes
        if excess <= 0:
            return
        rows = self._db.execute("SELECT digest, size FROM blobs ORDER BY inline IS NOT NULL, used").fetchall()
        for name, size in rows:
            if excess <= 0:
                return
            if name not in self._protected and name not in self._touched and name not in keep:
                self._drop(name)
                excess -= size


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=OPEN_S, check_same_thread=False, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _map(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
