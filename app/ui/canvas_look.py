"""Sizes, colours and fonts of the canvas. Lengths are scene units: pixels at a zoom of 1."""

from __future__ import annotations

from functools import cache
from zlib import crc32

from PySide6.QtGui import QColor, QFont, QFontMetricsF

from app.ui import theme

BACKGROUND = QColor("#1b1e23")
GRID_DOT = QColor("#2e333b")
GRID = 24.0

BODY = QColor("#2b3038")
INSET = QColor("#20242a")
EDGE = QColor("#14161a")
SHADOW = QColor(0, 0, 0, 70)
NAME = QColor("#b9c0cb")
TITLE = QColor("#f2f4f7")
FAINT = QColor("#737c8a")
SELECTED = QColor(theme.ACCENT)
BROKEN = QColor(theme.BAD)
WANTS = QColor(theme.WARN)

RADIUS = 6.0
TITLE_HEIGHT = 26.0
ROW = 21.0
FOOT = 22.0
PAD = 7.0
PICTURE = 84.0
DOT = 5.0
MARGIN = 10.0
NARROWEST, WIDEST = 176.0, 264.0

FAR, NEAR = 0.38, 0.55
"""Zooms below which a node is a coloured box, and from which socket names are shown."""

LABELLED = 34.0
"""A coloured box bears its title from this width on the screen."""

THIN = 0.45
"""The zoom below which a link is one pixel wide: about what its width comes to there, and painted faster."""

_FAMILIES = {
    "io": "#44688c",
    "export": "#44688c",
    "value": "#5a6270",
    "image": "#94702c",
    "segment": "#73509c",
    "generate": "#96476b",
    "control": "#86603f",
    "depth": "#3a7580",
    "detect": "#6a4f92",
    "image_to_3d": "#2c7f74",
    "reconstruct": "#3d7f50",
    "texture": "#95533a",
    "mesh": "#2f6da3",
    "points": "#5b7f33",
}


@cache
def family_colour(family: str) -> QColor:
    """Of the title bar; families without a colour of their own get a steady one from their name."""
    word = family.partition(".")[0]
    if word in _FAMILIES:
        return QColor(_FAMILIES[word])
    return QColor.fromHsv(crc32(word.encode()) % 360, 130, 135)


@cache
def tint(colour: str, alpha: int = 255) -> QColor:
    made = QColor(colour)
    made.setAlpha(alpha)
    return made


@cache
def muted(colour: str) -> QColor:
    """A little towards the background, and opaque: smooth lines with an alpha take three times as long to paint."""
    made = QColor(colour)
    return QColor(
        round(0.8 * made.red() + 0.2 * BACKGROUND.red()),
        round(0.8 * made.green() + 0.2 * BACKGROUND.green()),
        round(0.8 * made.blue() + 0.2 * BACKGROUND.blue()),
    )


@cache
def font(pixels: int, bold: bool = False) -> QFont:
    made = QFont()
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    made.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    return made


@cache
def metrics(pixels: int, bold: bool = False) -> QFontMetricsF:
    return QFontMetricsF(font(pixels, bold))
