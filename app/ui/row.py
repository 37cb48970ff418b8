"""The base of every inspector row: label, control, unit, reset button, problem in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.engine.errors import BadParam
from app.engine.spec import Param
from app.ui import theme
from app.ui.dialogs import Dialogs
from app.ui.widgets import label, set_look, tool_button

LABEL_WIDTH = 104
_gestures = count(1)


@dataclass(frozen=True)
class Surroundings:
    """What rows that name files need to know. ``stored``: a chosen path as the graph keeps it. ``set_out``: choose
    another output folder, after the person was asked."""

    base: Callable[[], Path]
    out: Callable[[], Path]
    stored: Callable[[Path], str]
    dialogs: Dialogs
    set_out: Callable[[Path], None]


def new_gesture() -> str:
    """A merge key that no other gesture has."""
    return f"gesture {next(_gestures)}"


class Row(QWidget):
    """``edited(value, merge_key)``: the person chose a JSON value; steps with one merge key are one gesture."""

    edited = Signal(object, str)

    def __init__(self, param: Param, around: Surroundings) -> None:
        super().__init__()
        self.param, self.around = param, around
        self.value: Any = param.default
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 2)
        self._layout.setSpacing(2)
        self.line = QHBoxLayout()
        self.line.setSpacing(6)
        self._layout.addLayout(self.line)
        self.label = self._label()
        self.reset = self._reset_button()
        self.driven = label(role="dim")
        self.problem = label(role="bad", wrap=True)
        self.problem.hide()
        self.controls: list[QWidget] = []
        self.build()
        self.line.addWidget(self.driven, 1)
        self.line.addWidget(self.reset)
        self._layout.addWidget(self.problem)
        for control in self.controls:
            control.setToolTip(self._tooltip())
        self.set_value(param.default)

    def build(self) -> None:
        """Add the controls with :meth:`put` and :meth:`put_below`."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value without emitting ``edited``."""
        raise NotImplementedError

    def put(self, control: QWidget, stretch: int = 1) -> None:
        self.controls.append(control)
        self.line.addWidget(control, stretch)

    def put_below(self, control: QWidget) -> None:
        self.controls.append(control)
        self._layout.addWidget(control)

    def flush(self) -> None:
        """Commit what was typed and waits for a pause."""

    def set_value(self, value: Any) -> None:
        """From the graph. A value that the setting refuses is shown as it is, with the reason."""
        self.value = value
        self.show_value(value)
        self.reset.setEnabled(value != self.param.default)
        self.reset.setVisible(value != self.param.default)
        self.set_problem(self._why_not(value))

    def set_driven(self, by: str) -> None:
        """``by``: the title of the node whose link drives the parameter, or an empty text."""
        for control in self.controls:
            control.setVisible(not by)
        self.driven.setVisible(bool(by))
        self.driven.setText(f"driven by {by}" if by else "")
        if by:
            self.reset.hide()
            self.set_problem("")

    def set_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        for control in self.controls:
            set_look(control, "bad", bool(text))

    def commit(self, value: Any, merge_key: str = "") -> None:
        """Hand an edit on, or say why the value is not possible and leave the graph alone."""
        why = self._why_not(value)
        if why:
            self.set_problem(why)
        elif value != self.value or merge_key:
            self.edited.emit(value, merge_key)
        else:
            self.set_problem("")

    def _why_not(self, value: Any) -> str:
        try:
            self.param.setting.check(value)
        except BadParam as error:
            return error.message
        return ""

    def _tooltip(self) -> str:
        return self.param.setting.help

    def _label(self) -> QLabel:
        name = QLabel(self.param.label, wordWrap=True)
        name.setToolTip(self._tooltip())
        name.setFixedWidth(LABEL_WIDTH)
        self.line.addWidget(name, 0, Qt.AlignmentFlag.AlignVCenter)
        return name

    def _reset_button(self) -> QToolButton:
        button = tool_button("reset", f"Back to the default: {_in_words(self.param.default)}", theme.DIM)
        button.setFixedSize(22, 22)
        keep = button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        button.setSizePolicy(keep)
        button.clicked.connect(lambda: self.edited.emit(self.param.default, ""))
        return button


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in ("", None, []) else str(value)
