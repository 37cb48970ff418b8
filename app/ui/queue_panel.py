"""The list of queued runs beside the log: what runs, what waits, what came of it, and the buttons to order it."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QToolButton, QVBoxLayout, QWidget

from app.engine.events import Event
from app.engine.run_queue import Entry, RunQueue
from app.ui import theme
from app.ui.badges import duration
from app.ui.progress import Progress, in_words
from app.ui.widgets import label, tool_button

_NUMBER = Qt.ItemDataRole.UserRole
ENDINGS = {
    "ok": ("check", theme.GOOD, "done"),
    "partial": ("warning", theme.WARN, "done in part: some nodes failed"),
    "failed": ("warning", theme.BAD, "failed"),
    "cancelled": ("cancel", theme.DIM, "cancelled"),
    "invalid": ("warning", theme.BAD, "not run: the graph has problems"),
}


class QueuePanel(QWidget):
    """``add_wanted()``: queue the graph on screen. ``files_wanted()``: queue graph files. Shows ``queue``; the buttons
    act on the selected entry."""

    add_wanted = Signal()
    files_wanted = Signal()

    def __init__(self, queue: RunQueue) -> None:
        super().__init__()
        self.queue = queue
        self.progress = Progress({})
        self._numbers: tuple[int, ...] = ()
        self.list = QListWidget()
        self.list.currentRowChanged.connect(lambda _: self._update_buttons())
        self.remark = label(role="dim", wrap=True)
        self.add = self._button("new", "Queue the graph as it is now (Ctrl+F5)", self.add_wanted.emit)
        self.files = self._button("open", "Queue graph files …", self.files_wanted.emit)
        self.pause = self._button("pause", "", self._toggle)
        self.up = self._button("up", "Earlier", lambda: self.queue.move(self.selected, -1))
        self.down = self._button("down", "Later", lambda: self.queue.move(self.selected, 1))
        self.remove = self._button("cancel", "Take off the list; a run under way is cancelled", self._remove)
        self.clear = self._button("trash", "Forget the runs that ended", lambda: self.queue.forget_ended())
        self._lay_out()
        self.refresh()

    @property
    def selected(self) -> int:
        """Number of the selected entry, 0 without one."""
        item = self.list.currentItem()
        return int(item.data(_NUMBER)) if item is not None else 0

    def select(self, number: int) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(_NUMBER) == number:
                self.list.setCurrentRow(row)

    def take(self, event: Event) -> None:
        """An event of the run under way, for its line."""
        self.progress.event(event, time.monotonic())
        self.refresh()

    def refresh(self) -> None:
        """Say again what is in the queue; the selected entry stays selected."""
        entries, chosen = self.queue.entries, self.selected
        numbers = tuple(entry.number for entry in entries)
        if numbers != self._numbers:
            self.list.clear()
            for number in numbers:
                QListWidgetItem(self.list).setData(_NUMBER, number)
            self._numbers = numbers
            self.select(chosen)
        for row, entry in enumerate(entries):
            self._show(self.list.item(row), entry)
        self._update_buttons()

    def begin(self) -> None:
        """Another run is under way: its progress starts anew."""
        self.progress = Progress({})

    def _show(self, item: QListWidgetItem, entry: Entry) -> None:
        icon, colour, words = ENDINGS.get(entry.state, ("run", theme.ACCENT, ""))
        if entry.state == "waiting":
            icon, colour, words = "pause" if self.queue.paused else "queue", theme.DIM, entry.words or "waits"
        elif entry.state == "handed":
            words = "starts when the present run has ended"
        elif entry.state == "running":
            words = self._running()
        took = f" · {duration(entry.seconds)}" if entry.seconds else ""
        item.setText(f"{entry.name}   {words}{took}")
        item.setIcon(theme.icon(icon, colour))
        item.setToolTip(f"{entry.base}\nResults: {entry.out}")

    def _running(self) -> str:
        done, total = self.progress.done
        left = self.progress.left(time.monotonic())
        return f"{done} of {total}" + (f", about {in_words(left)} left" if left is not None else "")

    def _update_buttons(self) -> None:
        waiting = [entry.number for entry in self.queue.waiting]
        place = waiting.index(self.selected) if self.selected in waiting else -1
        self.up.setEnabled(place > 0)
        self.down.setEnabled(0 <= place < len(waiting) - 1)
        self.remove.setEnabled(bool(self.selected))
        self.clear.setEnabled(any(not entry.pending for entry in self.queue.entries))
        paused = self.queue.paused
        self.pause.setIcon(theme.icon("run" if paused else "pause", theme.GOOD if paused else theme.TEXT))
        self.pause.setToolTip("Go on with the queue" if paused else "Pause: start nothing more after the present run")
        empty = "" if self.queue.entries else "Nothing is queued."
        self.remark.setText(self.queue.trouble or ("The queue is paused." if paused and waiting else empty))

    def _toggle(self) -> None:
        self.queue.resume() if self.queue.paused else self.queue.pause()

    def _remove(self) -> None:
        if self.selected:
            self.queue.remove(self.selected)

    def _button(self, icon: str, tip: str, call: object) -> QToolButton:
        button = tool_button(icon, tip)
        button.clicked.connect(call)
        return button

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setContentsMargins(6, 2, 6, 0)
        for button in (self.add, self.files, self.pause, self.up, self.down, self.remove, self.clear):
            tools.addWidget(button)
        tools.addSpacing(10)
        tools.addWidget(self.remark, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(tools)
        layout.addWidget(self.list, 1)
