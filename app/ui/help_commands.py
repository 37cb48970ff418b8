"""Settings, the list of keys, and what Polyloom is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from app.ui import theme
from app.ui.actions import ACTIONS
from app.ui.settings_dialog import SettingsDialog

if TYPE_CHECKING:
    from app.ui.window import MainWindow

ABOUT = """<p>Wire nodes, watch meshes appear, keep everything in a <b>.graph</b> file.</p>
<p>Free software under the MIT licence. Node types and model weights carry licences of their own: the inspector shows
them at the foot of each node.</p>"""
MOUSE = (
    ("Wheel", "Zoom the canvas"),
    ("Middle button drag", "Move the canvas"),
    ("Drag from a socket", "Link; drop on empty canvas to choose a node"),
    ("Double-click empty canvas", "Search and add"),
    ("Drop a file on the canvas", "Load it, or open the graph inside"),
)


class HelpCommands:
    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.dialog: QDialog | None = None

    def settings(self) -> None:
        dialog = SettingsDialog(self.window.settings, self.window.dialogs, self.window.desk.store().folder)
        dialog.setParent(self.window, dialog.windowFlags())
        dialog.changed.connect(self.window.desk.reload)
        dialog.accepted.connect(lambda: self.window.running.set_auto(self.window.settings.auto_run))
        self._show(dialog)

    def keys(self) -> None:
        rows = [(", ".join(a.keys), a.title.replace("…", "")) for a in ACTIONS if a.keys]
        table = QTableWidget(len(rows) + len(MOUSE), 2)
        for place, row in enumerate([*rows, *MOUSE]):
            for column, text in enumerate(row):
                table.setItem(place, column, QTableWidgetItem(text))
        table.horizontalHeader().hide()
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        dialog = _dialog("Keyboard and mouse", self.window)
        dialog.layout().insertWidget(0, table)  # type: ignore[union-attr]
        dialog.resize(560, 620)
        self._show(dialog)

    def about(self) -> None:
        dialog = _dialog("About Polyloom", self.window)
        head = QLabel("Polyloom")
        head.setProperty("role", "heading")
        picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(theme.icon("polyloom").pixmap(48, 48))
        text = QLabel(ABOUT, wordWrap=True)
        for place, part in enumerate((picture, head, text)):
            dialog.layout().insertWidget(place, part)  # type: ignore[union-attr]
        dialog.resize(420, 260)
        self._show(dialog)

    def _show(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog = dialog
        dialog.destroyed.connect(self._closed)
        dialog.open()

    def _closed(self) -> None:
        self.dialog = None


def _dialog(title: str, parent: MainWindow) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(18, 16, 18, 14)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    layout.addWidget(buttons)
    return dialog
