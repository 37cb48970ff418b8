"""One flat graphics item per node: it paints everything itself and has no children."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.engine.graph import Node
from app.engine.spec import NodeSpec
from app.engine.stand_in import is_stand_in
from app.ui import canvas_look as look
from app.ui import node_paint
from app.ui.badges import Badge
from app.ui.node_face import Dot, Face, Side, face
from app.ui.weight_mark import Mark

WEIGHTS_MATTER = ("idle", "stale", "needs", "failed", "cancelled")
_MOVED = QGraphicsItem.GraphicsItemChange.ItemPositionHasChanged
_SELECTED = QGraphicsItem.GraphicsItemChange.ItemSelectedHasChanged


class NodeItem(AbstractNodeItem):  # type: ignore[misc]
    """Shows what :meth:`show_node` and the setters were last given. ``moved``: called with the id on every move."""

    def __init__(self, node: Node, spec: NodeSpec, dots: tuple[Dot, ...], moved: Callable[[str], None]) -> None:
        super().__init__("")
        self.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self.badge = Badge()
        self.mark: Mark | None = None
        self.progress = 0.0
        self.note = ""
        self.picture: QPixmap | None = None
        self.dim = False
        self.glow: frozenset[tuple[Side, str]] = frozenset()
        self.face: Face = face("", (), False)
        self._moved = moved
        self.id = node.id
        self.show_node(node, spec, dots)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemSendsGeometryChanges)

    def show_node(self, node: Node, spec: NodeSpec, dots: tuple[Dot, ...]) -> None:
        self.node = node
        self.spec = spec
        self.type_ = spec.id
        self.missing = is_stand_in(spec)
        self.bar_colour = QColor("#5b4a4e") if self.missing else look.family_colour(spec.family)
        self._dots = dots
        self._fit(node.title or spec.title, dots)
        if (self.x(), self.y()) != node.at:
            self.setPos(*node.at)
        self.update()

    def set_badge(self, badge: Badge) -> None:
        if badge.state != "running":
            self.progress, self.note = 0.0, ""
        self.badge = badge
        self.update()

    def set_mark(self, mark: Mark | None) -> None:
        """Weights that it lacks, or None."""
        if mark != self.mark:
            self.mark = mark
            self.update()

    def set_progress(self, fraction: float, note: str) -> None:
        self.progress, self.note = fraction, note
        self.update()

    def set_picture(self, picture: QPixmap | None) -> None:
        self.picture = picture
        self._fit(self.face.title, self.face.dots)
        self.update()

    def set_drag_look(self, dim: bool, glow: frozenset[tuple[Side, str]]) -> None:
        """While a link is drawn: stand back, or show these sockets as fitting."""
        if (dim, glow) != (self.dim, self.glow):
            self.dim, self.glow = dim, glow
            self.update()

    def show_extra(self, dot: Dot | None) -> None:
        """A socket more, while a link to a parameter is drawn."""
        self._fit(self.face.title, (*self._dots, dot) if dot else self._dots)
        self.update()

    @property
    def foot_text(self) -> tuple[str, QColor]:
        if self.missing:
            return "not installed", look.BROKEN
        if self.badge.state == "running" and self.note:
            return self.note, look.NAME
        if self.mark is not None and not self.node.bypass and self.badge.state in WEIGHTS_MATTER:
            return self.mark.word, look.WANTS
        if self.badge.state != "idle":
            return self.badge.word, look.NAME
        return ("bypassed" if self.node.bypass else self.spec.id), look.FAINT

    def anchor(self, side: Side, name: str) -> QPointF:
        """Scene position of a socket."""
        return QPointF(self.pos() + self.face.places[side, name])

    def dot_at(self, scene_pos: QPointF, reach: float) -> Dot | None:
        return self.face.dot_at(scene_pos - self.pos(), reach)

    def on_mark(self, scene_pos: QPointF) -> bool:
        """Whether this is the mark of missing weights, or right beside it."""
        return self.mark is not None and self.face.mark_box.contains(scene_pos - self.pos())

    def tooltip_at(self, scene_pos: QPointF) -> str:
        if self.mark is not None and self.on_mark(scene_pos):
            return self.mark.tooltip
        dot = self.dot_at(scene_pos, 10)
        if dot:
            return dot.tooltip
        local = scene_pos - self.pos()
        if local.y() > self.face.height - look.FOOT and self.badge.tooltip:
            return self.badge.tooltip
        first = self.spec.doc.partition("\n\n")[0].replace("\n", " ")
        return "\n".join(line for line in (first, *self.badge.notes) if line)

    def boundingRect(self) -> QRectF:
        return self.face.bounds

    def shape(self) -> QPainterPath:
        return self.face.body

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        node_paint.paint(painter, self, painter.worldTransform().m11())

    def itemChange(self, change: QGraphicsItem.GraphicsItemChange, value: Any) -> Any:
        if change == _MOVED:
            self._moved(self.id)
        elif change == _SELECTED:
            self.setZValue(2 if value else 1)
        return super().itemChange(change, value)

    def _fit(self, title: str, dots: tuple[Dot, ...]) -> None:
        made = face(title, dots, self.picture is not None)
        if made is not self.face:
            self.prepareGeometryChange()
            self.face = made
            self.width, self.height = made.width, made.height
