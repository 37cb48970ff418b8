"""What can be done on the canvas, as one table: word, keys, and the method of the canvas that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

if TYPE_CHECKING:
    from app.ui.canvas import Canvas


@dataclass(frozen=True)
class Command:
    """``method``: of :class:`~app.ui.canvas.Canvas`, called without arguments. ``keys``: the first is shown."""

    method: str
    label: str
    keys: tuple[str, ...] = ()


COMMANDS = (
    Command("undo", "Undo", ("Ctrl+Z",)),
    Command("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Command("cut", "Cut", ("Ctrl+X",)),
    Command("copy", "Copy", ("Ctrl+C",)),
    Command("paste", "Paste", ("Ctrl+V",)),
    Command("duplicate", "Duplicate", ("Ctrl+D",)),
    Command("delete", "Delete", ("Del", "Backspace")),
    Command("select_all", "Select all", ("Ctrl+A",)),
    Command("toggle_bypass", "Bypass", ("B", "M")),
    Command("rename", "Rename…", ("F2",)),
    Command("search", "Add node…", ("Tab", "Space", "Shift+A")),
    Command("fit", "Fit to view", ("F", "Home")),
    Command("actual_size", "Actual size", ("1",)),
    Command("arrange", "Arrange", ("L",)),
)
_BY_KEY = {QKeySequence(key).toString(): command for command in COMMANDS for key in command.keys}
_BY_METHOD = {command.method: command for command in COMMANDS}


def command_for(event: QKeyEvent) -> Command | None:
    return _BY_KEY.get(QKeySequence(event.keyCombination()).toString())


def node_menu(canvas: Canvas, id: str) -> QMenu:
    """For a right click on a node."""
    menu = _menu(canvas)
    menu.addAction("Run to here", lambda: canvas.run_to_requested.emit(id))
    menu.addAction("Pin in viewer", lambda: canvas.pin_requested.emit(id))
    if canvas.mark(id) is not None:
        menu.addAction("Get its weights…", lambda: canvas.weights_requested.emit(id))
    menu.addSeparator()
    _add(menu, canvas, ("toggle_bypass", "rename"))
    drive = menu.addMenu("Drive parameter")
    for param in canvas.drivable(id):
        drive.addAction(param.label, lambda name=param.name: canvas.drive(id, name))  # type: ignore[misc]
    drive.setEnabled(not drive.isEmpty())
    menu.addSeparator()
    _add(menu, canvas, ("cut", "copy", "duplicate", "delete"))
    menu.addSeparator()
    menu.addAction("Show help", lambda: canvas.help_requested.emit(id))
    return menu


def ground_menu(canvas: Canvas) -> QMenu:
    """For a right click beside all nodes."""
    menu = _menu(canvas)
    _add(menu, canvas, ("search", "paste"))
    menu.addSeparator()
    _add(menu, canvas, ("undo", "redo"))
    menu.addSeparator()
    _add(menu, canvas, ("select_all", "fit", "actual_size", "arrange"))
    return menu


def choice_menu(parent: QWidget, choices: Iterable[tuple[str, Callable[[], None]]]) -> QMenu:
    menu = _menu(parent)
    for label, act in choices:
        menu.addAction(label, act)
    return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _add(menu: QMenu, canvas: Canvas, methods: Iterable[str]) -> None:
    for method in methods:
        command = _BY_METHOD[method]
        action = menu.addAction(command.label, getattr(canvas, method))
        if command.keys:
            action.setShortcut(QKeySequence(command.keys[0]))
