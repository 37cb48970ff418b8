"""Report a problem: what happened in the person's words, which inputs go along, and what the capsule will hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.engine.capsule import Input
from app.ui.widgets import label

_PLACE = Qt.ItemDataRole.UserRole
ALWAYS = (
    "the graph · versions of Polyloom and its libraries, system, memory, driver · the end of the log · the last run"
)


class ReportDialog(QDialog):
    """Nothing is ticked at first. ``accepted`` when the person wants to save it."""

    def __init__(self, inputs: Sequence[Input], log: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Report a problem")
        self.inputs = tuple(inputs)
        self.words = QPlainTextEdit(placeholderText="What did you do, what did you expect, what came instead?")
        self.words.setMaximumHeight(96)
        self.list = QListWidget()
        for one in self.inputs:
            self._add(one)
        self.list.itemChanged.connect(lambda _: self._update())
        self.size_text = label(role="dim")
        self.log = QPlainTextEdit(log, readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self._lay_out()
        self._update()

    @property
    def ticked(self) -> tuple[Path, ...]:
        """The inputs that the person wants in the capsule."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return tuple(Path(item.data(_PLACE)) for item in items if item.checkState() == Qt.CheckState.Checked)

    def tick(self, path: Path) -> None:
        for row in range(self.list.count()):
            if Path(self.list.item(row).data(_PLACE)) == path:
                self.list.item(row).setCheckState(Qt.CheckState.Checked)

    def _add(self, one: Input) -> None:
        more = f" and {len(one.files) - 1} more files" if len(one.files) > 1 else ""
        item = QListWidgetItem(f"{one.path.name}{more}   {_megabytes(one.size)}   {one.path.parent}", self.list)
        item.setData(_PLACE, str(one.path))
        item.setToolTip("\n".join(map(str, one.files.values())))
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Unchecked)

    def _update(self) -> None:
        ticked = self.ticked
        size = sum(one.size for one in self.inputs if one.path in ticked)
        self.size_text.setText(f"{len(ticked)} of {len(self.inputs)} inputs, {_megabytes(size)}")

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.addButton("Save the capsule …", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.addWidget(label("A capsule is a file that runs the same graph again elsewhere. It is only saved; you "
                               "decide who gets it.", wrap=True))  # fmt: skip
        layout.addWidget(self.words)
        layout.addWidget(QLabel("Inputs to put in"))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.size_text)
        layout.addWidget(QLabel("Always in it"))
        layout.addWidget(label(ALWAYS, role="dim", wrap=True))
        layout.addWidget(label("The log as it will be in it (folders and file names are in there)", role="dim"))
        layout.addWidget(self.log, 1)
        layout.addWidget(buttons)
        self.resize(720, 640)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
