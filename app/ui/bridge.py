"""Carries worker events from the reader thread to the window thread."""

from __future__ import annotations

from threading import Lock

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.engine.events import Event, Progressed

BATCH = 200


class Bridge(QObject):
    """``post`` may be called from any thread; ``arrived(list of events)`` fires on the window thread, in order.

    Progress of a node that nobody has looked at yet is replaced by newer progress, and a flood comes in batches with
    room between them, so that neither a chatty node nor a thousand quick ones stop the window.
    """

    arrived = Signal(object)
    _waiting = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        self._queue: list[Event] = []
        self._open = True
        self._waiting.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def post(self, event: Event) -> None:
        with self._lock:
            if not self._open:
                return
            wake = not self._queue
            last = self._queue[-1] if self._queue else None
            if isinstance(event, Progressed) and isinstance(last, Progressed) and last.node_id == event.node_id:
                self._queue[-1] = event
            else:
                self._queue.append(event)
        if wake:
            self._waiting.emit()

    def forget(self) -> None:
        """Drop what waits: the worker that said it is gone."""
        with self._lock:
            self._queue.clear()

    def close(self) -> None:
        """Nothing is delivered from now on."""
        with self._lock:
            self._open = False
            self._queue.clear()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            events, self._queue = self._queue[:BATCH], self._queue[BATCH:]
            more = bool(self._queue)
        if events:
            self.arrived.emit(events)
        if more:
            self._waiting.emit()
