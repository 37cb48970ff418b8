"""The examples that come with Polyloom, as cards; a click opens a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.engine import graph_file
from app.engine.errors import BadGraphFile
from app.engine.graph import Graph
from app.ui.sketch import sketch

CARD = QSize(300, 262)
PICTURE = QSize(276, 130)


@dataclass(frozen=True)
class Example:
    """``picture``: a PNG of the same name beside the graph; without one, the graph itself is drawn."""

    path: Path
    graph: Graph
    title: str
    description: str
    picture: Path | None


def examples(folder: Path) -> list[Example]:
    """Every readable ``.graph`` of the folder; ``starter.graph`` comes first."""
    found: list[Example] = []
    for path in sorted(folder.glob("*.graph"), key=lambda p: (p.stem != "starter", p.stem)):
        try:
            graph = graph_file.read(path)
        except BadGraphFile:
            continue
        title = str(graph.view.get("title") or path.stem.replace("_", " ").capitalize())
        picture = path.with_suffix(".png")
        found.append(
            Example(path, graph, title, str(graph.view.get("description", "")), picture if picture.is_file() else None)
        )
    return found


class Gallery(QDialog):
    """``chosen(Example)``. ``needs``: what a graph asks for besides what is installed, in a few words, or nothing."""

    chosen = Signal(object)

    def __init__(
        self, found: list[Example], parent: QWidget | None = None, needs: Callable[[Graph], str] = lambda _: ""
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Examples")
        heading = QLabel("Start from an example")
        heading.setProperty("role", "heading")
        hint = QLabel("A copy opens; the example itself stays as it is.")
        hint.setProperty("role", "dim")
        page = QWidget()
        grid = QGridLayout(page)
        grid.setSpacing(12)
        self.cards = [Card(example, needs(example.graph)) for example in found]
        for place, card in enumerate(self.cards):
            card.clicked.connect(self._choose)
            grid.addWidget(card, place // 2, place % 2)
        grid.setRowStretch(grid.rowCount(), 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        for part in (heading, hint, scroll):
            layout.addWidget(part)
        self.resize(690, 620)

    def _choose(self, example: Example) -> None:
        self.accept()
        self.chosen.emit(example)


class Card(QFrame):
    clicked = Signal(object)

    def __init__(self, example: Example, needs: str = "") -> None:
        super().__init__()
        self.example = example
        self.setProperty("role", "card")
        self.setFixedSize(CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        title = QLabel(f"<b>{example.title}</b>")
        text = QLabel(example.description, wordWrap=True)
        text.setProperty("role", "dim")
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        count = len(example.graph.nodes)
        self.foot = QLabel(" · ".join(filter(None, ("1 node" if count == 1 else f"{count} nodes", needs))))
        self.foot.setProperty("role", "dim")
        layout = QVBoxLayout(self)
        layout.addWidget(_picture(example))
        layout.addWidget(title)
        layout.addWidget(text, 1)
        layout.addWidget(self.foot)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit(self.example)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self.example)
        else:
            super().keyPressEvent(event)


def _picture(example: Example) -> QLabel:
    label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
    label.setFixedHeight(PICTURE.height())
    if example.picture is None:
        label.setPixmap(sketch(example.graph, PICTURE))
    else:
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        label.setPixmap(QPixmap(str(example.picture)).scaled(PICTURE, keep, smooth))
    return label
