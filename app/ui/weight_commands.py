"""Weights in the window: ask before anything is fetched, show what a node lacks, say what came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QToolButton

from app.engine import weight_files, weight_places
from app.engine.errors import CannotWrite
from app.engine.weight_fetch import offline
from app.engine.weights import WeightCard
from app.ui import theme
from app.ui.weight_mark import Mark, mark_of
from app.ui.weight_words import limits, question, size_text, total_size
from app.ui.weights_dialog import WeightsDialog

if TYPE_CHECKING:
    from app.ui.window import MainWindow

OFFLINE = "HF_HUB_OFFLINE forbids downloads. Unset it and start again, or import files that you have."


_DOING = {"copying": "copied", "checking": "read"}


class WeightCommands:
    """``button``: for the status bar, seen while something is on its way."""

    def __init__(self, window: MainWindow) -> None:
        self.window, self.desk, self.weights = window, window.desk, window.desk.weights
        self.dialog: WeightsDialog | None = None
        self.button = QToolButton()
        self.button.setIcon(theme.icon("download", theme.ACCENT))
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setToolTip("Weights on their way: click to see them")
        self.button.clicked.connect(self.open)
        self.button.hide()
        window.statusBar().addPermanentWidget(self.button)
        self._acts = {
            "get": lambda card: self.get([card]),
            "pause": lambda card: self.weights.queue.pause(card.handle),
            "file": self.bring_file,
            "folder": self.bring_folder,
            "verify": self.weights.verify,
            "open": self.open_place,
        }
        self.weights.changed.connect(self.show)
        self.weights.arrived.connect(self._on_arrived)
        self.weights.failed.connect(self._on_failed)
        self.desk.editor.changed.connect(lambda _: self.show_marks())
        window.canvas.weights_requested.connect(self.get_for)
        window.inspector.weights_wanted.connect(self.do)
        self.show()

    # What the person asks for

    def open(self, handle: str = "") -> None:
        """The dialog, at one set of weights or where it was."""
        if self.dialog is None:
            self.weights.look()
            self.dialog = WeightsDialog(self.weights, self._in_graph, self.window)
            self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.dialog.destroyed.connect(self._closed)
            self.dialog.wanted.connect(self.do)
            self.dialog.folder_wanted.connect(self.choose_folder)
            self.dialog.show_wanted.connect(lambda: _show(weight_places.folder()))
        if handle:
            self.dialog.select(handle)
        self.dialog.show()
        self.dialog.raise_()

    def do(self, action: str, card: WeightCard) -> None:
        """A button of the dialog or of the inspector."""
        if action == "show":
            self.open(card.handle)
        else:
            self._acts[action](card)

    def get_for(self, id: str) -> None:
        """The mark of a node: get exactly what it lacks, or show how far that is."""
        lacks = [stand for stand in self.weights.of_node(id) if not stand.ready]
        open_ones = [stand.card for stand in lacks if not stand.moving and stand.state]
        if open_ones:
            self.get(open_ones)
        elif lacks:
            self.open(lacks[0].card.handle)

    def get(self, cards: Sequence[WeightCard]) -> None:
        """After the licence was shown and agreed to."""
        if offline():
            self.window.dialogs.tell("Nothing is downloaded", OFFLINE)
            return
        warn = any(limits(card) for card in cards)
        title = (
            f"Download {size_text(total_size(cards))} under {'this licence' if len(cards) == 1 else 'these licences'}?"
        )
        if self.window.dialogs.licence(title, question(cards, self.weights.mirror), warn):
            self.weights.get(cards)
            for card in cards:
                self.window.log.say("info", f"Getting {card.label} ({size_text(card.download_bytes)}).")

    def bring_file(self, card: WeightCard) -> None:
        suffixes = tuple(dict.fromkeys(Path(file.name).suffix for file in card.files if Path(file.name).suffix))
        path = self.window.dialogs.open_file(f"A file of {card.label}", suffixes, None)
        if path is not None:
            self.weights.bring(card, path)

    def bring_folder(self, card: WeightCard) -> None:
        path = self.window.dialogs.folder(f"A folder with files of {card.label}", None)
        if path is not None:
            self.weights.bring(card, path)

    def open_place(self, card: WeightCard) -> None:
        _show(weight_files.place_of(card, card.files[0].name).parent)

    def choose_folder(self) -> None:
        """For what comes from now on; what lies in the old folder stays there."""
        old = weight_places.folder()
        path = self.window.dialogs.folder("Choose where weights are kept", old)
        if path is None or path == old:
            return
        try:
            weight_places.choose_folder(path)
        except CannotWrite as error:
            self.window.dialogs.tell("The folder cannot be used", error.message, error.advice)
            return
        self.window.say("info", f"Weights are kept in {path}. What is in {old} stays there: move it along to use it.")
        self.weights.look()
        if self.dialog is not None:
            self.dialog.show_folder()

    def may_close(self) -> bool:
        """Ask when something is on its way; what has come is kept in any case."""
        moving = [stand for stand in self.weights.stands() if stand.moving]
        if not moving:
            return True
        first = moving[0]
        text = f"{first.card.label} is still on its way. What has come is kept, and Get goes on from there."
        if first.download is None:
            text = f"The files of {first.card.label} are still being {_DOING[first.state]}."
        return self.window.dialogs.sure("Weights are on their way", text, "Stop and close")

    # What is shown

    def show(self) -> None:
        """Marks, inspector and status bar, as everything stands now."""
        self.show_marks()
        pending = self.weights.queue.pending
        self.button.setVisible(bool(pending))
        if pending:
            running = next((entry for entry in pending if entry.state == "running"), pending[0])
            more = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
            self.button.setText(f"{running.fraction:.0%} of {size_text(running.total)}{more}")

    def show_marks(self) -> None:
        marks = self.marks()
        self.window.canvas.set_marks(marks)
        self.window.run_bar.show_lacking(len(marks))
        self.window.inspector.show_weights(self.weights.of_node)

    def marks(self) -> dict[str, Mark]:
        """By node, of those that lack something."""
        graph = self.desk.editor.graph
        found = {id: mark_of(self.weights.of_node(id)) for id in graph.nodes}
        return {id: mark for id, mark in found.items() if mark is not None}

    def _in_graph(self) -> set[str]:
        return {stand.card.handle for id in self.desk.editor.graph.nodes for stand in self.weights.of_node(id)}

    def _on_arrived(self, card: WeightCard) -> None:
        self.window.log.say("good", f"{card.label} is on this machine now.")
        self.desk.status.weights_came()
        self.desk.runs.run_auto()
        if self.dialog is not None:
            self.dialog.show_folder()

    def _on_failed(self, card: WeightCard, words: str) -> None:
        self.window.say("error", f"{card.label}: {words}")

    def _closed(self) -> None:
        self.dialog = None


def _show(folder: Path) -> None:
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))
