"""Rows for files and folders: what is stored is shown, the whole path is in the tooltip, files can be dropped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.engine.deliver import leads_outside
from app.engine.params import OpenFile, SaveFile
from app.ui.row import Row
from app.ui.widgets import CutField, tool_button


class _PathRow(Row):
    icon = "folder"
    hint = ""

    def build(self) -> None:
        self.field = CutField(Qt.TextElideMode.ElideLeft)
        self.field.setPlaceholderText(self.hint)
        self.field.editingFinished.connect(self._typed)
        self.put(self.field)
        self.browse = tool_button(self.icon, "Choose …")
        self.browse.clicked.connect(self._choose)
        self.line.addWidget(self.browse)
        self.controls.append(self.browse)
        self.setAcceptDrops(True)
        self.field.setAcceptDrops(False)

    def show_value(self, value: Any) -> None:
        self.field.setText(str(value))
        self.field.rest()
        whole = self.around.base() / str(value)
        self.field.setToolTip("\n".join(filter(None, [str(whole) if value else "", self.param.setting.help])))

    def take(self, path: Path) -> None:
        """A path that was picked or dropped."""
        self.commit(self.around.stored(path))

    def fits(self, path: Path) -> bool:
        return path.exists()

    def start(self) -> Path | None:
        """Where the dialog starts: beside what is chosen now, or None for where the person last was."""
        return (self.around.base() / str(self.value)).parent if self.value else None

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = self._dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.take(path)

    def _dropped(self, event: QDropEvent) -> Path | None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        return next((path for path in paths if self.fits(path)), None)

    def _typed(self) -> None:
        text = self.field.text().strip().strip('"')
        if text != self.value:
            self.commit(self.around.stored(Path(text)) if Path(text).is_absolute() else Path(text).as_posix())
        else:
            self.show_value(self.value)

    def _choose(self) -> None:
        raise NotImplementedError


class OpenFileRow(_PathRow):
    icon = "open"
    hint = "no file chosen"

    def fits(self, path: Path) -> bool:
        return path.is_file() and (not self._suffixes() or path.suffix.lower() in self._suffixes())

    def _choose(self) -> None:
        path = self.around.dialogs.open_file(f"Choose: {self.param.label}", self._suffixes(), self.start())
        if path is not None:
            self.take(path)

    def _suffixes(self) -> tuple[str, ...]:
        assert isinstance(self.param.setting, OpenFile)
        return self.param.setting.suffixes

    def _typed(self) -> None:
        if self.field.text().strip():
            super()._typed()
        elif self.value:
            self.commit("")


class FolderRow(_PathRow):
    hint = "no folder chosen"

    def fits(self, path: Path) -> bool:
        return path.is_dir()

    def _choose(self) -> None:
        path = self.around.dialogs.folder(f"Choose: {self.param.label}", self.start())
        if path is not None:
            self.take(path)


class SaveFileRow(_PathRow):
    """A name inside the output folder."""

    icon = "output"
    hint = "file name"

    def build(self) -> None:
        super().build()
        self.setAcceptDrops(False)

    def show_value(self, value: Any) -> None:
        super().show_value(value)
        self.field.setToolTip(f"{self.around.out() / str(value)}\n{self.param.setting.help}".strip())

    def take(self, path: Path) -> None:
        """A place outside the output folder is taken when the person makes its folder the output folder."""
        path, out = Path(os.path.abspath(path)), Path(os.path.abspath(self.around.out()))
        if path.is_relative_to(out):
            self.commit(path.relative_to(out).as_posix())
        elif self.around.dialogs.outside(path):
            self.around.set_out(path.parent)
            self.commit(path.name)
        else:
            self.set_problem(
                "Results are written inside the output folder. Choose another one with Run > Output folder."
            )

    def _typed(self) -> None:
        text = self.field.text().strip()
        if text == self.value:
            return
        if text and leads_outside(text):
            self.take(self.around.out() / text)
        else:
            self.commit(Path(text).as_posix() if text else "")

    def _choose(self) -> None:
        assert isinstance(self.param.setting, SaveFile)
        out = self.around.out()
        path = self.around.dialogs.save_file(
            f"Choose: {self.param.label}", self.param.setting.suffixes, out / str(self.value)
        )
        if path is not None:
            self.take(path)
