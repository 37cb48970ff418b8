"""An exception in the window: told in words, with details to copy. The journal is written first; nothing is lost."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

MOST_LINES = 2000
_log = logging.getLogger("polyloom.window")


class CrashDialog(QDialog):
    """Not modal: the person can save first and read later."""

    def __init__(self, details: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = QLabel(
            "Polyloom met an error that it did not expect. Your graph is still here and a copy of it is kept; save it "
            "and go on. If this happens again, Help > Report a problem packs what helps to find the cause.",
            wordWrap=True,
        )
        self.details = QPlainTextEdit(details, readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy details", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.details.toPlainText()))
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        for part in (text, self.details, buttons):
            layout.addWidget(part)
        self.resize(640, 360)

    def add(self, details: str) -> None:
        """Another error while this dialog is open."""
        if self.details.blockCount() < MOST_LINES:
            self.details.appendPlainText(f"\n{details}")


class CrashCatcher(QObject):
    """Stands in ``sys.excepthook`` and ``threading.excepthook``; ``rescue`` runs first and must not raise."""

    _caught = Signal(str)

    def __init__(self, parent: QWidget, rescue: Callable[[], None]) -> None:
        super().__init__(parent)
        self._window, self._rescue = parent, rescue
        self.dialog: CrashDialog | None = None
        self._before = sys.excepthook, threading.excepthook
        self._caught.connect(self.show)

    def install(self) -> None:
        sys.excepthook = self.caught
        threading.excepthook = self._caught_in_thread

    def remove(self) -> None:
        sys.excepthook, threading.excepthook = self._before

    def caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Any thread. Ctrl+C still ends the program."""
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            self._before[0](kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _log.error("unexpected error\n%s", details)
        with contextlib.suppress(RuntimeError):
            self._caught.emit(details)

    def _caught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.caught(args.exc_type, args.exc_value, args.exc_traceback)

    @Slot(str)
    def show(self, details: str) -> None:
        with contextlib.suppress(Exception):
            self._rescue()
        if self.dialog is not None:
            self.dialog.add(details)
            return
        self.dialog = CrashDialog(details, self._window)
        self.dialog.destroyed.connect(self._closed)
        self.dialog.show()

    def _closed(self) -> None:
        self.dialog = None
