"""Links between boxes: a curve in the colour of what travels on it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsSceneHoverEvent, QStyleOptionGraphicsItem, QWidget

from app.engine.graph import Link
from app.ui import canvas_look as look

WIDTH = 2.4
_UNDER_NODES = -1.0
_OVER_ALL = 10.0


def curve(start: QPointF, end: QPointF) -> QPainterPath:
    """From an output to an input: leaves to the right and arrives from the left."""
    across = end.x() - start.x()
    reach = max(min(abs(across) * 0.5, 180.0), 30.0) if across > 0 else min(60.0 - across * 0.35, 220.0)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
    return path


def pieces(path: QPainterPath) -> list[QLineF]:
    """One cubic curve as straight lines, more of them the longer it is."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = ((e.x, e.y) for e in map(path.elementAt, range(4)))
    weights = _weights(min(max(int((abs(dx - ax) + abs(dy - ay)) / 12), 20), 48))
    points = [(ax * p + bx * q + cx * r + dx * s, ay * p + by * q + cy * r + dy * s) for p, q, r, s in weights]
    return [QLineF(*start, *end) for start, end in pairwise(points)]


@cache
def _weights(count: int) -> tuple[tuple[float, float, float, float], ...]:
    """Bernstein polynomials of degree 3 at ``count + 1`` even steps."""
    steps = [i / count for i in range(count + 1)]
    return tuple(((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3) for t in steps)


class LinkItem(QGraphicsPathItem):
    """Not a NodeGraphQt ``PipeItem``: that one has an arrow as a second item and a pixmap cache for each link.

    Painted as short straight lines: Qt has a fast way for wide lines, and none for wide curves.
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.picked = False
        self._colour = ""
        self._hovered = False
        self._thin = False
        self._lines: list[QLineF] = []
        self._curve = QPainterPath()
        self._pen = QPen()
        self.setZValue(_UNDER_NODES)
        self.setAcceptHoverEvents(True)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def route(self, start: QPointF, end: QPointF) -> None:
        self._lines = []
        self._curve = curve(start, end)
        self.setPath(self._curve)

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self._restyle()

    def set_picked(self, picked: bool) -> None:
        if picked != self.picked:
            self.picked = picked
            self._restyle()

    def set_thin(self, thin: bool) -> None:
        """Seen from far: one pixel wide, whatever the zoom."""
        if thin != self._thin:
            self._thin = thin
            self._restyle()

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(12)
        return stroker.createStroke(self._curve)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setPen(self._pen)
        if self._thin:
            painter.drawPath(self._curve)
        else:
            self._lines = self._lines or pieces(self._curve)
            painter.drawLines(self._lines)

    def hoverEnterEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self._hovered = True
        self._restyle()

    def hoverLeaveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self._hovered = False
        self._restyle()

    def _restyle(self) -> None:
        colour = (
            look.SELECTED if self.picked else look.tint(self._colour) if self._hovered else look.muted(self._colour)
        )
        if self._thin:
            pen = QPen(colour, 1.0)
            pen.setCosmetic(True)
        else:
            pen = QPen(colour, WIDTH + (1.2 if self._hovered or self.picked else 0.0))
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        self._pen = pen
        self.setPen(pen)


class LiveLink(QGraphicsPathItem):
    """The link at the cursor while it is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(_OVER_ALL)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_between(self, start: QPointF, end: QPointF, colour: str, refused: bool) -> None:
        style = Qt.PenStyle.DashLine if refused else Qt.PenStyle.SolidLine
        self.setPen(QPen(look.BROKEN if refused else look.tint(colour), WIDTH, style, Qt.PenCapStyle.RoundCap))
        self.setPath(curve(start, end))
