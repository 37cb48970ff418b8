"""The 2D view: zoom, pan, channels, pixel values, and a place for drawing tools."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from viewer.drawing import Tool
from viewer.picture_item import PictureItem
from viewer.shown import Picture
from viewer.tones import Channel, screen_bytes

MOST = 8192
TOUCH = 8.0
CHANNELS: dict[Channel, str] = {
    "rgba": "Colour and alpha",
    "rgb": "Colour only",
    "alpha": "Alpha",
    "red": "Red",
    "green": "Green",
    "blue": "Blue",
}


class PictureView(QGraphicsView):
    """Wheel zooms at the pointer, dragging pans (the middle button while a tool draws), a double click fits.

    ``probed``: a line that tells size, zoom and the values under the pointer. Scene coordinates are picture pixels.
    Of a sheet, the arrow keys show one picture after the other; ``turned``: another one, or the sheet, is shown.
    """

    probed = Signal(str)
    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = QGraphicsScene(self)
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._sheet = PictureItem()
        self._scene.addItem(self._sheet)
        self.picture: Picture | None = None
        self.sheet: Picture | None = None
        self.page = 0
        self.channel: Channel = "rgba"
        self.tool: Tool | None = None
        self._fitted = True
        self._pan_from: QPointF | None = None

    def set_picture(self, picture: Picture | None, keep_view: bool = False) -> None:
        """``keep_view``: zoom and place stay when the size is the same."""
        same = self.picture is not None and picture is not None and self.picture.size == picture.size
        self.sheet = picture if picture is not None and picture.pages else None
        self.page = 0
        self._change(picture, keep_view and same)

    def turn(self, step: int) -> None:
        """To another picture of the sheet; the sheet itself is number 0, before the first and after the last one."""
        if self.sheet is None or self.tool is not None:
            return
        count = len(self.sheet.pages)
        self.page = (self.page + step) % (count + 1)
        shown = self.sheet
        if self.page:
            shown = Picture(self.sheet.pages[self.page - 1], "colour", f"picture {self.page} of {count}")
        before = self.picture.size if self.picture is not None else None
        self._change(shown, keep_view=not self._fitted and before == shown.size)

    def _change(self, picture: Picture | None, keep_view: bool) -> None:
        self.picture = picture
        self._refresh()
        if not keep_view:
            self.fit()
        self._say()
        self.turned.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self.sheet is not None:
            self.turn(step)
        else:
            super().keyPressEvent(event)

    def set_channel(self, channel: Channel) -> None:
        self.channel = channel
        self._refresh()

    def image(self) -> QImage:
        """What is shown, at full size."""
        if self.picture is None:
            return QImage()
        return _qimage(screen_bytes(self.picture, self.channel))

    def _refresh(self) -> None:
        if self.picture is None:
            self._sheet.setPixmap(QPixmap())
            return
        step = -(-max(self.picture.size) // MOST)
        few = Picture(np.ascontiguousarray(self.picture.values[::step, ::step]), self.picture.kind)
        pixels = screen_bytes(few if step > 1 else self.picture, self.channel)
        self._sheet.setPixmap(QPixmap.fromImage(_qimage(pixels)))
        width, height = self.picture.size
        self._sheet.setTransform(QTransform.fromScale(width / pixels.shape[1], height / pixels.shape[0]))
        margin = 4 * max(width, height)
        self._scene.setSceneRect(QRectF(0, 0, width, height).adjusted(-margin, -margin, margin, margin))

    def use(self, tool: Tool | None) -> None:
        """Lays a drawing tool over the picture, or takes it away."""
        if self.tool is not None:
            self._scene.removeItem(self.tool)
            self.tool.deleteLater()
        self.tool = tool
        if tool is not None:
            self._scene.addItem(tool)
        self.viewport().setCursor(Qt.CursorShape.CrossCursor if tool else Qt.CursorShape.ArrowCursor)

    def fit(self) -> None:
        """The whole picture with a small margin, never larger than four screen pixels per pixel."""
        self._fitted = True
        if self.picture is None:
            return
        width, height = self.picture.size
        area = self.viewport().size()
        zoom = min((area.width() - 16) / width, (area.height() - 16) / height, max(4.0, 256 / max(width, height)))
        self._zoom_to(max(zoom, 1e-4))
        self.centerOn(QPointF(width / 2, height / 2))

    def actual_size(self) -> None:
        """One picture pixel per screen pixel."""
        self._fitted = False
        middle = self._at(QPointF(self.viewport().rect().center()))
        self._zoom_to(1.0 / self.devicePixelRatioF())
        self.centerOn(middle)

    @property
    def zoom(self) -> float:
        """Screen pixels per picture pixel."""
        return self.transform().m11()

    def _zoom_to(self, zoom: float) -> None:
        self.setTransform(QTransform.fromScale(zoom, zoom))
        smooth = zoom < 2
        mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        self._sheet.setTransformationMode(mode)
        self._say()

    def to_screen(self, x: float, y: float) -> QPointF:
        """Where the point (0..1, 0..1) of the picture lies in the widget."""
        width, height = self.picture.size if self.picture else (1, 1)
        return self.viewportTransform().map(QPointF(x * width, y * height))

    def _at(self, position: QPointF) -> QPointF:
        """Picture pixels under a widget position, with fractions."""
        return self.viewportTransform().inverted()[0].map(position)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.picture is None or not event.angleDelta().y():
            return
        before = self._at(event.position())
        zoom = min(max(self.zoom * 1.2 ** (event.angleDelta().y() / 120), 0.005), 200)
        self._fitted = False
        self._zoom_to(zoom)
        moved = self._at(event.position()) - before
        self.translate(moved.x(), moved.y())
        self._probe(event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        drawing = self.tool is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
        if drawing and self.tool is not None:
            other = event.button() == Qt.MouseButton.RightButton
            self.tool.press(self._at(event.position()), other, TOUCH / self.zoom)
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pan_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            step = event.position() - self._pan_from
            self._pan_from = event.position()
            self._fitted = False
            self.translate(step.x() / self.zoom, step.y() / self.zoom)
        elif self.tool is not None:
            at = self._at(event.position())
            self.tool.drag(at) if event.buttons() else self.tool.hover(at)
        self._probe(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
        elif self.tool is not None:
            self.tool.release(self._at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.tool is None and event.button() == Qt.MouseButton.LeftButton:
            self.fit()
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: Any) -> None:
        if self.tool is not None:
            self.tool.hover(None)
        self._say()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def _say(self, more: str = "") -> None:
        if self.picture is not None:
            width, height = self.picture.size
            note = f" · {self.picture.note}" if self.picture.note else ""
            self.probed.emit(f"{width} × {height} px{note} · {self.zoom:.0%}{more}")

    def _probe(self, position: QPointF) -> None:
        at = self._at(position)
        x, y = int(np.floor(at.x())), int(np.floor(at.y()))
        width, height = self.picture.size if self.picture else (0, 0)
        inside = 0 <= x < width and 0 <= y < height
        self._say(f" · ({x}, {y})  {value_text(self.picture, x, y)}" if inside and self.picture else "")


def value_text(picture: Picture, x: int, y: int) -> str:
    """The values of one pixel: 0..1 with three digits, and metres for depth."""
    value = picture.values[y, x]
    if picture.kind == "depth":
        return f"{float(value):.3f} m" if np.isfinite(value) else "unknown"
    names = "RGBA" if picture.kind == "colour" else ("",)
    return "  ".join(f"{n} {float(v):.3f}".strip() for n, v in zip(names, np.atleast_1d(value), strict=True))


def _qimage(pixels: np.ndarray) -> QImage:
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    if (pixels[..., 3] == 255).all():
        return image.convertToFormat(QImage.Format.Format_RGB888)
    return image.copy()
