"""Colours and style sheet of the viewer's own widgets."""

from __future__ import annotations

WINDOW, PANEL, RAISED, LINE = "#1e2127", "#262a31", "#30353d", "#3a404a"
TEXT, QUIET, ACCENT = "#d7dae0", "#8d95a3", "#4f9dde"
KEEP, DROP = "#4fd18b", "#ef6a6a"
SKY_TOP, SKY_BOTTOM = "#3a404a", "#1e2127"

SHEET = f"""
#viewer {{ background: {WINDOW}; }}
#viewer QLabel {{ color: {TEXT}; background: transparent; }}
#viewer #bar, #viewer #foot {{ background: {PANEL}; }}
#viewer #bar {{ border-bottom: 1px solid {WINDOW}; }}
#viewer #foot QLabel {{ color: {QUIET}; padding: 3px 8px; }}
#viewer #hint {{ color: {QUIET}; font-size: 14px; }}
#viewer QToolButton {{ color: {TEXT}; background: transparent; border: none; border-radius: 4px; padding: 4px 8px; }}
#viewer QToolButton:hover {{ background: {RAISED}; }}
#viewer QToolButton:checked {{ background: #2f4258; color: #9ccbf3; }}
#viewer QToolButton:disabled {{ color: #5b626e; }}
#viewer QToolButton::menu-indicator {{ image: none; width: 0; }}
#viewer QComboBox {{ color: {TEXT}; background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px;
    padding: 3px 8px; }}
#viewer QComboBox:hover {{ border-color: {ACCENT}; }}
#viewer QComboBox QAbstractItemView {{ color: {TEXT}; background: {PANEL}; selection-background-color: {ACCENT};
    selection-color: #10131a; outline: none; }}
#viewer QTextBrowser {{ color: {TEXT}; background: {WINDOW}; border: none; selection-background-color: {ACCENT}; }}
#viewer QGraphicsView {{ background: {WINDOW}; border: none; }}
#viewer QSlider::groove:horizontal {{ height: 4px; background: {LINE}; border-radius: 2px; }}
#viewer QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
#viewer QSlider::handle:horizontal {{ width: 12px; margin: -5px 0; border-radius: 6px; background: {TEXT}; }}
"""
