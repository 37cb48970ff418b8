"""The right half of the models dialog: one set of weights, what is known of it and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QGridLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.engine.weights import WeightCard
from app.ui.weight_words import STATES, breakable, limits, memory_text, progress_text, size_text, source_text
from app.ui.weights import Stand
from app.ui.widgets import label, set_look

GO_ON = ("paused", "partial", "failed", "damaged")
MOST_FILES = 40
_GET = {"paused": "Go on", "partial": "Go on", "failed": "Try again", "damaged": "Get again"}


class WeightsPage(QScrollArea):
    """``wanted(action, WeightCard)``: get, pause, file, folder, verify or open. ``mirrored(WeightCard, address)``."""

    wanted = Signal(str, object)
    mirrored = Signal(object, str)

    def __init__(self) -> None:
        super().__init__(widgetResizable=True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.card: WeightCard | None = None
        self.title = label(wrap=True)
        self.users = label(role="dim", wrap=True)
        self.state = label(wrap=True)
        self.bar = QProgressBar(textVisible=False, maximum=1000)
        self.words = label(role="bad", wrap=True)
        self.limits = label(role="warn", wrap=True)
        self.facts = {name: label(wrap=True) for name in ("Download", "Memory", "Weights", "Code", "From", "Files")}
        self.mirror = QLineEdit(placeholderText="https://…  another address for the same files")
        self.mirror.editingFinished.connect(self._set_mirror)
        self.buttons = {
            "get": _button("", primary=True),
            "pause": _button("Pause"),
            "file": _button("Import file…", "Copy a file that you have to its place; it is checked first"),
            "folder": _button("Import folder…", "Copy the fitting files of a folder to their places"),
            "verify": _button("Verify", "Read every byte and compare with the published checksums"),
            "open": _button("Open folder"),
        }
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.wanted.emit(name, self.card))
        self._lay_out()
        self.setMinimumWidth(340)

    def show_stand(self, stand: Stand, users: Sequence[str], mirror: str, offline: bool) -> None:
        """``mirror``: the address that the person set. ``offline``: downloads are forbidden."""
        card, download = stand.card, stand.download
        other, self.card = card != self.card, card
        self.title.setText(f"<span style='font-size:12.5pt; font-weight:600'>{escape(card.label)}</span>")
        self.users.setText("Used by " + ", ".join(users))
        word, colour = STATES[stand.state]
        more = f" · {progress_text(download)}" if download and stand.state in ("running", "paused") else ""
        self.state.setText(f"<b style='color:{colour}'>{word.capitalize()}</b>{escape(more)}")
        self.bar.setVisible(download is not None and stand.state in ("running", "waiting", "paused", "failed"))
        self.bar.setValue(round(download.fraction * 1000) if download else 0)
        words = download.words if download else ""
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.limits.setText("\n".join(f"{text}." for text in limits(card)))
        self.limits.parentWidget().setVisible(bool(limits(card)))  # type: ignore[union-attr]
        self._show_facts(stand, mirror)
        if other or not self.mirror.hasFocus():
            self.mirror.setText(mirror)
            set_look(self.mirror, "bad", False)
        self._show_buttons(stand, offline)

    def _show_facts(self, stand: Stand, mirror: str) -> None:
        card = stand.card
        shown = {
            "Download": size_text(card.download_bytes),
            "Memory": memory_text(card),
            "Weights": card.weights_licence,
            "Code": card.code_licence,
            "From": breakable(f"{source_text(card, mirror)}\n{card.revision[:12]}"),
            "Files": _files(stand),
        }
        for name, text in shown.items():
            self.facts[name].setText(text)
        self.facts["From"].setToolTip(f"{source_text(card, mirror)}\n{card.repository} at {card.revision}")

    def _show_buttons(self, stand: Stand, offline: bool) -> None:
        coming, busy = stand.state in ("running", "waiting"), stand.state in ("copying", "checking")
        get, size = self.buttons["get"], size_text(stand.card.download_bytes)
        get.setText(f"{_GET[stand.state]}…" if stand.state in GO_ON else f"Get {size}…")
        get.setVisible(not coming and not stand.ready)
        get.setEnabled(not offline and not busy and stand.state != "")
        get.setToolTip("HF_HUB_OFFLINE forbids downloads" if offline else "Shows the licence, then downloads")
        self.buttons["pause"].setVisible(coming)
        for name in ("file", "folder"):
            self.buttons[name].setVisible(not stand.ready)
            self.buttons[name].setEnabled(not coming and not busy)
        self.buttons["verify"].setEnabled(not coming and not busy and stand.state not in ("", "missing"))

    def _set_mirror(self) -> None:
        text = self.mirror.text().strip()
        good = not text or text.startswith(("https://", "http://"))
        set_look(self.mirror, "bad", not good)
        if good and self.card is not None:
            self.mirrored.emit(self.card, text)

    def _lay_out(self) -> None:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 12, 14, 12)
        layout.setSpacing(8)
        warning = QFrame()
        warning.setProperty("role", "warn-card")
        inside = QVBoxLayout(warning)
        inside.setContentsMargins(10, 6, 10, 6)
        inside.addWidget(self.limits)
        for part in (self.title, self.users, self.state, self.bar, self.words, warning):
            layout.addWidget(part)
        layout.addWidget(self._actions())
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(7)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        names = {"Weights": "Licence of the weights", "Code": "Licence of the code", "Memory": "Memory to run"}
        for name, value in self.facts.items():
            caption = label(names.get(name, name), "dim")
            caption.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            form.addRow(caption, value)
            if name == "From":
                form.addRow(label("Mirror", "dim"), self.mirror)
        layout.addLayout(form)
        layout.addStretch(1)
        self.setWidget(page)

    def _actions(self) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 4, 0, 6)
        grid.setSpacing(6)
        places = {"get": (0, 0, 1, 2), "pause": (0, 0, 1, 2), "file": (1, 0), "folder": (1, 1), "verify": (2, 0)}
        for name, button in self.buttons.items():
            grid.addWidget(button, *places.get(name, (2, 1)))
        return box


def _files(stand: Stand) -> str:
    states = dict(stand.files)
    lines = []
    for file in stand.card.files[:MOST_FILES]:
        now = states.get(file.name, "")
        remark = f", {STATES[now][0]}" if now in ("ready", "partial", "damaged") else ""
        lines.append(f"{breakable(file.name)}, {size_text(file.size)}{remark}")
    more = len(stand.card.files) - MOST_FILES
    return "\n".join(lines + ([f"and {more} more"] if more > 0 else []))


def _button(text: str, tip: str = "", primary: bool = False) -> QPushButton:
    button = QPushButton(text, autoDefault=False)
    button.setToolTip(tip)
    button.setProperty("primary", primary)
    return button
