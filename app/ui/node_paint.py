"""Draws a node's box, with as much detail as the zoom can show."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from app.ui import badges, weight_mark
from app.ui import canvas_look as look
from app.ui.node_face import Dot

if TYPE_CHECKING:
    from app.ui.node_item import NodeItem

_NO_PEN = QPen(Qt.PenStyle.NoPen)
_NO_BRUSH = QBrush(Qt.BrushStyle.NoBrush)


def paint(painter: QPainter, item: NodeItem, zoom: float) -> None:
    faded = item.dim or item.node.bypass
    if faded:
        painter.setOpacity(0.3 if item.dim else 0.5)
    if zoom < look.FAR:
        _far(painter, item, zoom)
    else:
        _box(painter, item, zoom)
        _dots(painter, item)
        if zoom >= look.NEAR:
            _names(painter, item)
            _foot(painter, item)
            if item.mark is not None:
                weight_mark.paint(painter, item.mark, item.face.mark_box.center(), 8.5)
            elif item.badge.notes:
                badges.paint_warning(painter, QRectF(item.face.width - 23, 6, 14, 13))
        else:
            badges.paint(painter, item.badge.state, QPointF(item.face.width - 16, item.face.foot - 2), 10)
            if item.mark is not None:
                weight_mark.paint(painter, item.mark, item.face.mark_box.center(), 11)
        _picture(painter, item)
        _progress(painter, item)
    if faded:
        painter.setOpacity(1.0)


def _far(painter: QPainter, item: NodeItem, zoom: float) -> None:
    """A coloured box: title in letters of one size, the picture, and the state along the lower edge."""
    w, h = item.face.width, item.face.height
    if item.isSelected():
        rim = 2.5 / zoom
        painter.fillRect(QRectF(-rim, -rim, w + 2 * rim, h + 2 * rim), look.SELECTED)
    painter.fillRect(QRectF(0, 0, w, h), look.BODY)
    bar = QRectF(0, 0, w, min(h * 0.45, item.face.picture_box.top()))
    painter.fillRect(bar, item.bar_colour)
    state = "missing" if item.missing else item.badge.state
    if state != "idle":
        painter.fillRect(QRectF(0, h - 16, w, 16), badges.colour(state))
    if item.mark is not None:
        weight_mark.paint(painter, item.mark, QPointF(w - 13, 11), min(14, 6 / zoom))
    if w * zoom >= look.LABELLED:
        _picture(painter, item)
        _far_title(painter, item, bar, zoom)


def _far_title(painter: QPainter, item: NodeItem, bar: QRectF, zoom: float) -> None:
    """In letters that keep their size on the screen."""
    text, size = _fitted(item.face.title, int(bar.width() * zoom) - 6)
    painter.save()
    painter.scale(1 / zoom, 1 / zoom)
    painter.setFont(look.font(size, True))
    painter.setPen(look.TITLE)
    place = QRectF(4, 0, bar.width() * zoom, bar.height() * zoom)
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.restore()


@lru_cache(maxsize=4096)
def _fitted(title: str, room: int) -> tuple[str, int]:
    """(text, pixels): a little smaller rather than cut off."""
    for size in (11, 10, 9):
        if look.metrics(size, True).horizontalAdvance(title) <= room:
            return title, size
    return look.metrics(9, True).elidedText(title, Qt.TextElideMode.ElideRight, room), 9


def _box(painter: QPainter, item: NodeItem, zoom: float) -> None:
    face = item.face
    painter.setPen(_NO_PEN)
    if zoom >= look.NEAR:
        painter.setBrush(look.SHADOW)
        painter.drawPath(face.shadow)
    painter.setBrush(look.BODY)
    painter.drawPath(face.body)
    painter.setBrush(item.bar_colour)
    painter.drawPath(face.bar)
    if item.missing:
        painter.setBrush(_hatch())
        painter.drawPath(face.bar)
    painter.setBrush(_NO_BRUSH)
    painter.setPen(_rim(item.isSelected(), item.missing or item.badge.state in ("failed", "invalid")))
    painter.drawPath(face.body)
    if zoom >= look.NEAR:
        painter.setPen(look.TITLE)
        painter.setFont(look.font(13, True))
        painter.drawStaticText(*face.title_text)
    else:
        _far_title(painter, item, QRectF(0, 0, face.width, look.TITLE_HEIGHT), zoom)


def _dots(painter: QPainter, item: NodeItem) -> None:
    places = item.face.places
    if item.node.bypass and ("in" in (sides := {side for side, _ in places})) and "out" in sides:
        first = {side: next(places[key] for key in places if key[0] == side) for side in ("in", "out")}
        painter.setPen(QPen(look.NAME, 1.6, Qt.PenStyle.DashLine))
        painter.drawLine(first["in"], first["out"])
    for dot in item.face.dots:
        _dot(painter, dot, places[dot.side, dot.name], (dot.side, dot.name) in item.glow)


def _dot(painter: QPainter, dot: Dot, place: QPointF, glow: bool) -> None:
    if glow:
        painter.setPen(_NO_PEN)
        painter.setBrush(look.tint(dot.colour, 110))
        painter.drawEllipse(place, 9.5, 9.5)
    if dot.kind == "optional":
        painter.setPen(_ring(dot.colour))
        painter.setBrush(look.BODY)
        painter.drawEllipse(place, look.DOT - 0.6, look.DOT - 0.6)
        return
    painter.setPen(_outline())
    painter.setBrush(look.tint(dot.colour))
    if dot.kind == "param":
        painter.drawRect(QRectF(place.x() - 4.5, place.y() - 4.5, 9, 9))
    else:
        painter.drawEllipse(place, look.DOT + 0.5, look.DOT + 0.5)


def _names(painter: QPainter, item: NodeItem) -> None:
    painter.setPen(look.NAME)
    painter.setFont(look.font(12))
    for place, text in item.face.names:
        painter.drawStaticText(place, text)


def _foot(painter: QPainter, item: NodeItem) -> None:
    """State and time; for a node that never ran, its type."""
    face, badge = item.face, item.badge
    painter.setFont(look.font(11))
    line = QRectF(11, face.foot - 9, face.width - 22, 18)
    middle = Qt.AlignmentFlag.AlignVCenter
    if badge.time:
        painter.setPen(look.FAINT)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, badge.time)
        line.setRight(line.right() - look.metrics(11).horizontalAdvance(badge.time) - 8)
    text, colour = item.foot_text
    if badge.state != "idle":
        badges.paint(painter, badge.state, QPointF(17, face.foot), 6.5)
        line.setLeft(29)
    painter.setPen(colour)
    shown = look.metrics(11).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | middle, shown)


def _picture(painter: QPainter, item: NodeItem) -> None:
    if item.picture is None:
        return
    box = item.face.picture_box
    painter.fillRect(box, look.INSET)
    size = item.picture.deviceIndependentSize().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
    target = QRectF(QPointF(), size)
    target.moveCenter(box.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(target, item.picture, QRectF(item.picture.rect()))


def _progress(painter: QPainter, item: NodeItem) -> None:
    if item.badge.state != "running":
        return
    track = QRectF(0, item.face.height - 3.5, item.face.width, 3.5)
    painter.save()
    painter.setClipPath(item.face.body, Qt.ClipOperation.IntersectClip)
    painter.fillRect(track, look.INSET)
    track.setWidth(track.width() * min(max(item.progress, 0.0), 1.0))
    painter.fillRect(track, look.SELECTED)
    painter.restore()


@cache
def _hatch() -> QBrush:
    return QBrush(QColor(0, 0, 0, 70), Qt.BrushStyle.BDiagPattern)


@cache
def _outline() -> QPen:
    return QPen(look.EDGE, 1.2)


@cache
def _ring(colour: str) -> QPen:
    return QPen(QColor(colour), 2.0)


@cache
def _rim(selected: bool, broken: bool) -> QPen:
    if selected:
        return QPen(look.SELECTED, 2.2)
    return QPen(look.BROKEN, 1.6, Qt.PenStyle.DashLine) if broken else QPen(look.EDGE, 1.0)
