"""The left half of the models dialog: every set of weights in two lines, found by word and by state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ui import canvas_look as look
from app.ui import theme, weight_mark
from app.ui.weight_words import STATES, progress_text, short_limits, size_text
from app.ui.weights import Stand
from app.ui.widgets import QuietCombo

ROW = 48
SHOWS = {"all": "All", "graph": "In this graph", "here": "On this machine", "not here": "Not here yet"}
_STAND, _USERS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class WeightsList(QWidget):
    """``chosen(handle)``: another row, or an empty text when none fits. ``in_graph``: handles that the graph uses."""

    chosen = Signal(str)

    def __init__(self, in_graph: Callable[[], set[str]]) -> None:
        super().__init__()
        self._in_graph = in_graph
        self.field = QLineEdit(placeholderText="Search models and nodes", clearButtonEnabled=True)
        self.field.addAction(theme.icon("search", theme.DIM), QLineEdit.ActionPosition.LeadingPosition)
        self.field.textChanged.connect(lambda _: self._filter())
        self.show_box = QuietCombo()
        for key, word in SHOWS.items():
            self.show_box.addItem(word, key)
        self.show_box.currentIndexChanged.connect(lambda _: self._filter())
        self.list = QListWidget()
        self.list.setItemDelegate(_Row(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda *_: self.chosen.emit(self.selected))
        head = QHBoxLayout()
        head.addWidget(self.field, 1)
        head.addWidget(self.show_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.list, 1)
        self.setMinimumWidth(360)

    @property
    def selected(self) -> str:
        """Handle of the row that is marked, or an empty text."""
        item = self.list.currentItem()
        return str(item.data(_STAND).card.handle) if item is not None and not item.isHidden() else ""

    def select(self, handle: str) -> None:
        for item in self._items():
            if item.data(_STAND).card.handle == handle:
                item.setHidden(False)
                self.list.setCurrentItem(item)

    def shown(self) -> list[str]:
        """Handles of the rows that can be seen, from top to bottom."""
        return [item.data(_STAND).card.handle for item in self._items() if not item.isHidden()]

    def show_stands(self, stands: Sequence[Stand], users: Callable[[str], Sequence[str]]) -> None:
        """The rows stay where they are unless there are other cards."""
        handles = [stand.card.handle for stand in stands]
        if handles != [item.data(_STAND).card.handle for item in self._items()]:
            self.list.clear()
            for _ in stands:
                self.list.addItem(QListWidgetItem())
        for item, stand in zip(self._items(), stands, strict=True):
            if item.data(_STAND) != stand:
                item.setData(_STAND, stand)
                item.setData(_USERS, ", ".join(users(stand.card.handle)))
                item.setToolTip(stand.card.label)
        self._filter()

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _filter(self) -> None:
        words, show = self.field.text().lower().split(), self.show_box.currentData()
        used = self._in_graph() if show == "graph" else set()
        for item in self._items():
            stand: Stand = item.data(_STAND)
            text = f"{stand.card.label} {stand.card.handle} {stand.card.repository} {item.data(_USERS)}".lower()
            item.setHidden(not (_fits(stand, show, used) and all(word in text for word in words)))
        current = self.list.currentItem()
        if current is None or current.isHidden():
            first = next((item for item in self._items() if not item.isHidden()), None)
            self.list.setCurrentItem(first)  # type: ignore[arg-type]
            self.chosen.emit(self.selected)


def _fits(stand: Stand, show: str, used: set[str]) -> bool:
    if show == "graph":
        return stand.card.handle in used
    if show == "here":
        return stand.state in ("ready", "damaged")
    return show == "all" or stand.state not in ("", "ready")


class _Row(QStyledItemDelegate):
    """A sign, the title and the size; below, how it stands, and what its licence forbids."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        stand: Stand = index.data(_STAND)
        box = QRectF(option.rect).adjusted(4, 1, -4, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            strong = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.tint(theme.ACCENT, 80) if strong else QColor(theme.RAISED))
            painter.drawRoundedRect(box, 5, 5)
        paint_sign(painter, stand, QPointF(box.left() + 18, box.center().y()))
        line = box.adjusted(36, 4, -10, -4)
        write = partial(_write, painter, line.adjusted(0, 0, 0, -line.height() / 2))
        room = write(size_text(stand.card.download_bytes), theme.DIM, right=True)
        write(stand.card.label, theme.TEXT, taken=room, bold=True)
        write = partial(_write, painter, line.adjusted(0, line.height() / 2, 0, 0))
        room = write(short_limits(stand.card), theme.WARN, right=True)
        word, colour = STATES[stand.state]
        if stand.download is not None and stand.state in ("running", "paused"):
            word = (
                f"{word} · {progress_text(stand.download)}"
                if stand.state == "paused"
                else progress_text(stand.download)
            )
        write(word, colour, taken=room)
        painter.restore()


def paint_sign(painter: QPainter, stand: Stand, centre: QPointF) -> None:
    """A tick for what is ready, the mark of the canvas for what is not, nothing while it is looked at."""
    mark = weight_mark.mark_of([stand])
    if mark is not None and stand.state in ("missing", "partial"):
        painter.setPen(QPen(QColor(theme.DIM), 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, 8, 8)
    elif mark is not None:
        weight_mark.paint(painter, mark, centre, 9)
    elif stand.ready:
        theme.icon("check", theme.GOOD).paint(painter, round(centre.x()) - 10, round(centre.y()) - 10, 20, 20)


def _write(
    painter: QPainter, line: QRectF, text: str, colour: str, right: bool = False, taken: float = 0.0, bold: bool = False
) -> float:
    """Cut off where it is too long; the width that it took."""
    font = look.font(13, bold)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    metrics = look.metrics(13, bold)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width() - taken)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(line, side | Qt.AlignmentFlag.AlignVCenter, shown)
    return float(metrics.horizontalAdvance(shown)) + 12 if shown else 0.0
