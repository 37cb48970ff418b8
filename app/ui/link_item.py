"""Links between boxes: a curve in the colour of what travels on it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsSceneHoverEvent

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


class LinkItem(QGraphicsPathItem):
    """Not a NodeGraphQt ``PipeItem``: that one adds an arrow item to each link and paints through Python. Here
    nothing is painted by Python, so a thousand links cost what Qt's own painting costs."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.picked = False
        self._colour = ""
        self._hovered = False
        self._thin = False
        self.setZValue(_UNDER_NODES)
        self.setAcceptHoverEvents(True)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def route(self, start: QPointF, end: QPointF) -> None:
        self.setPath(curve(start, end))

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
        return stroker.createStroke(self.path())

    def hoverEnterEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self._hovered = True
        self._restyle()

    def hoverLeaveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self._hovered = False
        self._restyle()

    def _restyle(self) -> None:
        colour = look.SELECTED if self.picked else look.tint(self._colour, 255 if self._hovered else 205)
        if self._thin:
            pen = QPen(colour, 1.0)
            pen.setCosmetic(True)
        else:
            pen = QPen(colour, WIDTH + (1.2 if self._hovered or self.picked else 0.0))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
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
