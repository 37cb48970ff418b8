"""A field for a number: reads what people type, writes it plainly."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit


def written(value: Any) -> str:
    """A number as people write it: no exponent for everyday sizes, no trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e9):
        return str(int(value))
    return f"{value:.6g}"


def parsed(text: str) -> Any:
    """A number from what a person typed (``20,000``, ``20 000``, ``0,5``, ``1e-3``), or the text itself."""
    plain = text.strip().replace(" ", "").replace(" ", "").replace("_", "")
    if "," in plain:
        groups = plain.split(",")
        thousands = "." in plain or len(groups) > 2 or (len(groups[-1].lstrip("-")) == 3 and groups[0] not in ("0", ""))
        plain = plain.replace(",", "" if thousands else ".")
    for kind in (int, float):
        try:
            return kind(plain)
        except ValueError:
            continue
    return text


class NumberField(QLineEdit):
    """A typed number. Enter or leaving commits; Up and Down step; Escape goes back."""

    committed = Signal(object)
    stepped = Signal(int)

    def __init__(self, unit: str = "") -> None:
        super().__init__(alignment=Qt.AlignmentFlag.AlignRight)
        self._shown = ""
        self._unit = unit
        self.editingFinished.connect(self._finish)

    def show_number(self, value: Any) -> None:
        self._shown = f"{written(value)} {self._unit}".rstrip()
        self.setText(self._shown)
        self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if steps:
            self.stepped.emit(steps * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))
        elif event.key() == Qt.Key.Key_Escape and self.text() != self._shown:
            self.setText(self._shown)
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.text() != self._shown:
            self.committed.emit(parsed(self.text().strip().removesuffix(self._unit)))
