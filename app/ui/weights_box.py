"""The weights that the selected node calls for, in the inspector: how they stand, and a button to get them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.engine.weights import WeightCard
from app.ui import theme
from app.ui.weight_words import STATES, licence_text, limits, progress_text, size_text
from app.ui.weights import Stand
from app.ui.widgets import label, set_look, tool_button

LACKING = ("missing", "partial", "damaged", "paused", "failed")


class WeightsBox(QFrame):
    """``wanted(action, WeightCard)``: get, pause or show. Hidden for a node that needs no weights as it is set."""

    wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[_Part] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 4, 6, 6)
        self._layout.setSpacing(6)
        self.hide()

    def show_stands(self, stands: Sequence[Stand]) -> None:
        while len(self.parts) > len(stands):
            gone = self.parts.pop()
            self._layout.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self.parts) < len(stands):
            part = _Part()
            part.wanted.connect(self.wanted)
            self._layout.addWidget(part)
            self.parts.append(part)
        for part, stand in zip(self.parts, stands, strict=True):
            part.show_stand(stand)
        self.setVisible(bool(stands))
        set_look(self, "role", "warn-card" if any(stand.state in LACKING for stand in stands) else "card")


class _Part(QWidget):
    wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.card: WeightCard | None = None
        self.state = label(wrap=True)
        self.about = label(role="dim", wrap=True)
        self.limits = label(role="warn", wrap=True)
        self.bar = QProgressBar(textVisible=False, maximum=1000)
        self.get = QPushButton(autoDefault=False)
        self.get.setProperty("primary", True)
        self.pause = QPushButton("Pause", autoDefault=False)
        self.more = tool_button("model", "All models: import, verify, another address")
        for button, action in ((self.get, "get"), (self.pause, "pause"), (self.more, "show")):
            button.clicked.connect(lambda _=False, action=action: self.wanted.emit(action, self.card))
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.pause)
        head.addWidget(self.get)
        head.addWidget(self.more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(head)
        for part in (self.bar, self.about, self.limits):
            layout.addWidget(part)

    def show_stand(self, stand: Stand) -> None:
        self.card = stand.card
        coming = stand.state in ("running", "waiting")
        word, colour = STATES[stand.state]
        colour = theme.WARN if stand.state == "missing" else colour
        self.state.setText(f"<b style='color:{colour}'>Weights {word}</b>")
        lines = [stand.card.label, f"{size_text(stand.card.download_bytes)} · {licence_text(stand.card)}"]
        if stand.download is not None and stand.state == "failed":
            lines.insert(1, stand.download.words)
        elif stand.download is not None and stand.state in ("running", "paused"):
            lines[1:] = [progress_text(stand.download), licence_text(stand.card)]
        self.about.setText("\n".join(lines))
        self.limits.setText("\n".join(limits(stand.card)))
        self.limits.setVisible(bool(limits(stand.card)))
        self.bar.setVisible(stand.download is not None)
        self.bar.setValue(round(stand.download.fraction * 1000) if stand.download else 0)
        self.pause.setVisible(coming)
        self.get.setVisible(not coming and stand.state not in ("", "ready", "copying", "checking"))
        self.get.setText({"paused": "Go on…", "partial": "Go on…", "failed": "Try again…"}.get(stand.state, "Get…"))
