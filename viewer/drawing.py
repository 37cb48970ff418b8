"""Tools that draw a rectangle or brush strokes on a picture. Coordinates: 0..1 of the picture's width and height."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsObject

from app.engine.params import Rect, Stroke
from viewer.style import ACCENT, DROP, KEEP

GRIP = 9.0
SMALLEST = 1e-3


class Tool(QGraphicsObject):
    """Lies over a picture of ``size`` (width, height). ``drawn`` carries the new value once per gesture."""

    drawn = Signal(object)
    kind = ""
    value: Any

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self._width, self._height = size
        self.setZValue(1)

    def boundingRect(self) -> QRectF:
        margin = max(self._width, self._height) * 0.5
        return QRectF(0, 0, self._width, self._height).adjusted(-margin, -margin, margin, margin)

    def press(self, at: QPointF, other: bool, reach: float) -> None:
        """``at``: picture pixels. ``other``: the right button. ``reach``: picture pixels that count as a touch."""

    def drag(self, at: QPointF) -> None:
        """The pointer moved with the button down."""

    def release(self, at: QPointF) -> None:
        """The button was let go."""

    def hover(self, at: QPointF | None) -> None:
        """The pointer moved with no button down, or left."""

    def clear(self) -> None:
        """Takes everything away and says so."""

    def _part(self, at: QPointF) -> tuple[float, float]:
        return min(max(at.x() / self._width, 0.0), 1.0), min(max(at.y() / self._height, 0.0), 1.0)


class RectangleTool(Tool):
    """Drag to draw; drag a border or a corner to adjust; drag inside to move."""

    kind = "rectangle"

    def __init__(self, size: tuple[int, int], value: Rect | None) -> None:
        super().__init__(size)
        self.value = value
        self._before = value
        self._base: Rect = (0.0, 0.0, 0.0, 0.0)
        self._sides: tuple[int, int] | None = None
        self._from = (0.0, 0.0)

    def press(self, at: QPointF, other: bool, reach: float) -> None:
        self._before, self._from = self.value, self._part(at)
        touched = self._touched(at, reach)
        self._base = self.value if touched and self.value else (*self._from, *self._from)
        self._sides = touched or (1, 1)

    def _touched(self, at: QPointF, reach: float) -> tuple[int, int] | None:
        """(-1, 0 or 1 along x, along y): the border that is held; (0, 0): the inside; None: nothing."""
        left, top, right, bottom = self._pixels()
        box = QRectF(left, top, right - left, bottom - top)
        if self.value is None or not box.adjusted(-reach, -reach, reach, reach).contains(at):
            return None
        across = -1 if abs(at.x() - left) <= reach else int(abs(at.x() - right) <= reach)
        along = -1 if abs(at.y() - top) <= reach else int(abs(at.y() - bottom) <= reach)
        return across, along

    def drag(self, at: QPointF) -> None:
        if self._sides is None:
            return
        x, y = self._part(at)
        moved = self._sides == (0, 0)
        self.value = self._moved(x - self._from[0], y - self._from[1]) if moved else self._resized(x, y)
        self.update()

    def _resized(self, x: float, y: float) -> Rect:
        left, top, right, bottom = self._base
        across, along = self._sides or (1, 1)
        left, right = (x, right) if across < 0 else (left, x) if across > 0 else (left, right)
        top, bottom = (y, bottom) if along < 0 else (top, y) if along > 0 else (top, bottom)
        return min(left, right), min(top, bottom), max(left, right), max(top, bottom)

    def _moved(self, x: float, y: float) -> Rect:
        left, top, right, bottom = self._base
        x, y = min(max(x, -left), 1 - right), min(max(y, -top), 1 - bottom)
        return left + x, top + y, right + x, bottom + y

    def release(self, at: QPointF) -> None:
        if self._sides is None:
            return
        self.drag(at)
        self._sides = None
        if self.value is not None and min(self.value[2] - self.value[0], self.value[3] - self.value[1]) < SMALLEST:
            self.value = self._before
        self.update()
        if self.value != self._before:
            self.drawn.emit(self.value)

    def clear(self) -> None:
        self.value = None
        self.update()
        self.drawn.emit(None)

    def _pixels(self) -> Rect:
        left, top, right, bottom = self.value or (0.0, 0.0, 1.0, 1.0)
        return left * self._width, top * self._height, right * self._width, bottom * self._height

    def paint(self, painter: QPainter, *_: Any) -> None:
        if self.value is None:
            return
        left, top, right, bottom = self._pixels()
        box = QRectF(left, top, right - left, bottom - top)
        shade = QPainterPath()
        shade.addRect(QRectF(0, 0, self._width, self._height))
        shade.addRect(box)
        painter.fillPath(shade, QColor(16, 19, 26, 130))
        painter.setPen(_pen(ACCENT, 2))
        painter.drawRect(box)
        grip = GRIP / 2 / max(painter.transform().m11(), 1e-9)
        for x in (left, right):
            for y in (top, bottom):
                painter.fillRect(QRectF(x - grip, y - grip, 2 * grip, 2 * grip), QColor(ACCENT))


class BrushTool(Tool):
    """The left button marks what to keep (or what ``keep`` says), the right button the opposite."""

    kind = "strokes"

    def __init__(self, size: tuple[int, int], value: tuple[Stroke, ...]) -> None:
        super().__init__(size)
        self.value = value
        self.keep = True
        self.radius = 0.02
        self._stroke: Stroke | None = None
        self._pointer: QPointF | None = None

    def press(self, at: QPointF, other: bool, reach: float) -> None:
        self._stroke = Stroke(self.keep != other, self.radius, (self._part(at),))
        self.hover(at)

    def drag(self, at: QPointF) -> None:
        self._extend(at, self._stroke.radius * self._width * 0.2 if self._stroke else 0)

    def release(self, at: QPointF) -> None:
        self._extend(at, 0)
        if self._stroke is not None:
            self.value = (*self.value, self._stroke)
            self._stroke = None
            self.drawn.emit(self.value)

    def _extend(self, at: QPointF, least: float) -> None:
        """Adds a point that lies farther than ``least`` pixels from the last one."""
        if self._stroke is not None:
            (x, y), part = self._stroke.points[-1], self._part(at)
            if max(abs(part[0] - x) * self._width, abs(part[1] - y) * self._height) > least:
                self._stroke = Stroke(self._stroke.keep, self._stroke.radius, (*self._stroke.points, part))
        self.hover(at)

    def hover(self, at: QPointF | None) -> None:
        self._pointer = at
        self.update()

    def undo(self) -> None:
        """Takes the last stroke away and says so."""
        if self.value:
            self.value = self.value[:-1]
            self.update()
            self.drawn.emit(self.value)

    def clear(self) -> None:
        if self.value:
            self.value = ()
            self.update()
            self.drawn.emit(())

    def paint(self, painter: QPainter, *_: Any) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(QRectF(0, 0, self._width, self._height))
        for stroke in (*self.value, self._stroke):
            if stroke is not None:
                self._paint_stroke(painter, stroke)
        painter.setClipping(False)
        if self._pointer is not None:
            painter.setPen(_pen(KEEP if self.keep else DROP, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = self.radius * self._width
            painter.drawEllipse(self._pointer, radius, radius)

    def _paint_stroke(self, painter: QPainter, stroke: Stroke) -> None:
        colour = QColor(KEEP if stroke.keep else DROP)
        colour.setAlpha(150)
        pen = QPen(colour, 2 * stroke.radius * self._width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        points = [QPointF(x * self._width, y * self._height) for x, y in stroke.points]
        path = QPainterPath(points[0])
        for point in points[1:] or [points[0] + QPointF(1e-3, 0)]:
            path.lineTo(point)
        painter.drawPath(path)


def _pen(colour: str, width: float) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCosmetic(True)
    return pen
