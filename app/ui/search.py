"""The box that Tab opens: type a few letters, choose a node type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.spec import NodeSpec
from app.ui import canvas_look as look
from app.ui import theme

_SPEC = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 26
_STEER = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True)
class Offer:
    """A node type and the socket of it that would be linked (empty: none)."""

    spec: NodeSpec
    socket: str = ""


def rank(query: str, spec: NodeSpec) -> int | None:
    """How well a node type fits what was typed, smaller is better; None: not at all. An empty query fits all."""
    words = query.lower().split()
    title, rest = spec.title.lower(), f"{spec.id} {spec.doc}".lower()
    worst = 0
    for word in words:
        if title.startswith(word):
            score = 0
        elif f" {word}" in title or f".{word}" in spec.id.lower():
            score = 1
        elif word in title or word in spec.id.lower():
            score = 2
        elif _letters_in_order(word, title):
            score = 3
        elif word in rest:
            score = 4
        else:
            return None
        worst = max(worst, score)
    return worst


def _letters_in_order(word: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in word)


class SearchPopup(QFrame):
    """A child of the canvas, so that it needs no window of its own.

    ``chosen(Offer)``. ``closed()``: by a key or a choice, not when the person went on elsewhere.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._canvas = parent
        self.setObjectName("search")
        self.setStyleSheet(_STYLE)
        self.hint = QLabel(self)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText("Search node types")
        self.field.setClearButtonEnabled(True)
        self.results = QListWidget(self)
        self.results.setItemDelegate(_Row(self.results))
        self.results.setUniformItemSizes(True)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.setSpacing(6)
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.about.setFixedHeight(2 * self.fontMetrics().lineSpacing() + 4)
        for part in (self.hint, self.field, self.results, self.about):
            box.addWidget(part)
        self._offers: tuple[Offer, ...] = ()
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.results.itemClicked.connect(self._choose)
        self.results.currentItemChanged.connect(self._describe)
        self.hide()

    def open(self, offers: Iterable[Offer], at: QPoint, hint: str = "") -> None:
        """``at``: where the cursor is, in the parent. ``hint``: a line above, such as "Takes a Mesh"."""
        self._offers = tuple(sorted(offers, key=lambda offer: (offer.spec.family, offer.spec.title)))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        room = self._canvas.rect().adjusted(6, 6, -6, -6)
        self.setFixedWidth(min(340, room.width()))
        self.field.clear()
        self._filter("")
        rows = min(max(self.results.count(), 3), 11)
        self.results.setFixedHeight(rows * _ROW_HEIGHT + 2)
        self.setMaximumHeight(room.height())
        self.adjustSize()
        x = min(max(at.x() - 24, room.left()), room.right() - self.width())
        y = min(max(at.y() - 20, room.top()), room.bottom() - self.height())
        self.move(x, y)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def shown(self) -> list[str]:
        """Ids of the node types on offer now, best first."""
        return [self.results.item(row).data(_SPEC).spec.id for row in range(self.results.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and not self.isAncestorOf(self.window().focusWidget() or self):
            self.hide()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() in _STEER:
            self.results.event(event)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.results.currentItem())
            return True
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Tab):
            self.hide()
            self.closed.emit()
            return True
        return False

    def _filter(self, query: str) -> None:
        ranked = [(rank(query, offer.spec), place, offer) for place, offer in enumerate(self._offers)]
        fitting = sorted((score, place) for score, place, _ in ranked if score is not None)
        self.results.clear()
        for _, place in fitting:
            row = QListWidgetItem(self._offers[place].spec.title, self.results)
            row.setData(_SPEC, self._offers[place])
            row.setToolTip(self._offers[place].spec.doc)
        self.results.setCurrentRow(0)

    def _describe(self, row: QListWidgetItem | None) -> None:
        """The first sentence of the help text, in at most two lines."""
        sentence = row.data(_SPEC).spec.doc.partition("\n")[0].partition(". ")[0] if row else "Nothing fits."
        room = 2 * (self.width() - 40)
        self.about.setText(self.fontMetrics().elidedText(sentence, Qt.TextElideMode.ElideRight, room))

    def _choose(self, row: QListWidgetItem | None) -> None:
        if row is not None:
            offer = row.data(_SPEC)
            self.hide()
            self.chosen.emit(offer)
            self.closed.emit()


class _Row(QStyledItemDelegate):
    """Colour of the family, title, and the family's name on the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, _ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        spec: NodeSpec = index.data(_SPEC).spec
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setBrush(look.tint(theme.ACCENT, 90))
            painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 4, 4)
        painter.setBrush(look.family_colour(spec.family))
        painter.drawRoundedRect(QRectF(box.left() + 8, box.center().y() - 5, 10, 10), 3, 3)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.TITLE)
        painter.drawText(box.adjusted(26, 0, -8, 0), middle | Qt.AlignmentFlag.AlignLeft, spec.title)
        painter.setPen(look.FAINT)
        painter.drawText(
            box.adjusted(26, 0, -10, 0), middle | Qt.AlignmentFlag.AlignRight, spec.family.replace("_", " ")
        )
        painter.restore()


_STYLE = f"""
#search {{ background: {theme.PANEL}; border: 1px solid {theme.BORDER}; border-radius: 8px; }}
#search QLabel {{ color: {theme.DIM}; padding: 0 2px; }}
#search QListWidget {{ background: transparent; border: none; outline: none; }}
"""
