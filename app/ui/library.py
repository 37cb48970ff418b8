"""All node types, by family, with a search field. Drag one onto the canvas, or double-click it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QByteArray, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.engine.registry import Registry
from app.engine.spec import NodeSpec
from app.ui import canvas_look as look
from app.ui import theme
from app.ui.facts import family_order, family_title, tooltip
from app.ui.search import rank

NODE_MIME = "application/x-polyloom-node"
ROW = QSize(60, 21)
_ID = Qt.ItemDataRole.UserRole
_NAME = Qt.ItemDataRole.UserRole + 1


class Library(QWidget):
    """``chosen(type id)``: double-clicked, or Enter.

    Families are closed at first and the headings in them open; ``turned(names)``: those that the person has turned.
    """

    chosen = Signal(str)
    turned = Signal(tuple)

    def __init__(self, registry: Registry, turned: Iterable[str] = ()) -> None:
        super().__init__()
        self._turned, self._by_hand = set(turned), False
        self.field = QLineEdit(placeholderText="Search nodes", clearButtonEnabled=True)
        self.field.addAction(theme.icon("search", theme.DIM), QLineEdit.ActionPosition.LeadingPosition)
        self.field.textChanged.connect(self._filter)
        self.field.returnPressed.connect(self._choose_first)
        self.tree = _Tree()
        self.tree.itemActivated.connect(self._choose)
        self.tree.itemExpanded.connect(lambda item: self._turn(item, True))
        self.tree.itemCollapsed.connect(lambda item: self._turn(item, False))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 0)
        layout.setSpacing(6)
        layout.addWidget(self.field)
        layout.addWidget(self.tree)
        self.setMinimumWidth(150)
        self.show_registry(registry)

    def show_registry(self, registry: Registry) -> None:
        self._registry = registry
        self._by_hand = False
        self.tree.clear()
        families: dict[str, list[NodeSpec]] = {}
        for spec in registry.values():
            families.setdefault(spec.family, []).append(spec)
        for family in sorted(families, key=family_order):
            branch = _branch(self.tree, family_title(family), family)
            headings = {
                group: _branch(branch, group, f"{family}/{group}")
                for group in sorted({spec.group for spec in families[family]} - {""})
            }
            for spec in sorted(families[family], key=lambda s: s.title):
                headings.get(spec.group, branch).addChild(_leaf(spec))
        self._filter(self.field.text())

    def shown(self) -> list[str]:
        """Ids that fit the search, from top to bottom."""
        return [str(leaf.data(0, _ID)) for leaf in self._leaves() if not leaf.isHidden()]

    def _leaves(self) -> list[QTreeWidgetItem]:
        return [item for item in self._items() if item.data(0, _ID)]

    def _branches(self) -> list[QTreeWidgetItem]:
        """Families and their headings, the inner ones first."""
        return [item for item in reversed(self._items()) if not item.data(0, _ID)]

    def _items(self) -> list[QTreeWidgetItem]:
        """All rows from top to bottom."""
        found, left = [], _children(self.tree.invisibleRootItem())[::-1]
        while left:
            found.append(left.pop())
            left += _children(found[-1])[::-1]
        return found

    def _filter(self, text: str) -> None:
        """While something is searched every branch is open; then each is as the person left it."""
        for leaf in self._leaves():
            leaf.setHidden(rank(text, self._registry[leaf.data(0, _ID)]) is None)
        self._by_hand = False
        for branch in self._branches():
            branch.setHidden(all(leaf.isHidden() for leaf in _children(branch)))
            name = branch.data(0, _NAME)
            branch.setExpanded(bool(text.strip()) or _is_heading(name) != (name in self._turned))
        self._by_hand = not text.strip()

    def _turn(self, item: QTreeWidgetItem, is_open: bool) -> None:
        """The person opened or closed a branch."""
        if not self._by_hand:
            return
        name = item.data(0, _NAME)
        (self._turned.discard if is_open == _is_heading(name) else self._turned.add)(name)
        self.turned.emit(tuple(sorted(self._turned)))

    def _choose(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _ID):
            self.chosen.emit(item.data(0, _ID))

    def _choose_first(self) -> None:
        text = self.field.text()
        fitting = sorted(self.shown(), key=lambda id: rank(text, self._registry[id]) or 0)
        if text.strip() and fitting:
            self.chosen.emit(fitting[0])
            self.field.clear()


class _Tree(QTreeWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setDragEnabled(True)
        self.setIndentation(12)
        self.setExpandsOnDoubleClick(False)
        self.itemClicked.connect(self._toggle)

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        data = QMimeData()
        data.setData(NODE_MIME, QByteArray(str(items[0].data(0, _ID)).encode()))
        return data

    def mimeTypes(self) -> list[str]:
        return [NODE_MIME]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem():
            self.itemActivated.emit(self.currentItem(), 0)
        else:
            super().keyPressEvent(event)

    def _toggle(self, item: QTreeWidgetItem) -> None:
        if item.childCount():
            item.setExpanded(not item.isExpanded())


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [child for i in range(item.childCount()) if (child := item.child(i)) is not None]


def _branch(parent: QTreeWidget | QTreeWidgetItem, title: str, name: str) -> QTreeWidgetItem:
    branch = QTreeWidgetItem(parent, [title])
    branch.setData(0, _NAME, name)
    branch.setFlags(Qt.ItemFlag.ItemIsEnabled)
    branch.setSizeHint(0, ROW)
    if _is_heading(name):
        branch.setForeground(0, QColor(theme.DIM))
    return branch


def _is_heading(name: str) -> bool:
    return "/" in name


def _leaf(spec: NodeSpec) -> QTreeWidgetItem:
    leaf = QTreeWidgetItem([spec.title])
    leaf.setData(0, _ID, spec.id)
    leaf.setSizeHint(0, ROW)
    leaf.setToolTip(0, tooltip(spec))
    leaf.setIcon(0, _dot(spec))
    return leaf


def _dot(spec: NodeSpec) -> QIcon:
    """A square in the family's colour, as on the canvas."""
    pixmap = QPixmap(20, 20)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.family_colour(spec.family))
    painter.drawRoundedRect(4, 4, 12, 12, 3, 3)
    painter.end()
    return QIcon(pixmap)
