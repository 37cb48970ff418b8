"""A person in front of the window: only moves the mouse and presses keys."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest

from app.ui.editor import Editor
from app.ui.search import SearchPopup
from app.ui.window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


class HasWindow(Protocol):
    window: MainWindow
    editor: Editor


class Person:
    def __init__(self, desk: HasWindow) -> None:
        self.desk, self.window = desk, desk.window
        self.view = desk.window.canvas.view
        self.popup: SearchPopup = desk.window.canvas.findChild(SearchPopup)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.window.focusWidget() or self.window, key, keys)

    def point_at(self, x: int, y: int) -> None:
        QCursor.setPos(self.view.viewport().mapToGlobal(QPoint(x, y)))
        QTest.mouseMove(self.view.viewport(), QPoint(x, y))

    def add(self, words: str, x: int, y: int) -> str:
        before = set(self.desk.editor.graph.nodes)
        self.view.setFocus()
        self.point_at(x, y)
        self.key(Qt.Key.Key_Tab)
        QTest.keyClicks(self.popup.field, words)
        QTest.keyClick(self.popup.field, Qt.Key.Key_Return)
        [id] = set(self.desk.editor.graph.nodes) - before
        return id

    def link(self, source: str, output: str, target: str, input: str) -> None:
        start, end = self._dot(source, "out", output), self._dot(target, "in", input)
        QTest.mousePress(self.view.viewport(), LEFT, pos=start)
        for part in (0.3, 0.7, 1.0):
            QTest.mouseMove(self.view.viewport(), start + (end - start) * part)
        QTest.mouseRelease(self.view.viewport(), LEFT, pos=end)

    def click(self, id: str) -> None:
        item = self.window.canvas.items.nodes[id]
        place = self.view.mapFromScene(item.pos() + QPointF(item.face.width / 2, 12))
        QTest.mouseClick(self.view.viewport(), LEFT, pos=place)

    def type_into(self, name: str, text: str) -> None:
        """A row of the inspector; those that are seldom needed are unfolded first."""
        form = self.window.inspector.form
        assert form is not None
        row = form.rows[name]
        if not row.isVisible():
            QTest.mouseClick(form.more, LEFT)
        field = row.field  # type: ignore[attr-defined]
        QTest.mouseDClick(field, LEFT)
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def _dot(self, id: str, side: str, name: str) -> QPoint:
        return QPoint(self.view.mapFromScene(self.window.canvas.items.nodes[id].anchor(side, name)))  # type: ignore[arg-type]
