"""The right end of the status bar: how far the run is, what is running, how long it may take, and Cancel."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from app.ui import theme
from app.ui.badges import duration
from app.ui.forecast import Forecast
from app.ui.progress import Progress, in_words
from app.ui.widgets import label, set_look, tool_button

ENDINGS = {
    "ok": ("Done", theme.GOOD),
    "partial": ("Done in part: some nodes failed", theme.WARN),
    "failed": ("Failed", theme.BAD),
    "cancelled": ("Cancelled", theme.DIM),
    "invalid": ("Not run: the graph has problems", theme.BAD),
}
PREPARING_TIP = (
    "Done once on each computer, beside your work, which need not wait for it.\n"
    "A tool that is not ready yet takes some seconds longer the first time."
)


class RunBar(QWidget):
    """``cancel_wanted()``: the button, or Escape while the bar has the focus."""

    cancel_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel("Ready")
        self.count = QLabel()
        self.left = label(role="dim")
        self.forecast = label(role="dim")
        self.lacking = label(role="warn")
        self.lacking.setToolTip("Click the mark on a node to get its weights. The rest of the graph runs without them.")
        self.preparing = label(role="dim")
        self.preparing.setToolTip(PREPARING_TIP)
        self.preparing.setContentsMargins(0, 0, 16, 0)
        self.bar = QProgressBar(textVisible=False, maximum=1000)
        self.bar.setFixedWidth(220)
        self.cancel = tool_button("cancel", "Cancel the run (Shift+F5)", theme.BAD)
        self.cancel.clicked.connect(self.cancel_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.setSpacing(10)
        layout.addWidget(self.text, 1)
        for part in (self.preparing, self.forecast, self.lacking, self.count, self.left, self.bar, self.cancel):
            layout.addWidget(part)
        self.show_idle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.cancel.isEnabled():
            self.cancel_wanted.emit()
        else:
            super().keyPressEvent(event)

    def show_idle(self, text: str = "Ready", colour: str = theme.DIM) -> None:
        self._show_running(False)
        self.text.setText(f"<span style='color:{colour}'>{text}</span>")

    def show_note(self, text: str, colour: str) -> None:
        """Something happened beside a run; during one the run matters more."""
        if not self.cancel.isEnabled():
            self.show_idle(escape(text), colour)

    def show_forecast(self, seen: Forecast) -> None:
        """What the next run would do; hidden while one is under way."""
        self.forecast.setText(seen.text)
        self.forecast.setToolTip(seen.details)
        set_look(self.forecast, "role", "dim" if seen.fits else "bad")

    def show_lacking(self, nodes: int) -> None:
        """How many nodes of the graph lack weights."""
        self.lacking.setText(f"{nodes} {'node lacks' if nodes == 1 else 'nodes lack'} weights" if nodes else "")
        self.lacking.setVisible(bool(nodes) and not self.cancel.isEnabled())

    def show_preparing(self, part: float) -> None:
        """How much of the tools is ready for this computer, 0..1; nothing is said of all of it."""
        self.preparing.setText(f"Preparing tools for this computer: {int(part * 100)} %" if part < 1 else "")
        self.preparing.setVisible(part < 1 and not self.cancel.isEnabled())

    def show_submitted(self, behind: str = "") -> None:
        """A run was asked for; the worker may still have to start, or to end the run called ``behind``."""
        self._show_running(True)
        self.text.setText(f"Waits for the queued run of {behind} …" if behind else "Starting …")
        self.bar.setValue(0)
        self.count.clear()
        self.left.clear()

    def show_progress(self, progress: Progress, title: str, now: float) -> None:
        done, total = progress.done
        left = progress.left(now)
        self.text.setText(f"{title} · {progress.note}" if progress.note else title)
        self.count.setText(f"{done} of {total}")
        self.left.setText(f"about {in_words(left)} left" if left is not None else "")
        self.bar.setValue(round(progress.fraction * 1000))

    def show_end(self, status: str, seconds: float) -> None:
        word, colour = ENDINGS[status]
        self.show_idle(f"{word} · {duration(seconds)}" if seconds else word, colour)

    def _show_running(self, on: bool) -> None:
        for part in (self.count, self.left, self.bar, self.cancel):
            part.setVisible(on)
        self.forecast.setVisible(not on)
        self.preparing.setVisible(not on and bool(self.preparing.text()))
        self.lacking.setVisible(not on and bool(self.lacking.text()))
        self.cancel.setEnabled(on)
