"""Small widgets and habits that many parts of the window share."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QStyle, QStyleOptionFrame, QToolButton, QWidget

from app.ui import theme

PAD = 2


def tool_button(icon: str, tip: str, colour: str = theme.TEXT, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setIcon(theme.icon(icon, colour))
    button.setToolTip(tip)
    button.setCheckable(checkable)
    return button


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """``role``: a look of the stylesheet (dim, bad, warn, heading). Wrapped labels can be selected and copied."""
    made = QLabel(text, wordWrap=wrap)
    made.setProperty("role", role)
    if wrap:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def set_look(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the stylesheet looks at, and paint anew if it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class CutLabel(QLabel):
    """One line of plain text that is cut off in the middle where it is too long; the tooltip has all of it."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setMinimumWidth(1)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room.width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


class CutField(QLineEdit):
    """A line to type into that shows, while nobody types, where its text is cut off: ``side`` has the dots."""

    def __init__(self, side: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._side = side

    def shown(self) -> str:
        """What can be read while nobody types."""
        return self.fontMetrics().elidedText(self.text(), self._side, self._room().width())

    def rest(self) -> None:
        """Scroll to where reading begins."""
        if self._side == Qt.TextElideMode.ElideLeft:
            self.end(False)
        else:
            self.home(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.rest()

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown()
        if self.hasFocus() or shown == self.text():
            super().paintEvent(event)
            return
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, option, painter, self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        painter.drawText(self._room(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _room(self) -> QRect:
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        inside = self.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, self)
        return inside.marginsRemoved(self.textMargins()).adjusted(PAD, 0, -PAD, 0)


class QuietCombo(QComboBox):
    """A list that the mouse wheel does not change while the person scrolls past it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
