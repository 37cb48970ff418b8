"""The tool bar of the 3D view."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QMenu, QToolButton

from viewer.bars import Bar
from viewer.looks import LOOKS
from viewer.scene import VIEWS

if TYPE_CHECKING:
    from viewer.viewport import Viewport

VIEW_HINTS = {"front": "1", "right": "3", "top": "7", "three-quarter": "0"}


class SceneBar(Bar):
    """How a 3D result is looked at."""

    def __init__(self, viewport: Viewport, save: Callable[[], None]) -> None:
        super().__init__()
        self._viewport = viewport
        self.modes = self.choice("How the surface is shown")
        self.modes.activated.connect(lambda i: viewport.set_mode(self.modes.itemData(i)))
        self.edges = self.button("Wireframe", "Draw the triangles' edges over the surface", check=True)
        self.edges.toggled.connect(viewport.set_edges)
        self.grid = self.button("Grid", "Show the ground", check=True)
        self.grid.setChecked(viewport.scene.grid)
        self.grid.toggled.connect(viewport.set_grid)
        self.row.addStretch(1)
        view = self.button("View", "Look from a fixed side (keys 1, 3, 7, 0; with Ctrl from the other side)")
        view.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(view)
        for name in VIEWS:
            key = f"\t{VIEW_HINTS[name]}" if name in VIEW_HINTS else ""
            menu.addAction(name.capitalize() + key, partial(viewport.look_from, name))
        view.setMenu(menu)
        self.button("Frame", "Fill the view with the result (F)", viewport.frame)
        self.button("Save", "Save this view as a picture", save)
        viewport.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        scene = self._viewport.scene
        with QSignalBlocker(self.modes):
            self.modes.clear()
            for name in scene.modes:
                self.modes.addItem(LOOKS[name].label, name)
                self.modes.setItemData(self.modes.count() - 1, LOOKS[name].help, Qt.ItemDataRole.ToolTipRole)
            self.modes.setCurrentIndex(self.modes.findData(scene.mode))
        for control in (self.modes, self.edges):
            self.offer(control, bool(scene.modes))
