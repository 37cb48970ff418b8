"""The dark theme: one palette, one stylesheet, and the icons drawn in its colours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
ICONS = RESOURCES / "icons"

WINDOW = "#1e2127"
PANEL = "#262a31"
RAISED = "#2f343d"
BORDER = "#3a404b"
TEXT = "#d7dae0"
DIM = "#8b929e"
ACCENT = "#4f9dde"
GOOD = "#7ac74f"
WARN = "#e0a43a"
BAD = "#e5534b"

STATE_COLOURS = {
    "ran": GOOD,
    "reused": GOOD,
    "running": ACCENT,
    "queued": ACCENT,
    "stale": WARN,
    "failed": BAD,
    "needs": "#b8a27c",
    "invalid": BAD,
    "missing": BAD,
    "blocked": WARN,
    "cancelled": DIM,
    "idle": DIM,
}

_COLOURS = {
    "window": WINDOW,
    "panel": PANEL,
    "raised": RAISED,
    "border": BORDER,
    "text": TEXT,
    "dim": DIM,
    "accent": ACCENT,
    "good": GOOD,
    "warn": WARN,
    "bad": BAD,
}


def apply(app: QApplication) -> None:
    """Give the application the dark theme. Idempotent."""
    app.setStyle("Fusion")
    app.setPalette(palette())
    font = QFont()
    font.setFamilies(["Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans"])
    font.setPointSizeF(9.5)
    app.setFont(font)
    app.setStyleSheet(stylesheet())
    app.setWindowIcon(QIcon(str(ICONS / "polyloom.svg")))


def palette() -> QPalette:
    roles = QPalette.ColorRole
    made = QPalette()
    for role, colour in {
        roles.Window: PANEL,
        roles.WindowText: TEXT,
        roles.Base: WINDOW,
        roles.AlternateBase: PANEL,
        roles.Text: TEXT,
        roles.Button: RAISED,
        roles.ButtonText: TEXT,
        roles.ToolTipBase: RAISED,
        roles.ToolTipText: TEXT,
        roles.PlaceholderText: DIM,
        roles.Highlight: ACCENT,
        roles.HighlightedText: "#ffffff",
        roles.Link: ACCENT,
        roles.LinkVisited: ACCENT,
        roles.BrightText: "#ffffff",
    }.items():
        made.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor("#5d6470"))
    return made


@cache
def stylesheet() -> str:
    text = (RESOURCES / "theme.qss").read_text("utf-8")
    return Template(text).substitute(_COLOURS, icons=ICONS.as_posix())


@cache
def icon(name: str, colour: str = TEXT) -> QIcon:
    """``resources/icons/<name>.svg`` in a colour of the palette, with a dim version for disabled buttons."""
    made = QIcon()
    for mode, shade in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, "#5d6470")):
        for size in (16, 20, 40):
            made.addPixmap(_drawn(name, shade, size), mode)
    return made


def _drawn(name: str, colour: str, size: int) -> QPixmap:
    text = (ICONS / f"{name}.svg").read_text("utf-8").replace(TEXT, colour)
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
