"""The ground of the canvas: dark, with a grid of dots that thins out as one zooms out."""

from __future__ import annotations

from math import ceil, floor

from NodeGraphQt.widgets.scene import NodeScene
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from app.ui import canvas_look as look

_CLOSEST_DOTS_PX = 16.0


class CanvasScene(NodeScene):  # type: ignore[misc]
    def drawBackground(self, painter: QPainter, rect: QRectF | object) -> None:
        assert isinstance(rect, QRectF)
        painter.fillRect(rect, look.BACKGROUND)
        zoom = painter.worldTransform().m11()
        step = look.GRID
        while step * zoom < _CLOSEST_DOTS_PX:
            step *= 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        pen = QPen(look.GRID_DOT, 2 if zoom > 0.8 else 1, c=Qt.PenCapStyle.SquareCap)
        pen.setCosmetic(True)
        painter.setPen(pen)
        left, top = floor(rect.left() / step) * step, floor(rect.top() / step) * step
        columns, rows = ceil(rect.width() / step) + 2, ceil(rect.height() / step) + 2
        row = QPolygonF([QPointF(left + i * step, top) for i in range(columns)])
        for _ in range(rows):
            painter.drawPoints(row)
            row.translate(0, step)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
