"""The card at the top of the inspector that says how the node is doing, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.ui import theme
from app.ui.badges import WORDS, duration
from app.ui.board import Now
from app.ui.widgets import label, set_look, tool_button

BAD = ("failed", "invalid", "missing")


class StateCard(QFrame):
    """State in a word, message, advice, notes, what it was made from; a button copies all of it with the traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._details = ""
        self.state = QLabel()
        self.text = label(wrap=True)
        self.advice = label(wrap=True)
        self.credits = label(role="dim", wrap=True)
        self.credits.setTextFormat(Qt.TextFormat.PlainText)
        self.copy = tool_button("copy", "Copy the message with its details")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._details))
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 6, 6)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addWidget(self.text)
        layout.addWidget(self.advice)
        layout.addWidget(self.credits)

    def show_now(self, now: Now) -> None:
        advice = now.error.advice if now.state == "failed" and now.error else ""
        text = "\n".join(filter(None, [now.message, *now.notes]))
        self.setVisible(now.state != "idle" or bool(text))
        self.state.setText(f"<b style='color:{theme.STATE_COLOURS[now.state]}'>{_headline(now)}</b>")
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))
        self.credits.setText("\n".join(f"Credit: {credit.line}" for credit in now.credits))
        self.credits.setVisible(bool(now.credits))
        details = now.error.details if now.error else ""
        self._details = "\n".join(filter(None, [_headline(now), text, advice, details]))
        self.copy.setVisible(bool(text))
        set_look(self, "role", "bad-card" if now.state in BAD else "warn-card" if text else "card")


def _headline(now: Now) -> str:
    word = (WORDS[now.state] or "not run yet").capitalize()
    if now.state == "running" and now.fraction:
        return f"{word} · {now.fraction:.0%}" + (f" · {now.note}" if now.note else "")
    if now.state == "reused":
        return f"{word} · {duration(now.seconds)} saved"
    took = now.state in ("ran", "failed") and now.seconds > 0
    return f"{word} · {duration(now.seconds)}" if took else word
