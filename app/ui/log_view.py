"""What happened, line by line, and the problems of the graph as a list. Nodes and files in it can be clicked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QTabWidget, QTextBrowser

from app.engine.validate import Problem
from app.ui import theme

MOST_LINES = 2000
LEVELS = {"info": theme.TEXT, "good": theme.GOOD, "warning": theme.WARN, "error": theme.BAD, "dim": theme.DIM}
_NODE = Qt.ItemDataRole.UserRole


class LogView(QTabWidget):
    """``node_clicked(id)``; ``file_clicked(Path)``."""

    node_clicked = Signal(str)
    file_clicked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.text = QTextBrowser(openLinks=False)
        self.text.document().setMaximumBlockCount(MOST_LINES)
        self.text.document().setDefaultStyleSheet(f"a {{ color: {theme.ACCENT}; text-decoration: none; }}")
        self.text.anchorClicked.connect(self._clicked)
        self.problems = QListWidget()
        self.problems.setWordWrap(True)
        self.problems.itemClicked.connect(lambda item: self.node_clicked.emit(item.data(_NODE)))
        self.addTab(self.text, "Log")
        self.addTab(self.problems, "Problems")

    def say(self, level: str, text: str, node: str = "", title: str = "") -> None:
        """One line. ``node``: the id that it is about; ``title``: how that node is called."""
        who = f'<a href="node:{escape(node)}">{escape(title or node)}</a>: ' if node else ""
        self._append(f"{who}<span style='color:{LEVELS[level]}'>{escape(text)}</span>")

    def say_wrote(self, path: Path) -> None:
        """A result file; a click opens its folder."""
        link = f'<a href="{QUrl.fromLocalFile(str(path)).toString()}">{escape(path.name)}</a>'
        self._append(f"<span style='color:{theme.GOOD}'>wrote</span> {link} "
                     f"<span style='color:{theme.DIM}'>in {escape(str(path.parent))}</span>")  # fmt: skip

    def show_problems(self, problems: Iterable[Problem], title: Callable[[str], str]) -> None:
        """All problems of the graph as it is now."""
        found = list(problems)
        self.problems.clear()
        for problem in found:
            name = title(problem.node)
            item = QListWidgetItem(theme.icon("warning", theme.WARN), f"{name}: {problem.message}", self.problems)
            item.setData(_NODE, problem.node)
        self.setTabText(1, f"Problems ({len(found)})" if found else "Problems")

    def plain(self) -> str:
        """All lines as text."""
        return self.text.toPlainText()

    def _append(self, html: str) -> None:
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        stamp = time.strftime("%H:%M:%S")
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.text.document().isEmpty():
            cursor.insertBlock()
        cursor.insertHtml(f"<span style='color:{theme.DIM}'>{stamp}</span>&nbsp; {html}")
        if at_end:
            bar.setValue(bar.maximum())

    def _clicked(self, url: QUrl) -> None:
        if url.scheme() == "node":
            self.node_clicked.emit(url.path())
        elif url.isLocalFile():
            self.file_clicked.emit(Path(url.toLocalFile()))
