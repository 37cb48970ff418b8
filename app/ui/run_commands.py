"""What the Run menu does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from app.engine.errors import EngineError
from app.ui.forecast import forecast

if TYPE_CHECKING:
    from app.ui.window import MainWindow


class RunCommands:
    def __init__(self, window: MainWindow) -> None:
        self.window, self.desk = window, window.desk
        runs = self.desk.runs
        runs.started.connect(self._on_started)
        runs.progressed.connect(self._on_progressed)
        runs.finished.connect(self._on_finished)
        runs.refused.connect(self._on_refused)
        window.run_bar.cancel_wanted.connect(runs.cancel)
        self.desk.editor.opened.connect(self._on_opened)

    def run_all(self) -> None:
        self.window.inspector.commit_typed()
        self.desk.runs.run()

    def run_here(self) -> None:
        self.window.inspector.commit_typed()
        if self.desk.editor.selection:
            self.desk.runs.run(self.desk.editor.selection)

    def run_to(self, id: str) -> None:
        """The menu of a node."""
        self.desk.runs.run([id])

    def cancel(self) -> None:
        self.desk.runs.cancel()

    def toggle_auto(self) -> None:
        self.set_auto(not self.desk.runs.auto)
        self.desk.runs.run_auto()

    def set_auto(self, on: bool) -> None:
        """From now on, and at the next start."""
        self.desk.runs.auto = self.desk.settings.auto_run = on
        self.window.update_actions()

    def choose_out(self) -> None:
        folder = self.window.dialogs.folder("Choose the output folder", self.desk.session.out)
        if folder is not None:
            self.desk.session.set_out(folder)
            self.window.say("info", f"Results are written to {folder}")

    def open_out(self) -> None:
        self.show_folder(self.desk.session.out)

    def show_folder(self, folder: Path) -> None:
        if folder.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        else:
            self.window.say("info", f"{folder} is made when the first result is written.")

    def reload(self) -> None:
        self.desk.reload()
        self.window.say("info", f"{len(self.desk.editor.registry)} node types are loaded.")

    def release(self) -> None:
        self.desk.worker.release_memory()
        self.window.say("info", "Models and cached results were unloaded.")

    def clear_store(self) -> None:
        used = self.desk.store().disk_used() / 1e9
        text = f"Remove all stored results ({used:.2f} GB)? They are computed again when they are needed."
        if self.window.dialogs.sure("Clear stored results", text, "Remove"):
            self.desk.store().clear()
            self.desk.status.replan()

    def _on_opened(self) -> None:
        """How the last run ended is not said of another graph."""
        if not self.desk.runs.running:
            self.window.run_bar.show_idle()

    def _on_started(self) -> None:
        seen = forecast(self.desk.status.plan)
        if not seen.fits:
            self.window.log.say("warning", f"This run may not fit into memory. {seen.text}")
        before = self.desk.queue.current
        self.window.run_bar.show_submitted(before.name if before and before.state == "running" else "")
        self.window.update_actions()

    def _on_progressed(self) -> None:
        progress, editor = self.desk.runs.progress, self.desk.editor
        title = editor.title(progress.current) if progress.current in editor.graph.nodes else "Running"
        self.window.run_bar.show_progress(progress, title, time.monotonic())

    def _on_finished(self, status: str, seconds: float) -> None:
        self.window.run_bar.show_end(status, seconds)
        self.window.update_actions()
        if status == "invalid":
            self.window.log.setCurrentWidget(self.window.log.problems)

    def _on_refused(self, error: EngineError) -> None:
        self.window.run_bar.show_end("failed", 0.0)
        self.window.say("error", f"{error.message} {error.advice}")
        self.window.update_actions()
