"""Every question that the window asks. A test hands the window a subclass whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QFileDialog, QMessageBox, QWidget

from app.ui.settings import Settings

Unsaved = Literal["save", "discard", "cancel"]
Carried = Literal["graph", "load", "cancel"]
OnConflict = Literal["overwrite", "save_as", "reload", "cancel"]
Recovery = Literal["recover", "discard", "later"]
GRAPH_FILTER = "Graphs (*.graph)"
_Button = QMessageBox.StandardButton
_Role = QMessageBox.ButtonRole


class Dialogs:
    """``parent`` may be set after the window exists. None always means that the person cancelled."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        self.settings, self.parent = settings, parent

    def unsaved(self, name: str) -> Unsaved:
        """The open graph has unsaved edits and is about to be closed."""
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "Unsaved changes",
            f"Save the changes to “{name}”?",
            _Button.Save | _Button.Discard | _Button.Cancel,
            self.parent,
        )
        box.setInformativeText("Without saving, they are lost.")
        box.setDefaultButton(_Button.Save)
        answers: dict[int, Unsaved] = {_Button.Save.value: "save", _Button.Discard.value: "discard"}
        return answers.get(box.exec(), "cancel")

    def open_graphs(self) -> Path | None:
        return self.open_file("Open a graph", (".graph",), None)

    def save_graph(self, start: Path) -> Path | None:
        path = self._answer(QFileDialog.getSaveFileName(self.parent, "Save the graph", str(start), GRAPH_FILTER)[0])
        return path.with_name(path.name + ".graph") if path is not None and path.suffix != ".graph" else path

    def open_file(self, title: str, suffixes: tuple[str, ...], start: Path | None) -> Path | None:
        folder = start if start is not None and start.is_dir() else self.settings.last_folder
        return self._answer(QFileDialog.getOpenFileName(self.parent, title, str(folder), _filter(suffixes))[0])

    def save_file(self, title: str, suffixes: tuple[str, ...], start: Path) -> Path | None:
        path = self._answer(QFileDialog.getSaveFileName(self.parent, title, str(start), _filter(suffixes))[0])
        if path is None or not suffixes or path.suffix.lower() in suffixes:
            return path
        return path.with_name(path.name + suffixes[0])

    def folder(self, title: str, start: Path | None) -> Path | None:
        folder = start if start is not None and start.is_dir() else self.settings.last_folder
        return self._answer(QFileDialog.getExistingDirectory(self.parent, title, str(folder)))

    def colour(self, start: QColor) -> QColor | None:
        option = QColorDialog.ColorDialogOption.ShowAlphaChannel
        chosen = QColorDialog.getColor(start, self.parent, "Choose a colour", option)
        return chosen if chosen.isValid() else None

    def tell(self, title: str, text: str, advice: str = "") -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, title, text, _Button.Ok, self.parent)
        box.setInformativeText(advice)
        box.exec()

    def carried(self, path: Path, kind: str) -> Carried:
        """A dropped result holds the graph that it came from. ``kind``: "mesh" or "image"."""
        box = QMessageBox(QMessageBox.Icon.Question, "A graph lies in this file", "", parent=self.parent)
        box.setText(f"“{path.name}” carries the graph that made it.")
        box.setInformativeText(f"Open that graph, or load the file as {_article(kind)} into the graph on screen?")
        graph = box.addButton("Open its graph", _Role.AcceptRole)
        load = box.addButton(f"Load as {kind}", _Role.ActionRole)
        box.addButton(_Button.Cancel)
        box.exec()
        if box.clickedButton() is graph:
            return "graph"
        return "load" if box.clickedButton() is load else "cancel"

    def recover(self, name: str, when: str) -> Recovery:
        """A window ended without closing and left unsaved work behind."""
        box = QMessageBox(QMessageBox.Icon.Question, "Unsaved work was found", "", parent=self.parent)
        box.setText(f"Polyloom ended unexpectedly. Unsaved work on “{name}” from {when} was kept.")
        recover = box.addButton("Recover", _Role.AcceptRole)
        discard = box.addButton("Throw away", _Role.DestructiveRole)
        box.addButton("Ask again later", _Role.RejectRole)
        box.setDefaultButton(recover)
        box.exec()
        if box.clickedButton() is recover:
            return "recover"
        return "discard" if box.clickedButton() is discard else "later"

    def conflict(self, path: Path) -> OnConflict:
        """Saving would replace what another program, or another window, wrote meanwhile."""
        box = QMessageBox(QMessageBox.Icon.Warning, "The file has changed", "", parent=self.parent)
        box.setText(f"“{path.name}” was changed by another program or window since it was opened here.")
        box.setInformativeText(f"{path}\n\nWhat is replaced is kept as a backup; a reload can be undone.")
        save_as = box.addButton("Save as …", _Role.AcceptRole)
        overwrite = box.addButton("Overwrite", _Role.DestructiveRole)
        reload = box.addButton("Reload", _Role.ActionRole)
        box.addButton(_Button.Cancel)
        box.setDefaultButton(save_as)
        box.exec()
        answers: list[tuple[object, OnConflict]] = [
            (save_as, "save_as"), (overwrite, "overwrite"), (reload, "reload")
        ]  # fmt: skip
        return next((answer for button, answer in answers if box.clickedButton() is button), "cancel")

    def reload(self, path: Path) -> bool:
        """The open file was changed elsewhere and nothing is unsaved here."""
        text = f"“{path.name}” was changed by another program or window. Load it again? This can be undone."
        return self.sure("The file has changed", text, "Reload")

    def outside(self, path: Path) -> bool:
        """A graph wants to write a file outside the output folder."""
        text = (
            f"This graph wants to write outside its output folder:\n\n{path}\n\nMake {path.parent} the output folder?"
        )
        return self.sure("Outside the output folder", text, "Use this folder")

    def licence(self, title: str, text: str, warn: bool) -> bool:
        """Weights are about to be downloaded; only when the person agrees. ``warn``: the text names a limit."""
        icon = QMessageBox.Icon.Warning if warn else QMessageBox.Icon.Question
        box = QMessageBox(icon, "Get weights", title, _Button.Cancel, self.parent)
        box.setInformativeText(text)
        yes = box.addButton("Agree and download", _Role.AcceptRole)
        box.setDefaultButton(_Button.Cancel)
        box.exec()
        return box.clickedButton() is yes

    def sure(self, title: str, text: str, verb: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, title, text, _Button.Cancel, self.parent)
        yes = box.addButton(verb, _Role.AcceptRole)
        box.setDefaultButton(_Button.Cancel)
        box.exec()
        return box.clickedButton() is yes

    def _answer(self, text: str) -> Path | None:
        if not text:
            return None
        path = Path(text)
        self.settings.last_folder = path if path.is_dir() else path.parent
        return path


def _filter(suffixes: tuple[str, ...]) -> str:
    if not suffixes:
        return "All files (*)"
    return f"Files ({' '.join(f'*{suffix}' for suffix in suffixes)});;All files (*)"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
