"""A slider that behaves in a scrolling form, and the scale between its positions and values."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QStyle

from app.engine.params import Slider

STEPS = 1000
HANDLE = 12


class QuietSlider(QSlider):
    """Jumps to where it is clicked, drags from there, and leaves the wheel to the page unless it has the focus."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, STEPS)
        self.setPageStep(STEPS // 20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(48)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            x = int(event.position().x()) - HANDLE // 2
            aim = QStyle.sliderValueFromPosition(0, STEPS, x, max(1, self.width() - HANDLE))
            if abs(aim - self.value()) > STEPS * HANDLE / 2 / max(1, self.width()):
                self.setSliderDown(True)
                self.setValue(aim)
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Scale:
    """Between slider positions 0..STEPS and values; rounds to what the setting can mean."""

    def __init__(self, setting: Slider) -> None:
        self.setting = setting
        self.log = setting.log and setting.min > 0

    def value(self, position: int) -> float | int:
        low, high, part = self.setting.min, self.setting.max, position / STEPS
        if position in (0, STEPS):
            value = low if position == 0 else high
        elif self.log:
            value = _significant(low * (high / low) ** part, 3)
        else:
            value = self._rounded(low + (high - low) * part)
        value = min(max(value, low), high)
        return round(value) if self.setting.whole else float(value)

    def position(self, value: float) -> int:
        low, high = self.setting.min, self.setting.max
        value = min(max(value, low), high)
        part = math.log(value / low) / math.log(high / low) if self.log else (value - low) / ((high - low) or 1)
        return round(part * STEPS)

    def stepped(self, value: float, steps: int) -> float | int:
        """``value`` moved by whole steps, inside the range."""
        step = self.setting.step or (1 if self.setting.whole else self._fine(value))
        moved = min(max(value + steps * step, self.setting.min), self.setting.max)
        return round(moved) if self.setting.whole else float(f"{moved:.9g}")

    def _fine(self, value: float) -> float:
        size = abs(value) / 20 if self.log else (self.setting.max - self.setting.min) / 100
        return float(10 ** math.floor(math.log10(size))) if size > 0 else 0.01

    def _rounded(self, value: float) -> float:
        if self.setting.step:
            steps = round((value - self.setting.min) / self.setting.step)
            return float(f"{self.setting.min + steps * self.setting.step:.9g}")
        digits = math.ceil(-math.log10((self.setting.max - self.setting.min) / STEPS))
        return round(value, digits)


def _significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
