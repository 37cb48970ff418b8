"""Runs that wait their turn: several graphs, or one graph with several settings. Kept in a file, so that they survive.

The queue hands one run at a time to the worker and keeps the rest; a run that the person starts by hand while a queued
one is under way therefore comes next, and the queue goes on after it. Not for several threads at once.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from app.engine import graph_file
from app.engine.errors import BadGraphFile, EngineError
from app.engine.events import Event, RunFinished, RunStarted
from app.engine.graph import Graph

State = Literal["waiting", "handed", "running", "ok", "partial", "failed", "cancelled", "invalid"]
FORMAT = 1
PENDING = ("waiting", "handed", "running")
MOST_ENDED = 50


class Hands(Protocol):
    """What the queue asks of a worker; ``app.engine.worker.Worker`` has it."""

    def submit(self, graph: Graph, base: Path, out: Path, targets: Iterable[str] | None = None) -> int: ...

    def cancel(self, run_id: int | None = None) -> None: ...


@dataclass(frozen=True)
class Entry:
    """One run. ``graph`` is a snapshot: later edits do not reach it. ``number`` names it in this queue."""

    number: int
    name: str
    graph: Graph
    base: Path
    out: Path
    targets: tuple[str, ...] | None = None
    state: State = "waiting"
    run_id: int | None = None
    seconds: float = 0.0
    words: str = ""

    @property
    def pending(self) -> bool:
        return self.state in PENDING


class RunQueue:
    """``file``: where what is pending is kept. ``worker``: asked anew each time, it may have been replaced.

    ``changed``: called after every change. Feed :meth:`take` every event of the worker.
    """

    def __init__(self, file: Path, worker: Callable[[], Hands], changed: Callable[[], None] = lambda: None) -> None:
        self.file, self._worker, self._changed = file, worker, changed
        self.entries: tuple[Entry, ...] = ()
        self.paused = False
        self.trouble = ""
        self._numbers = itertools.count(1)
        self._withdrawn: set[int] = set()

    @property
    def current(self) -> Entry | None:
        """The run that the worker has, if any."""
        return next((entry for entry in self.entries if entry.state in ("handed", "running")), None)

    @property
    def waiting(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.state == "waiting")

    def owns(self, run_id: int) -> bool:
        return run_id in self._withdrawn or any(entry.run_id == run_id for entry in self.entries)

    def entry(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.number == number), None)

    def add(self, name: str, graph: Graph, base: Path, out: Path, targets: Iterable[str] | None = None) -> int:
        """Put a run at the end and return its number."""
        number = next(self._numbers)
        wanted = None if targets is None else tuple(targets)
        self._set((*self.entries, Entry(number, name, graph, base.absolute(), out.absolute(), wanted)))
        self._next()
        return number

    def pause(self) -> None:
        """Start nothing more. The run that is under way goes on; one that the worker has not begun comes back."""
        self.paused = True
        current = self.current
        if current is not None and current.state == "handed":
            self._withdraw(current)
        self._set(self.entries)

    def resume(self) -> None:
        self.paused = False
        self._set(self.entries)
        self._next()

    def move(self, number: int, by: int) -> None:
        """Earlier (negative) or later among those that wait."""
        numbers = [entry.number for entry in self.waiting]
        if number in numbers:
            place = numbers.index(number)
            numbers.insert(max(0, min(len(numbers) - 1, place + by)), numbers.pop(place))
            self.reorder(numbers)

    def reorder(self, numbers: Sequence[int]) -> None:
        """Those that wait, in this order; what is not named keeps its order behind them."""
        place = {number: i for i, number in enumerate(numbers)}
        ordered = iter(sorted(self.waiting, key=lambda entry: place.get(entry.number, len(place))))
        self._set(tuple(next(ordered) if entry.state == "waiting" else entry for entry in self.entries))

    def remove(self, number: int) -> None:
        """Take one off the list; one that runs is cancelled and stays listed as cancelled."""
        entry = self.entry(number)
        if entry is None:
            return
        if entry.state in ("handed", "running") and entry.run_id is not None:
            self._worker().cancel(entry.run_id)
        else:
            self._set(tuple(other for other in self.entries if other.number != number))

    def forget_ended(self) -> None:
        self._set(tuple(entry for entry in self.entries if entry.pending))

    def take(self, event: Event) -> None:
        """An event of the worker, of any run."""
        if isinstance(event, RunFinished) and event.run_id in self._withdrawn:
            self._withdrawn.discard(event.run_id)
            return
        current = self.current
        if current is None or event.run_id != current.run_id:
            return
        if isinstance(event, RunStarted) and current.state == "handed":
            self._put(replace(current, state="running"))
        elif isinstance(event, RunFinished):
            self._put(replace(current, state=event.status, seconds=event.seconds))
            self._next()

    def worker_gone(self) -> None:
        """The worker ends: what it had waits again, first in line. :meth:`go_on` when there is a new one."""
        self._withdrawn.clear()
        ended = tuple(replace(entry, run_id=None) for entry in self.entries)
        self._set(tuple(replace(e, state="waiting") if e.pending else e for e in ended))

    def go_on(self) -> None:
        self._next()

    def restore(self, file: Path) -> int:
        """Take over what an earlier start left in ``file``: it waits, paused, until the person resumes. How many."""
        found = _read(file)
        numbered = tuple(replace(entry, number=next(self._numbers)) for entry in found)
        if numbered:
            self.paused = True
            self._set((*self.entries, *numbered))
        if file != self.file:
            with contextlib.suppress(OSError):
                file.unlink()
        return len(numbered)

    def _withdraw(self, entry: Entry) -> None:
        assert entry.run_id is not None
        self._withdrawn.add(entry.run_id)
        self._put(replace(entry, state="waiting", run_id=None))
        self._worker().cancel(entry.run_id)

    def _next(self) -> None:
        if self.paused or self.current is not None or not self.waiting:
            return
        entry = self.waiting[0]
        try:
            run_id = self._worker().submit(entry.graph, entry.base, entry.out, entry.targets)
        except EngineError as error:
            self.paused = True
            self._put(replace(entry, words=f"{error.message} {error.advice}".strip()))
            return
        self._put(replace(entry, state="handed", run_id=run_id, words=""))

    def _put(self, entry: Entry) -> None:
        self._set(tuple(entry if other.number == entry.number else other for other in self.entries))

    def _set(self, entries: tuple[Entry, ...]) -> None:
        ended = [entry.number for entry in entries if not entry.pending]
        surplus = set(ended[:-MOST_ENDED])
        self.entries = tuple(entry for entry in entries if entry.number not in surplus)
        self._keep()
        self._changed()

    def _keep(self) -> None:
        """What is pending, on the disk, whole or not at all. A disk that refuses is said, once it does."""
        pending = [_json(entry) for entry in self.entries if entry.pending]
        try:
            if pending:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps({"format": FORMAT, "paused": self.paused, "runs": pending}, indent=1)
                graph_file.write_whole(self.file, text.encode())
            else:
                self.file.unlink(missing_ok=True)
            self.trouble = ""
        except OSError as error:
            self.trouble = f"The queue cannot be kept on the disk: {error.strerror or error}."


def _json(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "graph": graph_file.dumps(entry.graph),
        "base": str(entry.base),
        "out": str(entry.out),
        "targets": None if entry.targets is None else list(entry.targets),
    }


def _read(file: Path) -> list[Entry]:
    """Entries of a queue file; one that cannot be read is set aside, not deleted."""
    try:
        data = json.loads(file.read_text("utf-8"))
        return [_entry(item) for item in data["runs"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError, BadGraphFile):
        with contextlib.suppress(OSError):
            file.replace(file.with_suffix(".unreadable"))
        return []


def _entry(item: Any) -> Entry:
    targets = item["targets"]
    return Entry(
        0,
        str(item["name"]),
        graph_file.loads(item["graph"]),
        Path(item["base"]),
        Path(item["out"]),
        None if targets is None else tuple(str(id) for id in targets),
    )
