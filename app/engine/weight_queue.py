"""Downloads of weight cards that wait their turn: one runs on a thread of its own, the rest wait; none starts unasked.

What a stopped or broken download has brought stays on the disk, and asking again goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from app.engine.errors import Cancelled, EngineError
from app.engine.weight_fetch import fetch
from app.engine.weight_files import file_state, waiting_bytes
from app.engine.weights import WeightCard

DownloadState = Literal["waiting", "running", "paused", "failed", "done"]
TELL_EVERY_S = 0.1
SPEED_OVER_S = 4.0
PATIENCE_S = 2.0


@dataclass(frozen=True)
class Download:
    """One card on its way. ``done``: bytes that are here. ``speed``: bytes per second of late, 0 when not known.

    ``words``: why it failed and what can be done. ``mirror``: another address for the same files.
    """

    card: WeightCard
    mirror: str = ""
    state: DownloadState = "waiting"
    done: int = 0
    speed: float = 0.0
    words: str = ""

    @property
    def total(self) -> int:
        return self.card.download_bytes

    @property
    def fraction(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        return max(self.total - self.done, 0) / self.speed if self.speed > 0 else None

    @property
    def pending(self) -> bool:
        return self.state in ("waiting", "running")


class WeightQueue:
    """``changed``: called after every change, from any thread, never while a lock is held."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._entries: dict[str, Download] = {}
        self._thread: threading.Thread | None = None
        self._told = 0.0
        self._closed = False

    @property
    def entries(self) -> tuple[Download, ...]:
        """In the order in which they were asked for."""
        with self._lock:
            return tuple(self._entries.values())

    @property
    def pending(self) -> tuple[Download, ...]:
        return tuple(entry for entry in self.entries if entry.pending)

    def entry(self, handle: str) -> Download | None:
        """The download of the card with this handle, if it was asked for."""
        with self._lock:
            return self._entries.get(handle)

    def add(self, card: WeightCard, mirror: str = "") -> None:
        """Get a card, after those that were asked for before. One that was paused or failed goes on."""
        with self._lock:
            known = self._entries.get(card.handle)
            if known is not None and known.pending:
                return
            self._entries.pop(card.handle, None)
            self._entries[card.handle] = Download(card, mirror, done=known.done if known else 0)
            self._start()
        self._changed()

    def pause(self, handle: str) -> None:
        """Stop it and keep what has come. One that runs stops at its next block of data."""
        self._become(handle, "paused")

    def remove(self, handle: str) -> None:
        """Take it off the list, whatever its state; what has come stays on the disk."""
        with self._lock:
            self._entries.pop(handle, None)
        self._changed()

    def forget_ended(self) -> None:
        with self._lock:
            self._entries = {handle: entry for handle, entry in self._entries.items() if entry.state != "done"}
        self._changed()

    def close(self, wait_s: float = PATIENCE_S) -> None:
        """Stop everything. A connection that is stuck is left to end with the program; files stay sound."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(wait_s)

    def _become(self, handle: str, state: DownloadState) -> None:
        with self._lock:
            entry = self._entries.get(handle)
            if entry is None or not entry.pending:
                return
            self._entries[handle] = replace(entry, state=state, speed=0.0)
        self._changed()

    def _start(self) -> None:
        """With the lock held: a thread, unless one is there that will look."""
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="weights", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                entry = next((e for e in self._entries.values() if e.state == "waiting"), None)
                if entry is None or self._closed:
                    self._thread = None
                    return
                entry = self._entries[entry.card.handle] = replace(entry, state="running", words="")
            self._changed()
            self._put(self._carry_out(entry))
            self._changed()

    def _carry_out(self, entry: Download) -> Download:
        try:
            fetch(entry.card, _Count(entry, self._progressed), entry.mirror)
        except Cancelled:
            return replace(entry, state="paused", done=_here(entry.card))
        except EngineError as error:
            words = f"{error.message} {error.advice}".strip()
            return replace(entry, state="failed", done=_here(entry.card), words=words)
        except Exception as error:
            return replace(entry, state="failed", done=_here(entry.card), words=f"{type(error).__name__}: {error}")
        return replace(entry, state="done", done=entry.total)

    def _progressed(self, entry: Download) -> None:
        """Raises :class:`Cancelled` when this download is no longer wanted."""
        now = time.monotonic()
        with self._lock:
            mine = self._entries.get(entry.card.handle)
            if self._closed or mine is None or mine.state != "running":
                raise Cancelled
            self._entries[entry.card.handle] = entry
            tell = now - self._told >= TELL_EVERY_S
            self._told = now if tell else self._told
        if tell:
            self._changed()

    def _put(self, entry: Download) -> None:
        """The end of a download. One that was asked for again meanwhile waits for its next turn."""
        with self._lock:
            mine = self._entries.get(entry.card.handle)
            if mine is not None and (entry.state == "done" or mine.state == "running"):
                self._entries[entry.card.handle] = entry
            elif mine is not None and mine.state == "paused":
                self._entries[entry.card.handle] = replace(mine, done=entry.done)


class _Count:
    """Adds up the files of a card for :func:`fetch`, and measures the speed over the last seconds."""

    def __init__(self, entry: Download, tell: Callable[[Download], None]) -> None:
        self._entry, self._tell = entry, tell
        self._came = {file.name: file.size for file in entry.card.files if file_state(entry.card, file) == "ready"}
        self._marks: deque[tuple[float, int]] = deque()

    def __call__(self, name: str, done: int, total: int) -> None:
        self._came[name] = done
        now, there = time.monotonic(), min(sum(self._came.values()), self._entry.total)
        self._marks.append((now, there))
        while now - self._marks[0][0] > SPEED_OVER_S:
            self._marks.popleft()
        then, had = self._marks[0]
        speed = max(there - had, 0) / (now - then) if now - then > 0.2 else 0.0
        self._tell(replace(self._entry, done=there, speed=speed))


def _here(card: WeightCard) -> int:
    """Bytes of a card that are on this machine already, whole files and unfinished ones."""
    ready = sum(file.size for file in card.files if file_state(card, file) == "ready")
    return min(ready + waiting_bytes(card), card.download_bytes)
