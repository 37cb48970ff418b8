"""Memory: tell its errors apart, make room, and learn what each node type needs on this machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from app.engine.models import ModelPool

SAMPLE_EVERY_S = 0.02
LOST_GPU = 77
_STICKY = ("device-side assert", "illegal memory access", "unspecified launch failure", "misaligned address")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether numpy, torch or the system said that memory ran out; torch is recognised without importing it."""
    return isinstance(error, MemoryError) or type(error).__name__ in ("OutOfMemoryError", "OutOfMemory")


def is_lost_gpu(error: BaseException) -> bool:
    """Whether this is a GPU error that stays until the process ends: every later call would fail, too."""
    text = str(error)
    return ("CUDA error" in text or type(error).__name__ == "AcceleratorError") and any(
        word in text for word in _STICKY
    )


def make_room(models: ModelPool) -> None:
    """Drop every model that no node is using and give cached GPU memory back."""
    models.release()


def resident_bytes() -> int | None:
    """Bytes of memory this process holds now, or None where the system does not say (Linux says)."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def available_bytes() -> int | None:
    """Bytes of memory that a new task can have on this machine, or None where the system does not say."""
    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError, psutil.Error):
        return None


class Gauge:
    """Samples this process's memory while it is on: ``begin()``, then ``peak()`` gives the most bytes above that.

    In a ``with`` statement; one thread samples for all calls.
    """

    def __init__(self) -> None:
        self._start = self._most = 0
        self._off = threading.Event()

    def __enter__(self) -> Gauge:
        if resident_bytes() is not None:
            threading.Thread(target=self._watch, name="memory", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._off.set()

    def begin(self) -> None:
        self._start = self._most = resident_bytes() or 0

    def peak(self) -> int:
        """Bytes above the start, sampled; a short peak between two samples is missed."""
        self._look()
        return self._most - self._start

    def _watch(self) -> None:
        while not self._off.wait(SAMPLE_EVERY_S):
            self._look()

    def _look(self) -> None:
        self._most = max(self._most, resident_bytes() or 0)
