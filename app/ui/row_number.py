"""Rows for numbers: a field, a slider with a field, a seed with a dice."""

from __future__ import annotations

import math
import random
from html import escape
from typing import Any

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QWidget

from app.engine.params import AnyNumber, Slider
from app.ui import theme
from app.ui.number_field import NumberField, written
from app.ui.row import Row, new_gesture
from app.ui.slider import QuietSlider, Scale
from app.ui.widgets import set_look, tool_button

PAUSE_MS = 800
SHORT_UNIT = 3


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
        if not short and unit.lower() not in self.param.label.lower().split():
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
