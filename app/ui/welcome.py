"""What an empty canvas says: how to begin. A card over the canvas, gone with the first node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.widgets import label

RECENT = 4
HINTS = "Drop a picture, a mesh or a .graph file anywhere here.\nPress Tab to search for a node."


class Welcome(QFrame):
    """``example_wanted()``, ``open_wanted()``, ``recent_chosen(Path)``, ``dropped(paths, place)``."""

    example_wanted = Signal()
    open_wanted = Signal()
    recent_chosen = Signal(object)
    dropped = Signal(object, QPointF)

    def __init__(self, canvas: QWidget, recent: Callable[[], Iterable[Path]]) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setObjectName("welcome")
        self.setAcceptDrops(True)
        self._recent = recent
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(28, 22, 28, 22)
        self._layout.setSpacing(8)
        title = label("Start here", "heading")
        hints = label(HINTS, "dim")
        for part in (title, hints):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._layout.addWidget(part)
        self.example = self._button("Start from an example", "gallery", self.example_wanted.emit)
        self.open = self._button("Open a graph…", "open", self.open_wanted.emit)
        self.files: list[QPushButton] = []
        canvas.installEventFilter(self)

    def show_if(self, empty: bool) -> None:
        """With the files that were opened lately."""
        if empty:
            self._fill_recent()
            self._place()
        self.setVisible(empty)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.dropped.emit([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()], QPointF())

    def _button(self, text: str, icon: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(theme.icon(icon, theme.DIM), text)
        button.clicked.connect(act)
        self._layout.addWidget(button)
        return button

    def _fill_recent(self) -> None:
        for button in self.files:
            button.deleteLater()
        paths = [path for path in self._recent() if path.is_file()][:RECENT]
        self.files = [self._button(path.stem, "file", lambda p=path: self.recent_chosen.emit(p)) for path in paths]  # type: ignore[misc]
        for button, path in zip(self.files, paths, strict=True):
            button.setToolTip(str(path))

    def _place(self) -> None:
        self.adjustSize()
        canvas = self._canvas.rect()
        self.move((canvas.width() - self.width()) // 2, max(8, (canvas.height() - self.height()) // 2))
