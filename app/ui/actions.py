"""Every menu entry, tool button and key of the window, as one table of records. Qt code only renders it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from app.ui import theme
from app.ui.canvas_menus import COMMANDS

MENUS = ("File", "Edit", "View", "Run", "Help")


@dataclass(frozen=True)
class Action:
    """``call``: dotted name of a method, from the window. ``menu``: where it stands, in table order, below a line if
    ``apart``. ``keys``: the first is shown; ``local`` ones are heard by the canvas itself. ``when``: the fact that
    must hold. ``check``: the fact that a tick shows. ``bar``: it stands in the tool bar, too, beside ``word``.
    """

    id: str
    title: str
    call: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    when: str = ""
    check: str = ""
    bar: bool = False
    apart: bool = False
    local: bool = False
    tip: str = ""
    word: str = ""


_COMMANDS = {command.method: command for command in COMMANDS}


def _canvas(method: str, menu: str, icon: str = "", when: str = "", **more: Any) -> Action:
    """A command of the canvas: its word and its keys stand in the canvas's own table."""
    command = _COMMANDS[method]
    return Action(method, command.label, f"canvas.{method}", menu, command.keys, icon, when, **{"local": True, **more})


ACTIONS: tuple[Action, ...] = (
    Action("new", "New", "files.new", "File", ("Ctrl+N",), "new", bar=True),
    Action("open", "Open…", "files.open", "File", ("Ctrl+O",), "open", bar=True),
    Action("examples", "Examples…", "files.examples", "File", icon="gallery"),
    Action("save", "Save", "files.save", "File", ("Ctrl+S",), "save", bar=True, apart=True),
    Action("save_as", "Save as…", "files.save_as", "File", ("Ctrl+Shift+S",)),
    Action("models", "Models…", "models.open", "File", ("Ctrl+M",), "model", bar=True, apart=True,
           tip="Weights of the installed node types: get, import, check"),
    Action("settings", "Settings…", "help.settings", "File", ("Ctrl+,",), "settings"),
    Action("quit", "Quit", "close", "File", ("Ctrl+Q",), apart=True),
    _canvas("undo", "Edit", "undo", "undo", local=False, bar=True),
    _canvas("redo", "Edit", "redo", "redo", local=False, bar=True),
    _canvas("cut", "Edit", when="selected", apart=True),
    _canvas("copy", "Edit", "copy", "selected"),
    _canvas("paste", "Edit"),
    _canvas("duplicate", "Edit", when="selected"),
    _canvas("delete", "Edit", "trash", "selected"),
    _canvas("select_all", "Edit", when="nodes", apart=True),
    _canvas("search", "Edit", "search", apart=True),
    Action("rename", "Rename…", "rename", "Edit", ("F2",), when="one"),
    _canvas("toggle_bypass", "Edit", when="selected"),
    _canvas("fit", "View", "fit", "nodes", bar=True),
    _canvas("arrange", "View", when="nodes"),
    Action("pin", "Pin the selected node in the viewer", "pin", "View", icon="pin", when="one", apart=True),
    Action("take_camera", "Take the viewer's camera", "take_camera", "View", when="camera",
           tip="The selected node looks from where the 3D view looks"),
    Action("screenshot", "Save the viewer as a picture…", "screenshot", "View"),
    Action("layout", "Back to the usual layout", "usual_layout", "View", apart=True),
    Action("run", "Run all", "running.run_all", "Run", ("F5", "Ctrl+R"), "run", "nodes", bar=True, word="Run"),
    Action("run_here", "Run to here", "running.run_here", "Run", ("F6",), "run_here", "selected", bar=True,
           tip="Run the selected nodes and what they need"),
    Action("cancel", "Cancel", "running.cancel", "Run", ("Shift+F5",), "cancel", "running", bar=True),
    Action("auto", "Run after every edit", "running.toggle_auto", "Run", icon="auto", check="auto", bar=True,
           word="Auto"),
    Action("queue", "Add to the queue", "queued.add", "Run", ("Ctrl+F5",), "queue", "nodes",
           tip="Run the graph as it is now when the runs before it have ended"),
    Action("out", "Output folder…", "running.choose_out", "Run", icon="folder", apart=True),
    Action("open_out", "Open the output folder", "running.open_out", "Run", icon="output", bar=True),
    Action("reload", "Reload node files", "running.reload", "Run", ("Ctrl+Shift+R",), apart=True,
           tip="Read the node types again, those in your own folders too"),
    Action("release", "Give back memory", "running.release", "Run",
           tip="Unload models and cached results; nothing stored on disk is lost"),
    Action("clear", "Clear stored results…", "running.clear_store", "Run", icon="trash"),
    Action("gallery", "Examples…", "files.examples", "Help"),
    Action("keys", "Keyboard…", "help.keys", "Help", ("F1",)),
    Action("report", "Report a problem…", "reports.open", "Help", apart=True,
           tip="Save the graph, the versions and the log in one file that runs again elsewhere"),
    Action("about", "About Polyloom", "help.about", "Help", apart=True),
)  # fmt: skip


def build(window: QMainWindow, table: tuple[Action, ...] = ACTIONS) -> tuple[dict[str, QAction], dict[str, QMenu]]:
    """(actions by id, menus by name): the menu bar is filled, the tool bar is not."""
    menus = {name: window.menuBar().addMenu(name) for name in MENUS}
    made: dict[str, QAction] = {}
    for record in table:
        made[record.id] = action = _make(window, record)
        menu: QMenu = menus[record.menu]
        if record.apart and menu.actions():
            menu.addSeparator()
        menu.addAction(action)
    return made, menus


def fill_bar(bar: QToolBar, made: Mapping[str, QAction], table: tuple[Action, ...] = ACTIONS) -> None:
    """The entries marked ``bar``, with a gap between those of different menus."""
    last = ""
    for record in table:
        if record.bar:
            if last and record.menu != last:
                bar.addSeparator()
            bar.addAction(made[record.id])
            button = bar.widgetForAction(made[record.id])
            if record.word and isinstance(button, QToolButton):
                made[record.id].setIconText(record.word)
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            last = record.menu


def update(made: Mapping[str, QAction], facts: Collection[str], table: tuple[Action, ...] = ACTIONS) -> None:
    """Switch entries on and off. ``facts``: words that hold now, such as ``selected`` or ``running``."""
    for record in table:
        made[record.id].setEnabled(not record.when or record.when in facts)
        if record.check:
            made[record.id].setChecked(record.check in facts)


def _make(window: QMainWindow, record: Action) -> QAction:
    shown = f"\t{record.keys[0]}" if record.local and record.keys else ""
    action = QAction(record.title + shown, window)
    action.setObjectName(record.id)
    if record.keys and not record.local:
        action.setShortcuts([QKeySequence(key) for key in record.keys])
    if record.icon:
        action.setIcon(theme.icon(record.icon, _COLOURED.get(record.id, theme.TEXT)))
    keys = f" ({record.keys[0]})" if record.keys else ""
    action.setToolTip((record.tip or record.title.replace("…", "")) + keys)
    action.setCheckable(bool(record.check))
    action.triggered.connect(lambda: _call(window, record.call)())
    return action


_COLOURED = {"run": theme.GOOD, "cancel": theme.BAD}


def _call(window: QMainWindow, name: str) -> Callable[[], object]:
    found: Any = window
    for part in name.split("."):
        found = getattr(found, part)
    return cast(Callable[[], object], found)
