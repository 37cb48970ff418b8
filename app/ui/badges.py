"""What a node's state looks like: a colour, a sign that is told apart without colour, and a word."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.ui import theme

State = Literal[
    "idle",
    "stale",
    "queued",
    "running",
    "ran",
    "reused",
    "failed",
    "blocked",
    "cancelled",
    "needs",
    "invalid",
    "missing",
]
STATES: tuple[str, ...] = get_args(State)
WORDS = {
    "idle": "",
    "stale": "out of date",
    "queued": "waiting",
    "running": "running",
    "ran": "done",
    "reused": "reused",
    "failed": "failed",
    "blocked": "blocked",
    "cancelled": "cancelled",
    "needs": "needs input",
    "invalid": "not ready",
    "missing": "not installed",
}
# Strokes on a square from (-1, -1) to (1, 1), y down.
_SIGNS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "stale": (((0, -0.45), (0, 0.05), (0.35, 0.3)),),
    "queued": (((-0.45, 0), (-0.4, 0)), ((0, 0), (0.05, 0)), ((0.45, 0), (0.5, 0))),
    "running": (((-0.22, -0.42), (0.42, 0), (-0.22, 0.42), (-0.22, -0.42)),),
    "ran": (((-0.45, 0.02), (-0.12, 0.36), (0.46, -0.32)),),
    "reused": (((-0.42, -0.18), (0.42, -0.18)), ((-0.42, 0.2), (0.42, 0.2))),
    "failed": (((-0.33, -0.33), (0.33, 0.33)), ((-0.33, 0.33), (0.33, -0.33))),
    "blocked": (((-0.45, 0), (0.45, 0)),),
    "cancelled": (((-0.28, -0.28), (0.28, -0.28), (0.28, 0.28), (-0.28, 0.28), (-0.28, -0.28)),),
    "needs": (((-0.55, 0), (0.1, 0)), ((-0.2, -0.32), (0.12, 0), (-0.2, 0.32)), ((0.48, -0.4), (0.48, 0.4))),
    "invalid": (((0, -0.5), (0, 0.12)), ((0, 0.46), (0, 0.5))),
    "missing": (((-0.28, -0.3), (0, -0.5), (0.28, -0.28), (0, 0.02), (0, 0.12)), ((0, 0.48), (0, 0.52))),
}


@dataclass(frozen=True)
class Badge:
    """``seconds``: how long the last run took. ``message``: why it failed or waits. ``notes``: remarks kept with the
    result, shown as a warning sign."""

    state: State = "idle"
    seconds: float | None = None
    message: str = ""
    notes: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def time(self) -> str:
        return "" if self.seconds is None else duration(self.seconds)

    @property
    def tooltip(self) -> str:
        """State, time, message and notes in lines, or nothing to say."""
        first = " · ".join(text for text in (self.word.capitalize(), self.time) if text)
        return "\n".join(line for line in (first, self.message, *self.notes) if line)


def duration(seconds: float) -> str:
    """``3 ms``, ``1.2 s``, ``42 s``, ``3 min 05 s``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def colour(state: str) -> QColor:
    return _colours()[state]


def paint(painter: QPainter, state: str, centre: QPointF, radius: float) -> None:
    """A disc in the colour of the state with its sign in it; nothing for ``idle``."""
    if state not in _SIGNS:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_colours()[state])
    painter.drawEllipse(centre, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_sign_pen(radius))
    painter.drawPath(_sign(state, radius).translated(centre))


def paint_warning(painter: QPainter, box: QRectF) -> None:
    """A triangle with an exclamation mark."""
    outline = QPainterPath(QPointF(box.center().x(), box.top()))
    outline.lineTo(box.bottomRight())
    outline.lineTo(box.bottomLeft())
    outline.closeSubpath()
    painter.setPen(QPen(QColor(theme.WARN), 1.5, j=Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(QColor(theme.WARN))
    painter.drawPath(outline)
    painter.setPen(_sign_pen(5))
    x, top, height = box.center().x(), box.top(), box.height()
    painter.drawLine(QPointF(x, top + 0.38 * height), QPointF(x, top + 0.64 * height))
    painter.drawPoint(QPointF(x, top + 0.88 * height))


@cache
def _colours() -> dict[str, QColor]:
    return {state: QColor(theme.STATE_COLOURS[state]) for state in STATES}


@cache
def _sign_pen(radius: float) -> QPen:
    return QPen(QColor(theme.WINDOW), max(1.2, radius * 0.3), c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)


@cache
def _sign(state: str, radius: float) -> QPainterPath:
    path = QPainterPath()
    for stroke in _SIGNS[state]:
        path.moveTo(stroke[0][0] * radius, stroke[0][1] * radius)
        for x, y in stroke[1:]:
            path.lineTo(x * radius, y * radius)
    return path
