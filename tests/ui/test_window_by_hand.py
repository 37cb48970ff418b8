"""A graph built, run, saved, opened again and undone with mouse and keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import Number
from app.ui.search import SearchPopup

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


class Person:
    """Only moves the mouse and presses keys."""

    def __init__(self, desk: Desk) -> None:
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

    def type_number(self, name: str, text: str) -> None:
        assert self.window.inspector.form is not None
        field = self.window.inspector.form.rows[name].field  # type: ignore[attr-defined]
        QTest.mouseDClick(field, LEFT)
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def _dot(self, id: str, side: str, name: str) -> QPoint:
        return QPoint(self.view.mapFromScene(self.window.canvas.items.nodes[id].anchor(side, name)))  # type: ignore[arg-type]


@pytest.fixture
def person(qtbot: QtBot, tmp_path: Path) -> Iterator[Person]:
    desk = Desk(tmp_path)
    desk.window.resize(1400, 860)
    with qtbot.waitActive(desk.window):
        desk.window.show()
        desk.window.activateWindow()
    QTest.qWait(50)
    yield Person(desk)
    desk.close()


def test_build_run_save_open_undo(person: Person, qtbot: QtBot, tmp_path: Path) -> None:
    desk = person.desk
    a, b = person.add("value", 80, 80), person.add("value", 80, 260)
    c = person.add("add", 400, 120)
    person.link(a, "out", c, "first")
    person.link(b, "out", c, "second")
    assert len(desk.editor.graph.links) == 2
    person.click(a)
    person.type_number("value", "40")
    person.click(c)
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000):
        person.key(Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 41.0)
    desk.answers.path = tmp_path / "sum.graph"
    person.key(Qt.Key.Key_S, CTRL)
    built = desk.editor.graph
    assert not desk.window.isWindowModified()
    person.key(Qt.Key.Key_N, CTRL)
    assert not desk.editor.graph.nodes
    person.key(Qt.Key.Key_O, CTRL)
    assert desk.editor.graph.nodes == built.nodes and desk.editor.graph.links == built.links
    qtbot.waitUntil(lambda: desk.state(c) == "reused")


def test_every_step_can_be_undone_and_done_again(person: Person) -> None:
    desk = person.desk
    a, c = person.add("value", 80, 80), person.add("add", 400, 120)
    person.link(a, "out", c, "first")
    person.click(a)
    person.type_number("value", "40")
    person.view.setFocus()
    person.key(Qt.Key.Key_A, CTRL)
    person.key(Qt.Key.Key_D, CTRL)
    assert len(desk.editor.graph.nodes) == 4 and len(desk.editor.graph.links) == 2
    person.key(Qt.Key.Key_Delete)
    end = desk.editor.graph
    steps = desk.editor.undo_stack.count()
    assert steps == 6
    for _ in range(steps):
        person.key(Qt.Key.Key_Z, CTRL)
    assert not desk.editor.graph.nodes and not desk.editor.undo_stack.canUndo()
    for _ in range(steps):
        person.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert desk.editor.graph == end


def test_cancel_by_key(person: Person, qtbot: QtBot) -> None:
    desk = person.desk
    a, s = person.add("value", 80, 80), person.add("slow", 400, 120)
    person.link(a, "out", s, "number")
    person.key(Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: desk.now(s).state == "running", timeout=10_000)
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=10_000) as ended:
        person.key(Qt.Key.Key_F5, SHIFT)
    assert ended.args[0] == "cancelled" and desk.state(s) == "cancelled"


def test_f2_types_another_title_and_tab_stays_in_the_form(person: Person) -> None:
    desk = person.desk
    a = person.add("value", 80, 80)
    person.view.setFocus()
    person.key(Qt.Key.Key_F2)
    title = desk.window.inspector.page.title
    QTest.keyClicks(title, "Height")
    QTest.keyClick(title, Qt.Key.Key_Tab)
    assert desk.editor.graph.nodes[a].title == "Height"
    assert not person.popup.isVisible()
