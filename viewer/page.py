"""Words: texts, numbers and reports."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from viewer import style
from viewer.shown import Page

SHORT = 24


class PageView(QTextBrowser):
    """Shows a :class:`Page` that can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.document().setDocumentMargin(20)

    def set_page(self, page: Page) -> None:
        """The verdict stands on top, under the title."""
        self.setHtml(_html(page))


def _html(page: Page) -> str:
    parts = []
    if page.title:
        parts.append(f"<h2 style='font-weight:600; margin:0 0 6px 0'>{escape(page.title)}</h2>")
    if page.verdict:
        parts.append(f"<p style='color:{style.ACCENT}; font-size:15px; margin:0 0 12px 0'>{escape(page.verdict)}</p>")
    if page.rows:
        parts.append(_table(page.rows))
    if page.text:
        alone = not parts and len(page.text) <= SHORT and "\n" not in page.text
        size = 40 if alone else 14
        parts.append(f"<p style='font-size:{size}px; white-space:pre-wrap; margin:0'>{escape(page.text)}</p>")
    return "".join(parts) or f"<p style='color:{style.QUIET}'>Empty text.</p>"


def _table(rows: tuple[tuple[str, str], ...]) -> str:
    cells = []
    for i, (name, value) in enumerate(rows):
        shade = style.PANEL if i % 2 == 0 else style.WINDOW
        cells.append(
            f"<tr bgcolor='{shade}'><td width='45%' style='color:{style.QUIET}'>{escape(name)}</td>"
            f"<td>{escape(value)}</td></tr>"
        )
    look = "width='100%' cellspacing='0' cellpadding='6' style='font-size:13px; margin-top:10px'"
    return f"<table {look}>{''.join(cells)}</table>"
