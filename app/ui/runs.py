"""Running the graph: submit, cancel, and the automatic re-run in which the newest edit wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.engine.errors import EngineError
from app.engine.events import Event, RunFinished
from app.engine.graph import Graph
from app.engine.logbook import Logbook
from app.engine.report import RunReport
from app.engine.store import Store
from app.ui.changes import same_results
from app.ui.progress import Progress
from app.ui.session import Session
from app.ui.status import Status

AUTO_MS = 400


class WorkerFace(Protocol):
    """What the window asks of a worker; ``app.engine.worker.Worker`` has it."""

    @property
    def store(self) -> Store: ...

    def submit(self, graph: Graph, base: Path, out: Path, targets: Iterable[str] | None = None) -> int: ...

    def cancel(self, run_id: int | None = None) -> None: ...

    def release_memory(self) -> None: ...

    def close(self) -> None: ...


class Runs(QObject):
    """``started()``, ``progressed()``, ``finished(status, seconds)``, ``refused(EngineError)``.

    ``auto``: run again by itself after every edit that changes a result. ``report``, ``targets``, ``out``: of the last
    run.
    """

    started = Signal()
    progressed = Signal()
    finished = Signal(str, float)
    refused = Signal(object)

    def __init__(self, session: Session, status: Status, worker: Callable[[], WorkerFace]) -> None:
        super().__init__(session)
        self.progress = Progress({})
        self.report = RunReport(Graph())
        self.targets: tuple[str, ...] | None = None
        self.log: Logbook | None = None
        self.run_id: int | None = None
        self.auto = False
        self._session, self._status, self._worker = session, status, worker
        self._graph = Graph()
        self._fresh = True
        self.out = Path()
        self._timer = QTimer(self, singleShot=True, interval=AUTO_MS)
        self._timer.timeout.connect(self.run_auto)
        session.editor.opened.connect(self._on_opened)
        session.editor.changed.connect(self._on_changed)

    @property
    def running(self) -> bool:
        return self.run_id is not None

    def run(self, targets: Iterable[str] | None = None) -> None:
        """Run the graph as it is now; later edits do not reach this run. A run in progress gives way."""
        self._timer.stop()
        graph = self._session.editor.graph
        if not graph.nodes:
            return
        worker = self._worker()
        if self.run_id is not None:
            worker.cancel(self.run_id)
        self.out = self._session.out
        self.targets = None if targets is None else tuple(targets)
        self.progress, self.report = Progress(self._status.plan.expected), RunReport(graph)
        try:
            self.run_id = worker.submit(graph, self._session.base, self.out, self.targets)
        except EngineError as error:
            self.run_id = None
            self.refused.emit(error)
            return
        self._status.submitted(self.run_id)
        if self.log is not None:
            self.log.submitted(self.run_id, graph, self._session.name)
        self.started.emit()

    def run_auto(self) -> None:
        """What the automatic re-run does when the person pauses."""
        if self.auto:
            self.run()

    def cancel(self) -> None:
        self._timer.stop()
        if self.run_id is not None:
            self._worker().cancel(self.run_id)

    def stop_now(self) -> None:
        """The worker is about to go; its last events will not come."""
        self.cancel()
        if self.run_id is not None:
            self.on_events([RunFinished(self.run_id, "cancelled", 0.0)])

    def on_events(self, events: Sequence[Event]) -> None:
        """A batch from the bridge."""
        self._status.on_events(events)
        mine = [event for event in events if event.run_id == self.run_id]
        for event in mine:
            self.progress.event(event, time.monotonic())
            self.report.add(event)
        last = mine[-1] if mine else None
        if isinstance(last, RunFinished):
            self.run_id = None
            self.finished.emit(last.status, last.seconds)
        elif mine:
            self.progressed.emit()

    def _on_opened(self) -> None:
        self.cancel()
        self._fresh = True

    def _on_changed(self, graph: Graph) -> None:
        before, self._graph = self._graph, graph
        fresh, self._fresh = self._fresh, False
        if self.auto and not fresh and not same_results(before, graph):
            self._timer.start()
