"""A real window with toy node types, an in-process worker, a plain widget as viewer, and answers known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from window_nodes import registry

from app.engine import Image, Rect, Stroke
from app.engine.events import Event
from app.engine.payloads import Payload
from app.engine.registry import Registry
from app.engine.worker import Setup, Worker
from app.ui.board import Now
from app.ui.dialogs import Carried, Dialogs, OnConflict, Recovery, Unsaved
from app.ui.settings import Settings
from app.ui.window import MainWindow


class ToyViewer(QWidget):
    """Remembers what it was told to show."""

    drawn = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.payload: Payload | None = None
        self.seen: list[Payload | None] = []
        self.waits: list[str] = []
        self.editing: tuple[str, Any] | None = None
        self.closed = False
        self.looks: dict[str, Any] | None = None

    def show_payload(self, payload: Payload | None, source: str = "") -> None:
        self.payload = payload
        self.seen.append(payload)

    def show_waiting(self, words: str, source: str = "") -> None:
        self.payload = None
        self.waits.append(words)

    def edit_rectangle(self, image: Image, value: Rect | None) -> None:
        self.editing = "rectangle", value

    def edit_strokes(self, image: Image, value: tuple[Stroke, ...]) -> None:
        self.editing = "strokes", value

    def stop_editing(self) -> None:
        self.editing = None

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b"picture")

    def camera(self) -> dict[str, Any] | None:
        return self.looks

    def shutdown(self) -> None:
        self.closed = True


class Answers(Dialogs):
    """Answers at once, and remembers what it was asked."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[str] = []
        self.on_unsaved: Unsaved = "discard"
        self.on_carried: Carried = "graph"
        self.on_recover: Recovery = "recover"
        self.on_conflict: OnConflict = "cancel"
        self.on_sure = False
        self.on_licence = True
        self.path: Path | None = None
        self.chosen_colour = QColor("#ff0000")

    def unsaved(self, name: str) -> Unsaved:
        self.asked.append(f"unsaved {name}")
        return self.on_unsaved

    def open_file(self, title: str, suffixes: tuple[str, ...], start: Path | None) -> Path | None:
        self.asked.append(title)
        return self.path

    def save_graph(self, start: Path) -> Path | None:
        self.asked.append(f"save {start.name}")
        return self.path

    def save_file(self, title: str, suffixes: tuple[str, ...], start: Path) -> Path | None:
        self.asked.append(title)
        return self.path

    def folder(self, title: str, start: Path | None) -> Path | None:
        self.asked.append(title)
        return self.path

    def colour(self, start: QColor) -> QColor | None:
        self.asked.append(start.name())
        return self.chosen_colour

    def tell(self, title: str, text: str, advice: str = "") -> None:
        self.asked.append(f"{title}: {text}")

    def carried(self, path: Path, kind: str) -> Carried:
        self.asked.append(f"carried {path.name} {kind}")
        return self.on_carried

    def conflict(self, path: Path) -> OnConflict:
        self.asked.append(f"conflict {path.name}")
        return self.on_conflict

    def sure(self, title: str, text: str, verb: str) -> bool:
        self.asked.append(f"{title}: {text}")
        return self.on_sure

    def licence(self, title: str, text: str, warn: bool) -> bool:
        self.asked.append(f"{title}\n{text}{' WARN' if warn else ''}")
        return self.on_licence

    def recover(self, name: str, when: str) -> Recovery:
        self.asked.append(f"recover {name}")
        return self.on_recover


class Desk:
    """A window and the hands to use it. ``folder``: everything it reads and writes lies in there. ``more``: node
    functions besides the toys."""

    def __init__(self, folder: Path, *more: object) -> None:
        self.folder, self._more = folder, more
        self.settings = Settings.at(folder / "home")
        self.answers = Answers(self.settings)
        self.viewer = ToyViewer()
        self.window = MainWindow(
            self.settings,
            self._registry,
            self._worker,
            self.viewer,
            lambda payload: np.full((8, 8, 4), 200, np.uint8),
            self.answers,
            folder / "examples",
        )
        self.editor = self.window.desk.editor

    def _worker(self, post: Callable[[Event], None]) -> Worker:
        store = self.settings.store_folder or self.folder / "store"
        return Worker(Setup(store, ()), post, in_process=True, registry=self._registry())

    def _registry(self) -> Registry:
        return registry().with_functions(*self._more)

    def add(self, type_id: str, **params: Any) -> str:
        return self.editor.add(f"toy.{type_id}", (len(self.editor.graph.nodes) * 220.0, 0.0), params)

    def now(self, id: str) -> Now:
        return self.window.desk.status.board[id]

    def state(self, id: str) -> str:
        """As the canvas shows it."""
        return self.window.canvas.badge(id).state

    def close(self) -> None:
        self.answers.on_unsaved = "discard"
        self.window.close()
