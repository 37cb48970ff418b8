"""The panels around the canvas, where they stand at first, and how their places are remembered."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QWidget

from app.ui.settings import Settings

LAYOUT_VERSION = 1
SMALLEST = (960, 600)
USUAL = (1600, 960)
_Area = Qt.DockWidgetArea
PLACES = {
    "Nodes": _Area.LeftDockWidgetArea,
    "Viewer": _Area.RightDockWidgetArea,
    "Inspector": _Area.RightDockWidgetArea,
    "Log": _Area.BottomDockWidgetArea,
}


class Docks:
    """``panels``: title -> widget, in the order of the View menu."""

    def __init__(self, window: QMainWindow, settings: Settings, panels: dict[str, QWidget]) -> None:
        self.window, self._settings = window, settings
        window.setDockNestingEnabled(True)
        window.setCorner(Qt.Corner.BottomRightCorner, _Area.RightDockWidgetArea)
        window.setMinimumSize(*SMALLEST)
        self.docks: dict[str, QDockWidget] = {}
        for title, panel in panels.items():
            dock = QDockWidget(title, window)
            dock.setObjectName(title)
            dock.setWidget(panel)
            window.addDockWidget(PLACES[title], dock)
            self.docks[title] = dock

    def fill(self, menu: QMenu) -> None:
        """One tick per panel."""
        for dock in self.docks.values():
            menu.addAction(dock.toggleViewAction())

    def arrange(self) -> None:
        """The usual places, in proportion to the window."""
        for title, dock in self.docks.items():
            dock.setFloating(False)
            self.window.addDockWidget(PLACES[title], dock)
            dock.show()
        right = [self.docks["Viewer"], self.docks["Inspector"]]
        self.window.splitDockWidget(right[0], right[1], Qt.Orientation.Vertical)
        width, height = self.window.width(), self.window.height()
        side = max(396, round(width * 0.27))
        columns = [self.docks["Nodes"], self.docks["Viewer"]]
        self.window.resizeDocks(columns, [max(196, round(width * 0.12)), side], Qt.Orientation.Horizontal)
        self.window.resizeDocks(right, [round(height * 0.46), round(height * 0.44)], Qt.Orientation.Vertical)
        self.window.resizeDocks([self.docks["Log"]], [round(height * 0.15)], Qt.Orientation.Vertical)

    def restore(self) -> None:
        """As the person left it, or the usual layout; never larger than the screen. Call it once all bars are there."""
        screen = QGuiApplication.primaryScreen().availableGeometry()
        if not self.window.restoreGeometry(self._settings.layout("geometry")):
            self.window.resize(min(USUAL[0], screen.width()), min(USUAL[1], screen.height()))
        state: QByteArray = self._settings.layout("docks")
        if not state.size() or not self.window.restoreState(state, LAYOUT_VERSION):
            self.arrange()

    def remember(self) -> None:
        self._settings.set_layout("geometry", self.window.saveGeometry())
        self._settings.set_layout("docks", self.window.saveState(LAYOUT_VERSION))
