"""A picture on the 2D view's scene, without the jagged look of a picture that is shown much smaller than it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPixmap, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPixmapItem


class PictureItem(QGraphicsPixmapItem):
    """Lies over a checkerboard whose squares keep their size on the screen.

    Below half its size it is drawn from halves of halves (a mip chain, made when first asked for), so that every
    pixel of the picture counts on the screen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setShapeMode(QGraphicsPixmapItem.ShapeMode.BoundingRectShape)
        self.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self._tile = _checkers()
        self._halves: list[QPixmap] = []

    def setPixmap(self, pixmap: QPixmap | QImage) -> None:
        self._halves = []
        super().setPixmap(pixmap)

    def paint(self, painter: QPainter, *rest: Any) -> None:
        scale = painter.deviceTransform().m11()
        if self.pixmap().hasAlphaChannel():
            squares = QBrush(self._tile)
            back = 1 / max(painter.worldTransform().m11(), 1e-9)
            squares.setTransform(QTransform.fromScale(back, back))
            painter.fillRect(self.boundingRect(), squares)
        if scale > 0.5 or self.pixmap().isNull():
            super().paint(painter, *rest)
            return
        small = self._half(scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QRectF(self.pixmap().rect()), small, QRectF(small.rect()))

    def _half(self, scale: float) -> QPixmap:
        """The smallest one that has a pixel for each on the screen."""
        chosen = self.pixmap()
        place = 0
        while scale <= 0.5 and min(chosen.width(), chosen.height()) > 1:
            if place == len(self._halves):
                self._halves.append(
                    chosen.scaled(
                        max(1, chosen.width() // 2),
                        max(1, chosen.height() // 2),
                        Qt.AspectRatioMode.IgnoreAspectRatio,
                        Qt.TransformationMode.SmoothTransformation,
                    )
                )
            chosen = self._halves[place]
            place, scale = place + 1, scale * 2
        return chosen


def _checkers() -> QPixmap:
    tile = QPixmap(16, 16)
    tile.fill(QColor("#5a606b"))
    painter = QPainter(tile)
    for corner in (QPoint(0, 0), QPoint(8, 8)):
        painter.fillRect(corner.x(), corner.y(), 8, 8, QColor("#464b55"))
    painter.end()
    return tile
