"""Toy node types and an empty canvas on which mouse and keys can be tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.engine import Image, Mask, Mesh, Number, OpenFile, Slider, Text, node
from app.engine.registry import Registry
from app.ui.canvas import Canvas
from app.ui.editor import Editor

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


class Parts(NamedTuple):
    cutout: Image
    mask: Mask


@node("io.picture", title="Load image")
def picture(path: Annotated[str, OpenFile()] = "") -> Image:
    """A picture from a file."""
    raise NotImplementedError


@node("segment.cut", title="Cut out")
def cut(image: Image, feather: Annotated[float, Slider(0, 50, unit="px")] = 2.0) -> Parts:
    """One object of a picture."""
    raise NotImplementedError


@node("image_to_3d.inflate", title="Inflate")
def inflate(
    image: Image,
    mask: Mask | None,
    thickness: Annotated[float, Slider(0.1, 2.0)] = 1.0,
    steps: Annotated[int, Slider(1, 500)] = 100,
    style: Literal["smooth", "sharp"] = "smooth",
) -> Mesh:
    """A cut-out picture to a closed mesh."""
    raise NotImplementedError


@node("mesh.decimate", title="Decimate")
def decimate(mesh: Mesh, target_faces: Annotated[int, Slider(100, 5_000_000, log=True)] = 20_000) -> Mesh:
    """Fewer triangles, same shape."""
    raise NotImplementedError


@node("mesh.merge", title="Merge")
def merge(first: Mesh, second: Mesh) -> Mesh:
    """Two meshes as one."""
    raise NotImplementedError


@node("value.number", title="Number")
def number(value: float = 0.0) -> Number:
    """One number."""
    raise NotImplementedError


@node("value.text", title="Text")
def text(value: str = "") -> Text:
    """Some text."""
    raise NotImplementedError


@pytest.fixture(scope="session")
def toys() -> Registry:
    """Node types that are never called."""
    return Registry.of([]).with_functions(picture, cut, inflate, decimate, merge, number, text)


@pytest.fixture
def editor(qapp: object, toys: Registry) -> Editor:
    return Editor(toys)


class Hand:
    """Does with a real canvas what a person does: mouse and keys, no calls of its methods."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self.editor, self.view = canvas, canvas.editor, canvas.view
        self.ground: QWidget = canvas.view.viewport()

    def dot(self, id: str, side: str, name: str) -> QPoint:
        return self.at(self.canvas.items.nodes[id].anchor(side, name))

    def body(self, id: str) -> QPoint:
        """In the middle of the title bar."""
        item = self.canvas.items.nodes[id]
        return self.at(item.pos() + QPointF(item.face.width / 2, 13))

    def at(self, place: QPointF) -> QPoint:
        return QPoint(self.view.mapFromScene(place))

    def move(self, to: QPoint) -> None:
        QTest.mouseMove(self.ground, to)

    def drag(self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.ground, LEFT, keys, start)
        for part in (0.1, 0.4, 0.7, 1.0):
            self.move(start + (end - start) * part)
        QTest.mouseRelease(self.ground, LEFT, keys, end)

    def click(self, place: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.ground, LEFT, keys, place)

    def double_click(self, place: QPoint) -> None:
        self.click(place)
        QTest.mouseDClick(self.ground, LEFT, NONE, place)
        QTest.mouseRelease(self.ground, LEFT, NONE, place)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.view, key, keys)

    def search_for(self, words: str) -> None:
        """Types into the open search box and takes the first offer."""
        assert self.canvas.adding.popup.isVisible()
        QTest.keyClicks(self.canvas.adding.popup.field, words)
        QTest.keyClick(self.canvas.adding.popup.field, Qt.Key.Key_Return)


@pytest.fixture
def canvas(qtbot: QtBot, editor: Editor) -> Iterator[Canvas]:
    made = Canvas(editor)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    with qtbot.waitExposed(made):
        made.show()
    made.view.look_at(QPointF(500, 300), 1.0)
    yield made
    made.view.cancel_drag()


@pytest.fixture
def hand(canvas: Canvas) -> Hand:
    return Hand(canvas)
