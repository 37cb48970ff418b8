"""One helper thread that computes for the window: the newest job of a tag replaces one that still waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

Job = Callable[[], Any]
Then = Callable[[Any], None]


class Background(QObject):
    """``submit(tag, job, then)`` runs ``job`` on the helper thread and ``then(result)`` on the window thread."""

    _finished = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: OrderedDict[str, tuple[Job, Then, Then]] = OrderedDict()
        self._wake = Condition()
        self._closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, tag: str, job: Job, then: Then, failed: Then | None = None) -> None:
        """``failed`` receives the exception of the job; without it, the exception is raised on the window thread."""
        with self._wake:
            self._waiting[tag] = (job, then, failed or _raise)
            self._waiting.move_to_end(tag)
            self._wake.notify()

    def forget(self) -> None:
        """Drop every job that still waits."""
        with self._wake:
            self._waiting.clear()

    def close(self) -> None:
        """Finish the job at hand and end the thread."""
        with self._wake:
            self._closed = True
            self._waiting.clear()
            self._wake.notify()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                _, (job, then, failed) = self._waiting.popitem(last=False)
            try:
                result = job()
            except Exception as error:
                then, result = failed, error
            if not self._closed:
                self._finished.emit((then, result))

    @Slot(object)
    def _deliver(self, outcome: tuple[Then, Any]) -> None:
        if not self._closed:
            then, result = outcome
            then(result)


def _raise(error: Exception) -> None:
    raise error
