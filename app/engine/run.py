"""What a running node may ask of the engine."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event

from app.engine.credits import Credit
from app.engine.devices import choose_device
from app.engine.errors import Cancelled
from app.engine.models import ModelPool
from app.engine.payloads import Payload

PREVIEW_EVERY_S = 0.25


def _ignore(*_: object) -> None:
    return None


@dataclass
class Run:
    """Given to a node whose first argument is annotated ``Run``. ``Run()`` alone works in a test or a notebook.

    ``models``: the pool of loaded models. ``log``: a logger under the node's name. ``graph_text``: the graph this
    result comes from, as ``.graph`` text (not part of the key). ``wanted_device``: as on the command line.
    ``credits``: of everything that came in, for a node declared with ``credits=True``. ``notes``, ``said``: remarks and
    credits so far. ``say``: like ``report``, for words that must get through.
    """

    report: Callable[[float, str], None] = _ignore
    show: Callable[[Payload], None] = _ignore
    models: ModelPool = field(default_factory=ModelPool)
    stop: Event = field(default_factory=Event)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("polyloom.node"))
    wanted_device: str = "auto"
    graph_text: str = ""
    notes: list[str] = field(default_factory=list)
    credits: tuple[Credit, ...] = ()
    said: list[Credit] = field(default_factory=list)
    say: Callable[[float, str], None] = _ignore
    _last: float = 0.0
    _note: str = ""
    _last_preview: float = -PREVIEW_EVERY_S

    def progress(self, fraction: float, note: str = "") -> None:
        """Report 0..1 and leave the node here if the person pressed Cancel. Never goes backwards."""
        self.check()
        self._last, self._note = max(self._last, min(1.0, float(fraction))), note
        self.report(self._last, note)

    def aside(self, words: str) -> None:
        """Say what the node waits for, such as a compiler, without progress; empty: it goes on with what it said."""
        self.say(self._last, words or self._note)

    def check(self) -> None:
        """A stop point without progress: raises :class:`Cancelled` when the run was cancelled."""
        if self.stop.is_set():
            raise Cancelled

    @property
    def preview_due(self) -> bool:
        """Whether a preview would get through now: asked before making one that costs time."""
        return time.monotonic() - self._last_preview >= PREVIEW_EVERY_S

    def preview(self, payload: Payload) -> None:
        """Show an intermediate result. At most four a second get through; the rest are dropped."""
        self.check()
        if self.preview_due:
            self._last_preview = time.monotonic()
            self.show(payload)

    def warn(self, message: str) -> None:
        """A remark shown on the node and kept with its result, such as "used the fallback: box projection"."""
        if message not in self.notes:
            self.notes.append(message)
        self.log.info(message)

    def credit(self, credit: Credit) -> None:
        """Name a work that this result is made from, such as the file that was read; kept with the result.

        Every later step that writes files passes it on. The weights of ``models=`` are named by the engine.
        """
        if credit not in self.said:
            self.said.append(credit)

    @cached_property
    def device(self) -> str:
        """``cuda``, ``mps`` or ``cpu``."""
        return choose_device(self.wanted_device)

    @cached_property
    def scratch(self) -> Path:
        """An empty folder of this call's own; the engine removes it afterwards."""
        return Path(tempfile.mkdtemp(prefix="polyloom-"))


_at_work: list[Run] = []


@contextmanager
def working(run: Run) -> Iterator[None]:
    """While a node is called with ``run``, helpers that nobody hands one reach it through :func:`at_work`."""
    _at_work.append(run)
    try:
        yield
    finally:
        _at_work.remove(run)


def at_work() -> Run | None:
    """The run of the node that this process is calling, from whatever thread; None outside of the engine."""
    return _at_work[-1] if _at_work else None
