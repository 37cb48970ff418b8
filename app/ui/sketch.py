"""A small drawing of a graph: boxes in the colours of their families, and the links between them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from app.engine.graph import Graph
from app.ui import canvas_look as look
from app.ui import theme

NODE = QSize(180, 90)
MARGIN = 14.0


def sketch(graph: Graph, size: QSize, sharp: float = 2.0) -> QPixmap:
    """``sharp``: device pixels per pixel."""
    pixmap = QPixmap(size * sharp)
    pixmap.setDevicePixelRatio(sharp)
    pixmap.fill(QColor(theme.WINDOW))
    boxes = _boxes(graph, size)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.DIM), 1.4))
    for link in graph.links:
        if link.source in boxes and link.target in boxes:
            painter.drawPath(_curve(boxes[link.source], boxes[link.target]))
    for id, box in boxes.items():
        _box(painter, box, look.family_colour(graph.nodes[id].type.rpartition(".")[0]))
    painter.end()
    return pixmap


def _boxes(graph: Graph, size: QSize) -> dict[str, QRectF]:
    """Where each node is drawn: the whole graph fitted into the picture."""
    if not graph.nodes:
        return {}
    left = min(n.at[0] for n in graph.nodes.values())
    top = min(n.at[1] for n in graph.nodes.values())
    width = max(n.at[0] for n in graph.nodes.values()) - left + NODE.width()
    height = max(n.at[1] for n in graph.nodes.values()) - top + NODE.height()
    scale = min((size.width() - 2 * MARGIN) / width, (size.height() - 2 * MARGIN) / height, 0.4)
    x, y = (size.width() - width * scale) / 2, (size.height() - height * scale) / 2
    return {
        id: QRectF(
            x + (n.at[0] - left) * scale, y + (n.at[1] - top) * scale, NODE.width() * scale, NODE.height() * scale
        )
        for id, n in graph.nodes.items()
    }


def _curve(source: QRectF, target: QRectF) -> QPainterPath:
    start = QPointF(source.right(), source.center().y())
    end = QPointF(target.left(), target.center().y())
    bend = max(6.0, abs(end.x() - start.x()) / 2)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
    return path


def _box(painter: QPainter, box: QRectF, colour: QColor) -> None:
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.BODY)
    painter.drawRoundedRect(box, 3, 3)
    painter.setClipRect(QRectF(box.left(), box.top(), box.width(), box.height() * 0.35))
    painter.setBrush(colour)
    painter.drawRoundedRect(box, 3, 3)
    painter.restore()
