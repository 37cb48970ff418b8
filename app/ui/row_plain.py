"""Rows for switches, lists, text, colours, and for values of a node type that is not installed."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, QTimer
from PySide6.QtGui import QColor, QFocusEvent, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QCheckBox, QCompleter, QLineEdit, QPlainTextEdit, QPushButton

from app.engine.params import Choice, Line
from app.ui import theme
from app.ui.row import Row, new_gesture
from app.ui.widgets import CutField, QuietCombo, label

TYPING_MS = 600


class ToggleRow(Row):
    def build(self) -> None:
        self.box = QCheckBox()
        self.box.clicked.connect(lambda on: self.commit(bool(on)))
        self.put(self.box)

    def show_value(self, value: Any) -> None:
        self.box.setChecked(value is True)
        self.box.setText("on" if value is True else "off")


class ChoiceRow(Row):
    def build(self) -> None:
        assert isinstance(self.param.setting, Choice)
        self.combo = QuietCombo()
        for option in self.param.setting.options:
            self.combo.addItem(option.replace("_", " "), option)
        self.combo.activated.connect(lambda place: self.commit(self.combo.itemData(place)))
        self.put(self.combo)

    def show_value(self, value: Any) -> None:
        place = self.combo.findData(value)
        self.combo.setCurrentIndex(place)
        self.combo.setPlaceholderText("" if place >= 0 else str(value))


class LineRow(Row):
    """A field; a list that can be typed into where the setting offers usual texts."""

    def build(self) -> None:
        setting = self.param.setting
        offers = setting.offers if isinstance(setting, Line) else ()
        self.field = QLineEdit() if offers else CutField()
        self.put(self._combo(offers) if offers else self.field)
        if isinstance(setting, Line):
            self.field.setPlaceholderText(setting.placeholder)
        self.field.editingFinished.connect(lambda: self.commit(self.field.text()))

    def _combo(self, offers: tuple[str, ...]) -> QuietCombo:
        combo = QuietCombo()
        combo.setEditable(True)
        combo.setLineEdit(self.field)
        combo.setCompleter(QCompleter(combo))
        combo.setInsertPolicy(QuietCombo.InsertPolicy.NoInsert)
        combo.addItems(offers)
        combo.activated.connect(lambda _: self.commit(self.field.text()))
        return combo

    def show_value(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        if self.field.text() != text:
            self.field.setText(text)
            self.field.setCursorPosition(0)


class TextArea(QPlainTextEdit):
    """Grows a little with its text; tells when the focus leaves."""

    def __init__(self, row: MultilineRow) -> None:
        super().__init__(tabChangesFocus=True)
        self._row = row

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._row.flush()

    def sizeHint(self) -> QSize:
        lines = min(max(self.blockCount(), 3), 10)
        return QSize(160, lines * self.fontMetrics().lineSpacing() + 16)

    minimumSizeHint = sizeHint


class MultilineRow(Row):
    """Typing is committed after a short pause; what is typed until the focus leaves is one undo step."""

    def build(self) -> None:
        assert isinstance(self.param.setting, Line)
        self.area = TextArea(self)
        self.area.setPlaceholderText(self.param.setting.placeholder)
        self._gesture = ""
        self._pause = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._pause.timeout.connect(self._commit_text)
        self.area.textChanged.connect(self._typed)
        self.line.addStretch(1)
        self.put_below(self.area)

    def show_value(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        if self.area.toPlainText() != text and not self._pause.isActive():
            with QSignalBlocker(self.area):
                self.area.setPlainText(text)
        self.area.updateGeometry()

    def flush(self) -> None:
        """Commit what waits; the next typing is another undo step."""
        if self._pause.isActive():
            self._pause.stop()
            self._commit_text()
        self._gesture = ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide:
            self.flush()
        return super().event(event)

    def _typed(self) -> None:
        self._gesture = self._gesture or new_gesture()
        self.area.updateGeometry()
        self._pause.start()

    def _commit_text(self) -> None:
        text = self.area.toPlainText()
        if text != self.value:
            self.commit(text, self._gesture)


class ColourRow(Row):
    """A swatch that opens the colour dialog, and the code for typing and pasting."""

    def build(self) -> None:
        self.swatch = QPushButton()
        self.swatch.setFixedSize(44, 26)
        self.swatch.setIconSize(QSize(32, 16))
        self.swatch.clicked.connect(self._pick)
        self.field = QLineEdit(maxLength=9)
        self.field.editingFinished.connect(self._typed)
        self.put(self.swatch, 0)
        self.put(self.field)

    def show_value(self, value: Any) -> None:
        self.field.setText(str(value))
        self.swatch.setIcon(QIcon(_swatch(_colour(str(value)), self.swatch.iconSize())))

    def _typed(self) -> None:
        text = self.field.text().strip().lower()
        self.commit(text if text.startswith("#") else f"#{text}")

    def _pick(self) -> None:
        chosen = self.around.dialogs.colour(_colour(str(self.value)))
        if chosen is not None:
            full = f"#{chosen.red():02x}{chosen.green():02x}{chosen.blue():02x}"
            self.commit(full if chosen.alpha() == 255 else f"{full}{chosen.alpha():02x}")


def _colour(text: str) -> QColor:
    """From ``#rrggbb`` or ``#rrggbbaa`` (Qt itself reads the alpha first)."""
    if len(text) == 9:
        text = f"#{text[7:9]}{text[1:7]}"
    return QColor(text) if QColor.isValidColorName(text) else QColor("black")


def _swatch(colour: QColor, size: QSize) -> QPixmap:
    pixmap = QPixmap(size)
    pixmap.fill(QColor("#9a9a9a"))
    painter = QPainter(pixmap)
    half = size.height() // 2
    for x in range(0, size.width(), half):
        for y in range(0, size.height(), half):
            if (x // half + y // half) % 2:
                painter.fillRect(x, y, half, half, QColor("#6a6a6a"))
    painter.fillRect(pixmap.rect(), colour)
    painter.setPen(QColor(theme.BORDER))
    painter.drawRect(pixmap.rect().adjusted(0, 0, -1, -1))
    painter.end()
    return pixmap


class KeptRow(Row):
    """A value that this program cannot interpret: shown, kept, not editable."""

    def build(self) -> None:
        self.text = label(role="dim", wrap=True)
        self.put(self.text)

    def show_value(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.text.setText(text if len(text) <= 200 else text[:200] + "…")
