"""Rows for numbers: a field, a slider with a field, a seed with a dice."""

from __future__ import annotations

import math
import random
from html import escape
from typing import Any

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QStyle, QWidget

from app.engine.params import AnyNumber, Slider
from app.ui import theme
from app.ui.row import Row, new_gesture
from app.ui.widgets import set_look, tool_button

STEPS = 1000
PAUSE_MS = 800
SHORT_UNIT = 3


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
            handle = 12
            x = int(event.position().x()) - handle // 2
            aim = QStyle.sliderValueFromPosition(0, STEPS, x, max(1, self.width() - handle))
            if abs(aim - self.value()) > STEPS * handle / 2 / max(1, self.width()):
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


class NumberRow(Row):
    """A field alone: any number."""

    def build(self) -> None:
        self.field = NumberField()
        self.field.committed.connect(self.commit)
        self.field.stepped.connect(self._step)
        self.put(self.field)

    def show_value(self, value: Any) -> None:
        self.field.show_number(value)

    def _step(self, steps: int) -> None:
        if isinstance(self.value, int | float):
            whole = isinstance(self.param.setting, AnyNumber) and self.param.setting.whole
            step = 1 if whole or abs(self.value) >= 10 else 0.1
            self.commit(self.value + steps if whole else float(f"{self.value + steps * step:.9g}"))


class SliderRow(Row):
    """A slider over the range and a field for exact values. One drag is one undo step."""

    def build(self) -> None:
        assert isinstance(self.param.setting, Slider)
        self.scale = Scale(self.param.setting)
        self._gesture = ""
        self._since = QElapsedTimer()
        self.slider = QuietSlider()
        unit = self.param.setting.unit
        short = len(unit) <= SHORT_UNIT
        self.field = NumberField(unit if short else "")
        self.field.setFixedWidth(70)
        self.put(_beside(self.slider, self.field))
        if not short:
            self.label.setText(f"{self.param.label}<br><span style='color:{theme.DIM}'>{escape(unit)}</span>")
        self.slider.sliderPressed.connect(self._begin)
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.connect(self._end)
        self.field.committed.connect(self.commit)
        self.field.stepped.connect(self._step)

    def show_value(self, value: Any) -> None:
        self.field.show_number(value)
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if fits and not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(self.scale.position(value))
            self.slider.blockSignals(False)

    def set_problem(self, text: str) -> None:
        super().set_problem(text)
        set_look(self.field, "bad", bool(text))

    def _tooltip(self) -> str:
        setting = self.param.setting
        assert isinstance(setting, Slider)
        limits = f"{written(setting.min)} to {written(setting.max)} {setting.unit}".strip()
        return f"{setting.help}\n{limits}".strip()

    def _begin(self) -> None:
        self._gesture = new_gesture()

    def _moved(self, position: int) -> None:
        if not self._gesture or (not self.slider.isSliderDown() and self._since.elapsed() > PAUSE_MS):
            self._begin()
        self._since.start()
        value = self.scale.value(position)
        if value != self.value:
            self.commit(value, self._gesture)

    def _end(self) -> None:
        self._gesture = ""
        self.show_value(self.value)

    def _step(self, steps: int) -> None:
        if isinstance(self.value, int | float):
            self.commit(self.scale.stepped(self.value, steps))


def _beside(slider: QSlider, field: QLineEdit) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    layout.addWidget(slider, 1)
    layout.addWidget(field)
    box.setFocusProxy(field)
    return box


class SeedRow(NumberRow):
    """A whole number and a dice that throws another one."""

    def build(self) -> None:
        super().build()
        dice = tool_button("dice", "Another seed")
        dice.clicked.connect(lambda: self.commit(random.randrange(2**32)))
        self.dice = dice
        self.line.addWidget(dice)
        self.controls.append(dice)

    def _step(self, steps: int) -> None:
        if isinstance(self.value, int):
            self.commit(self.value + steps)
