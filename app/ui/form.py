"""The rows of one node: built once per node, refreshed after every edit."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from app.engine.spec import NodeSpec
from app.engine.validate import Problem
from app.ui import theme
from app.ui.row import Row, Surroundings
from app.ui.row_draw import DrawRow
from app.ui.rows import row_for
from app.ui.widgets import tool_button


class Form(QWidget):
    """``edited(name, value, merge_key)``. ``drawing(name, on)``: a drawing row was switched."""

    edited = Signal(str, object, str)
    drawing = Signal(str, bool)

    def __init__(self, spec: NodeSpec, around: Surroundings) -> None:
        super().__init__()
        self.rows: dict[str, Row] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.more = _fold_button()
        self.folded = QWidget()
        self.more.hide()
        self.folded.hide()
        folded = QVBoxLayout(self.folded)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(2)
        for param in spec.params:
            row = row_for(param, around)
            self._connect(row)
            self.rows[param.name] = row
            (folded if param.setting.advanced else layout).addWidget(row)
        if folded.count():
            layout.addWidget(self.more)
            layout.addWidget(self.folded)
            self.more.setVisible(True)
            self.more.toggled.connect(self._fold)

    def show_values(self, values: Mapping[str, object], driven: Mapping[str, str]) -> None:
        """``driven``: title of the driving node by parameter."""
        for name, row in self.rows.items():
            row.set_value(values.get(name, row.param.default))
            row.set_driven(driven.get(name, ""))

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        """What the plan found wrong, beside the row that it is about; what a row itself refuses stays."""
        for problem in problems:
            row = self.rows.get(problem.socket_or_param)
            if row is not None and row.problem.isHidden():
                row.set_problem(problem.message)
                if row.param.setting.advanced:
                    self.more.setChecked(True)

    def stop_drawing(self) -> None:
        for row in self.rows.values():
            if isinstance(row, DrawRow):
                row.stop()

    def _connect(self, row: Row) -> None:
        name = row.param.name
        row.edited.connect(lambda value, key: self.edited.emit(name, value, key))
        if isinstance(row, DrawRow):
            row.drawing.connect(lambda on: self._switch(name, on))

    def _switch(self, name: str, on: bool) -> None:
        """One thing is drawn at a time."""
        for other, row in self.rows.items():
            if on and other != name and isinstance(row, DrawRow):
                row.stop()
        self.drawing.emit(name, on)

    def _fold(self, opened: bool) -> None:
        self.folded.setVisible(opened)
        self.more.setIcon(theme.icon("arrow_down" if opened else "arrow_right"))


def _fold_button() -> QToolButton:
    button = tool_button("arrow_right", "Settings that are seldom needed", checkable=True)
    button.setText("More settings")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
