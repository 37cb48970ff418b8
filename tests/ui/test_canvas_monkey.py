"""Mouse and keys at random on a real canvas: no exception, no cycle, and the view says what the graph says."""

from __future__ import annotations

import random

import pytest
from conftest import LEFT, NONE, Hand
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from test_canvas_view import assert_same

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
HELD = [NONE, NONE, NONE, SHIFT, CTRL, ALT, ALT | SHIFT]
KEYS = [
    *[(Qt.Key.Key_Z, CTRL)] * 3,
    (Qt.Key.Key_Y, CTRL),
    (Qt.Key.Key_C, CTRL),
    (Qt.Key.Key_V, CTRL),
    (Qt.Key.Key_D, CTRL),
    (Qt.Key.Key_A, CTRL),
    (Qt.Key.Key_Delete, NONE),
    (Qt.Key.Key_B, NONE),
    (Qt.Key.Key_L, NONE),
    (Qt.Key.Key_F2, NONE),
    (Qt.Key.Key_Tab, NONE),
]


class Monkey:
    def __init__(self, hand: Hand, seed: int) -> None:
        self.hand, self.dice = hand, random.Random(seed)
        self.acts = [
            *[self.drag] * 8,
            self.click,
            self.double_click,
            self.interrupt,
            self.menu,
            *[self.key] * 4,
            self.zoom,
        ]

    def act(self) -> None:
        self.dice.choice(self.acts)()
        self.answer()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()

    def place(self) -> QPoint:
        """On a socket, on a title, or anywhere, and inside the view."""
        hand, items = self.hand, list(self.hand.canvas.items.nodes.values())
        found = QPoint(self.dice.randint(0, 1099), self.dice.randint(0, 699))
        item = self.dice.choice(items) if items and self.dice.random() < 0.75 else None
        if item and item.face.dots and self.dice.random() < 0.6:
            dot = self.dice.choice(item.face.dots)
            found = hand.dot(item.id, dot.side, dot.name)
        elif item:
            found = hand.body(item.id)
        return QPoint(min(max(found.x(), 0), 1099), min(max(found.y(), 0), 699))

    def drag(self) -> None:
        self.hand.drag(self.place(), self.place(), self.dice.choice(HELD))

    def click(self) -> None:
        self.hand.click(self.place(), self.dice.choice(HELD))

    def double_click(self) -> None:
        self.hand.double_click(self.place())

    def interrupt(self) -> None:
        """A key in the middle of a drag."""
        QTest.mousePress(self.hand.ground, LEFT, NONE, self.place())
        self.hand.move(self.place())
        self.hand.key(self.dice.choice([Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_B]))
        QTest.mouseRelease(self.hand.ground, LEFT, NONE, self.place())

    def menu(self) -> None:
        place = self.place()
        self.hand.view.menu_wanted.emit(place, self.hand.ground.mapToGlobal(place))

    def key(self) -> None:
        self.hand.key(*self.dice.choice(KEYS))

    def zoom(self) -> None:
        if self.dice.random() < 0.5:
            self.hand.view.zoom_by(self.dice.choice([0.6, 0.8, 1.3, 1.7]), self.place())
        else:
            self.hand.view.look_at(QPointF(500, 300), 1.0)

    def answer(self) -> None:
        """Whatever opened is answered and closed."""
        for menu in [menu for menu in self.hand.canvas.findChildren(QMenu) if menu.isVisible()]:
            actions = [a for a in menu.actions() if a.isEnabled() and not a.isSeparator() and not a.menu()]
            if actions:
                self.dice.choice(actions).trigger()
            menu.hide()
        for field in [field for field in self.hand.canvas.findChildren(QLineEdit) if field.isVisible()]:
            QTest.keyClicks(field, self.dice.choice(["m", "in", "zz", ""]))
            QTest.keyClick(field, self.dice.choice([Qt.Key.Key_Return, Qt.Key.Key_Escape]))
            if field.isVisible():
                QTest.keyClick(field, Qt.Key.Key_Escape)


@pytest.mark.parametrize("seed", [1, 2])
def test_mouse_and_keys_at_random(hand: Hand, seed: int) -> None:
    editor = hand.editor
    monkey = Monkey(hand, seed)
    for type_id in editor.registry:
        editor.add(type_id, (monkey.dice.randint(0, 900), monkey.dice.randint(0, 600)))
    for _ in range(150):
        monkey.act()
        if hand.view.drag is None:
            assert_same(hand.canvas)
        assert not editor.graph.order()[1], "a circle"
        if len(editor.graph.nodes) > 30:
            editor.delete(list(editor.graph.nodes)[:20])
        if len(editor.graph.nodes) < 3:
            editor.undo_stack.undo()
    assert editor.undo_stack.count() > 10
