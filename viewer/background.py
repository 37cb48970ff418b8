"""Work off the window's thread whose answer comes back to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal


class Background(QObject):
    """One helper thread. A new :meth:`start` for the same ``topic`` makes the older answer of that topic void."""

    _answered = Signal(str, int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="viewer")
        self._turn: dict[str, int] = {}
        self._waiting: dict[str, Callable[[Any], None]] = {}
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def start(self, topic: str, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Runs ``work`` in the helper thread, then ``then(answer)`` in the window's. A failure of ``work`` is silent:
        what is done here adds to the view and is never needed for it."""
        turn = self._turn[topic] = self._turn.get(topic, 0) + 1
        self._waiting[topic] = then
        self._pool.submit(self._unless_void, topic, turn, work).add_done_callback(
            lambda done: self._report(topic, turn, done)
        )

    def forget(self, topic: str) -> None:
        """Makes a pending answer void."""
        self._turn[topic] = self._turn.get(topic, 0) + 1
        self._waiting.pop(topic, None)

    def close(self) -> None:
        """Waits for the work in progress, drops the rest."""
        for topic in list(self._turn):
            self.forget(topic)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _unless_void(self, topic: str, turn: int, work: Callable[[], Any]) -> Any:
        return work() if self._turn.get(topic) == turn else None

    def _report(self, topic: str, turn: int, done: Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None and self._turn.get(topic) == turn:
            self._answered.emit(topic, turn, done.result())

    def _deliver(self, topic: str, turn: int, answer: Any) -> None:
        if self._turn.get(topic) == turn and topic in self._waiting:
            self._waiting.pop(topic)(answer)
