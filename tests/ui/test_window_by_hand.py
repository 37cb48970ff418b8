"""A graph built, run, saved, opened again and undone with mouse and keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from person import CTRL, SHIFT, Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import Number


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
    person.type_into("value", "40")
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
    person.type_into("value", "40")
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
