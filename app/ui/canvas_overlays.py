"""Small widgets that float over the canvas: a bubble with a reason, and a field to rename a node in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.ui import theme

STAYS_MS = 3000


class Bubble(QLabel):
    """A few words beside the cursor."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(
            f"background: {theme.RAISED}; color: {theme.TEXT}; border: 1px solid {theme.BAD};"
            "border-radius: 5px; padding: 5px 8px;"
        )
        self.setWordWrap(True)
        self._timer = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_at(self, text: str, at: QPoint, fading: bool = False) -> None:
        """Hidden when there is nothing to say. ``fading``: goes by itself after a while."""
        self._timer.stop()
        self.setVisible(bool(text))
        if not text:
            return
        if text != self.text():
            self.setText(text)
            self.setFixedWidth(min(320, self.fontMetrics().horizontalAdvance(text) + 24))
            self.adjustSize()
        room = self._parent.rect()
        x = min(at.x() + 16, room.right() - self.width() - 4)
        y = at.y() + 18 if at.y() + 18 + self.height() < room.bottom() else at.y() - self.height() - 10
        self.move(max(x, 4), y)
        self.raise_()
        if fading:
            self._timer.start()


class RenameField(QLineEdit):
    """Over a title: Enter or a click elsewhere keeps the text, Escape does not."""

    SMALLEST = QSize(160, 26)

    def __init__(self, parent: QWidget, text: str, box: QRect, done: Callable[[str], None]) -> None:
        super().__init__(text, parent)
        self._done: Callable[[str], None] | None = done
        self.setGeometry(box)
        self.selectAll()
        self.show()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
                self._close(keep=True)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._close(keep=False)
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._close(keep=True)

    def _close(self, keep: bool) -> None:
        done, self._done = self._done, None
        if done:
            self.hide()
            self.deleteLater()
            if keep:
                done(self.text())
