"""Rows for what is drawn on a picture: a rectangle or strokes. The viewer does the drawing; the row switches it on."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from app.engine.params import Rectangle
from app.ui import theme
from app.ui.row import Row
from app.ui.widgets import label


class DrawRow(Row):
    """``drawing(on)``: the person wants to draw, or has done."""

    drawing = Signal(bool)

    def build(self) -> None:
        self.summary = label(role="dim")
        self.put(self.summary)
        self.button = QPushButton(theme.icon("draw"), "Draw on picture")
        self.button.setCheckable(True)
        self.button.toggled.connect(self.drawing)
        self.put_below(self.button)

    def show_value(self, value: Any) -> None:
        self.summary.setText(self._in_words(value))

    def stop(self) -> None:
        """Drawing ended elsewhere."""
        self.button.setChecked(False)

    def _in_words(self, value: Any) -> str:
        if isinstance(self.param.setting, Rectangle):
            return self._rectangle(value)
        if not isinstance(value, list | tuple) or not value:
            return "no strokes"
        keep = sum(1 for stroke in value if isinstance(stroke, dict) and stroke.get("keep"))
        return f"{keep} keep, {len(value) - keep} remove"

    def _rectangle(self, value: Any) -> str:
        if not isinstance(value, list | tuple) or len(value) != 4:
            return "none"
        left, top, right, bottom = value
        return f"{left:.0%}, {top:.0%} to {right:.0%}, {bottom:.0%}"
