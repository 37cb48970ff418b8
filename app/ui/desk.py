"""Everything of the window that is not a widget: editor, document, worker, plan, results, helper threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.engine.errors import CannotWrite
from app.engine.events import Event, RunStarted
from app.engine.logbook import Logbook
from app.engine.registry import Registry
from app.engine.run_queue import RunQueue
from app.engine.store import Store
from app.ui.background import Background
from app.ui.bridge import Bridge
from app.ui.editor import Editor
from app.ui.runs import Runs, WorkerFace
from app.ui.session import Session
from app.ui.settings import Settings
from app.ui.status import Status
from app.ui.weights import Weights

MakeRegistry = Callable[[], Registry]
MakeWorker = Callable[[Callable[[Event], None]], WorkerFace]


class Desk(QObject):
    """``make_registry`` and ``make_worker`` are called again when the settings that they read have changed.

    ``queue_changed()``; ``queue_said(list of (name, output folder, event))``: events of queued runs.
    """

    queue_changed = Signal()
    queue_said = Signal(object)

    def __init__(self, settings: Settings, make_registry: MakeRegistry, make_worker: MakeWorker) -> None:
        super().__init__()
        self.settings = settings
        self._make_registry, self._make_worker = make_registry, make_worker
        self.helper = Background("window helper", self)
        self.artist = Background("thumbnails", self)
        self.bridge = Bridge(self)
        self.trouble = ""
        self.worker = self._start_worker()
        self.editor = Editor(make_registry(), parent=self)
        self.session = Session(self.editor, settings, self)
        self.weights = Weights(self.editor, settings, self)
        self.status = Status(self.session, self.store, self.helper)
        self.runs = Runs(self.session, self.status, lambda: self.worker)
        self.runs.auto = settings.auto_run
        self.logbook = Logbook(settings.data / "logs", "the window")
        self.runs.log = self.logbook
        stem = self.session.journal.file.stem
        self.queue = RunQueue(settings.data / "queue" / f"{stem}.queue", lambda: self.worker, self.queue_changed.emit)
        self.bridge.arrived.connect(self.runs.on_events)
        self.bridge.arrived.connect(self._on_events)

    def store(self) -> Store:
        return self.worker.store

    def took(self, type_id: str) -> float | None:
        """Seconds that a node type takes on this machine, if it ever ran."""
        known = self.store().expected(type_id)
        return known[0] if known else None

    def reload(self) -> None:
        """Other node folders, another device or another store: new node types and a new worker."""
        self.runs.stop_now()
        self.queue.worker_gone()
        self.helper.forget()
        self.artist.forget()
        self.worker.close()
        self.bridge.forget()
        self.worker = self._start_worker()
        self.editor.registry = self._make_registry()
        self.status.replan()
        self.queue.go_on()

    def _on_events(self, events: Sequence[Event]) -> None:
        """After the runs: into the log file, and to the queue where they belong to it."""
        said: list[tuple[str, Path, Event]] = []
        for event in events:
            entry = self.queue.current
            if entry is not None and event.run_id == entry.run_id:
                if isinstance(event, RunStarted):
                    self.logbook.submitted(event.run_id, entry.graph, f"{entry.name} (queued)")
                said.append((entry.name, entry.out, event))
            self.logbook.take(event)
            self.queue.take(event)
        if said:
            self.queue_said.emit(said)

    def _start_worker(self) -> WorkerFace:
        """With the usual store when the chosen one cannot be used (an unplugged disk); ``trouble`` says so."""
        try:
            return self._make_worker(self.bridge.post)
        except CannotWrite as error:
            if self.settings.store_folder is None:
                raise
            self.trouble = f"{error.message} The usual folder is used instead."
            self.settings.store_folder = None
            return self._make_worker(self.bridge.post)

    def close(self) -> None:
        """The window is closing; the journal goes, threads and worker end."""
        self.editor.undo_stack.blockSignals(True)
        self.bridge.close()
        self.session.close()
        self.weights.close()
        self.helper.close()
        self.artist.close()
        self.worker.close()
        self.logbook.close()
        self.settings.sync()
