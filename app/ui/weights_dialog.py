"""File > Models: every set of weights that the installed nodes can use. Not modal: work goes on while files come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from app.engine import weight_places
from app.engine.weight_fetch import offline
from app.ui.weight_words import progress_text, size_text
from app.ui.weights import Weights
from app.ui.weights_list import WeightsList
from app.ui.weights_page import WeightsPage
from app.ui.widgets import CutLabel, label

OFFLINE = "HF_HUB_OFFLINE is set: nothing is downloaded. Files that you have can be imported."
SIZE = 1000, 640


class WeightsDialog(QDialog):
    """``wanted(action, WeightCard)``: see :class:`WeightsPage`. ``folder_wanted()``: choose where weights are kept.
    ``show_wanted()``: show that folder."""

    wanted = Signal(str, object)
    folder_wanted = Signal()
    show_wanted = Signal()

    def __init__(self, weights: Weights, in_graph: Callable[[], set[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.weights = weights
        self.setWindowTitle("Models")
        self.list = WeightsList(in_graph)
        self.page = WeightsPage()
        self.place = CutLabel("dim")
        self.change = _button("Change…", self.folder_wanted.emit)
        self.open_folder = _button("Open", self.show_wanted.emit)
        self.banner = _banner(OFFLINE)
        self.queue_text = CutLabel("dim")
        self.list.chosen.connect(lambda _: self._show_page())
        self.page.wanted.connect(self.wanted)
        self.page.mirrored.connect(weights.set_mirror)
        weights.changed.connect(self.refresh)
        self._lay_out()
        self.refresh()
        self.show_folder()

    def refresh(self) -> None:
        """Say again how everything stands."""
        self.list.show_stands(self.weights.stands(), lambda handle: self.weights.users[handle])
        self._show_page()
        self.banner.setVisible(offline())
        self.queue_text.setText(_queue_text(self.weights))

    def show_folder(self) -> None:
        """Where weights are kept and how much room there is."""
        folder, hub = weight_places.folder(), weight_places.hub_target()
        room = f"{size_text(weight_places.free_bytes(folder))} free"
        shared = "" if hub == folder else f" · files of the hub in {_short(hub)}, shared with other programs"
        self.place.setText(f"Kept in {_short(folder)} · {room}{shared}")
        decided = weight_places.folder_is_decided()
        self.change.setEnabled(not decided)
        self.change.setToolTip("The environment variable POLYLOOM_WEIGHTS decides" if decided else "Another folder")

    def select(self, handle: str) -> None:
        self.list.select(handle)

    def _show_page(self) -> None:
        handle = self.list.selected
        self.page.setVisible(bool(handle))
        if handle in self.weights.cards:
            stand = self.weights.stand(handle)
            self.page.show_stand(stand, self.weights.users[handle], self.weights.mirror(stand.card), offline())

    def _lay_out(self) -> None:
        heading = label("Models", "heading")
        places = QHBoxLayout()
        places.addWidget(self.place, 1)
        places.addWidget(self.change)
        places.addWidget(self.open_folder)
        halves = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        halves.addWidget(self.list)
        halves.addWidget(self.page)
        halves.setSizes([540, 440])
        halves.setHandleWidth(10)
        close = _button("Close", self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.queue_text, 1)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 14)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addLayout(places)
        layout.addWidget(self.banner)
        layout.addWidget(halves, 1)
        layout.addLayout(foot)
        self.resize(*SIZE)


def _queue_text(weights: Weights) -> str:
    pending = weights.queue.pending
    if not pending:
        here = [stand for stand in weights.stands() if stand.ready]
        size = size_text(sum(stand.card.download_bytes for stand in here))
        return f"{len(here)} of {len(weights.cards)} are on this machine ({size})" if here else ""
    waiting = f" · {len(pending) - 1} more waiting" if len(pending) > 1 else ""
    running = next((entry for entry in pending if entry.state == "running"), pending[0])
    return f"{running.card.label}: {progress_text(running)}{waiting}"


def _short(path: Path) -> str:
    """With ``~`` for the person's own folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)


def _banner(text: str) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "warn-card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(10, 6, 10, 6)
    layout.addWidget(QLabel(text, wordWrap=True))
    return frame


def _button(text: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text, autoDefault=False)
    button.clicked.connect(lambda: act())
    return button
