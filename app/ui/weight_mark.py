"""The mark on a node whose weights are not there: an arrow into a tray, with a ring that fills while they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.ui import theme
from app.ui.weight_words import STATES, licence_text, limits, progress_text, size_text, total_size
from app.ui.weights import Stand

_ORDER = ("running", "copying", "waiting", "failed", "damaged", "paused", "partial", "missing")
_WORDS = {
    "running": "getting weights",
    "copying": "copying weights",
    "waiting": "weights wait",
    "failed": "weights failed",
    "damaged": "weights damaged",
    "paused": "weights paused",
}


@dataclass(frozen=True)
class Mark:
    """``state``: a key of ``weight_words.STATES``. ``word``: for the foot of the node. ``fraction``: while it comes."""

    state: str
    word: str
    tooltip: str
    fraction: float = 0.0

    @property
    def moving(self) -> bool:
        return self.state in ("running", "copying", "waiting")


def mark_of(stands: Iterable[Stand]) -> Mark | None:
    """None when everything that is known of is there."""
    lacks = [stand for stand in stands if stand.state not in ("", "ready", "checking")]
    if not lacks:
        return None
    state = min((stand.state for stand in lacks), key=_ORDER.index)
    size = size_text(total_size(stand.card for stand in lacks))
    fraction = next((s.download.fraction for s in lacks if s.state == "running" and s.download), 0.0)
    word = _WORDS.get(state, f"needs weights, {size}") + (f" {fraction:.0%}" if state == "running" else "")
    return Mark(state, word, "\n\n".join(map(_told, lacks)) + f"\n\n{_advice(state)}", fraction)


def paint(painter: QPainter, mark: Mark, centre: QPointF, radius: float) -> None:
    """A disc with a download arrow; a ring around it tells how much has come."""
    colour = QColor(STATES[mark.state][1] if mark.state not in ("missing", "partial") else theme.WARN)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.WINDOW) if mark.moving else colour)
    painter.drawEllipse(centre, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if mark.moving:
        box = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(QPen(QColor(theme.BORDER), radius * 0.25))
        painter.drawEllipse(centre, radius, radius)
        painter.setPen(QPen(colour, radius * 0.3, c=Qt.PenCapStyle.RoundCap))
        painter.drawArc(box, 90 * 16, -round(mark.fraction * 360 * 16))
    ink = colour if mark.moving else QColor(theme.WINDOW)
    painter.setPen(QPen(ink, radius * 0.22, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    for stroke in (((0, -0.58), (0, 0.22)), ((-0.32, -0.08), (0, 0.24), (0.32, -0.08)), ((-0.42, 0.54), (0.42, 0.54))):
        painter.drawPolyline([QPointF(centre.x() + x * radius, centre.y() + y * radius) for x, y in stroke])


def _told(stand: Stand) -> str:
    state = STATES[stand.state][0]
    more = f": {progress_text(stand.download)}" if stand.download is not None and stand.state == "running" else ""
    words = stand.download.words if stand.download is not None else ""
    lines = [
        f"{stand.card.label}, {state}{more}",
        f"{size_text(stand.card.download_bytes)} · {licence_text(stand.card)}",
        *limits(stand.card),
        words,
    ]
    return "\n".join(filter(None, lines))


def _advice(state: str) -> str:
    return "Click the mark to see its progress." if state in ("running", "waiting") else "Click the mark to get them."
