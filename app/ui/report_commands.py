"""Help > Report a problem: ask, then pack a capsule on the helper thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.engine import capsule, logbook
from app.ui.report_dialog import ReportDialog

if TYPE_CHECKING:
    from app.ui.window import MainWindow

SHOWN_LOG = 100_000


class ReportCommands:
    def __init__(self, window: MainWindow) -> None:
        self.window, self.desk = window, window.desk
        self.dialog: ReportDialog | None = None

    def open(self) -> None:
        self.window.inspector.commit_typed()
        editor, base = self.desk.editor, self.desk.session.base
        inputs = capsule.inputs_of(editor.graph, editor.registry, base)
        self.dialog = ReportDialog(inputs, logbook.recent(self.desk.logbook.folder, SHOWN_LOG), self.window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.accepted.connect(self._save)
        self.dialog.destroyed.connect(self._closed)
        self.dialog.open()

    def _save(self) -> None:
        assert self.dialog is not None
        ticked, words = self.dialog.ticked, self.dialog.words.toPlainText().strip()
        session, runs = self.desk.session, self.desk.runs
        start = self.window.settings.last_folder / f"{session.name}-problem.zip"
        target = self.window.dialogs.save_file("Save the capsule", (".zip",), start)
        if target is None:
            return
        pack = partial(
            capsule.pack, target, session.editor.graph, session.specs, session.base, ticked,
            logbook.recent(self.desk.logbook.folder), runs.report.to_json(), words, runs.targets,
        )  # fmt: skip
        self.desk.helper.submit("capsule", pack, lambda _: self._saved(target), self._failed)

    def _saved(self, target: Path) -> None:
        self.window.log.say("good", "The capsule is saved. Send it along with your report.")
        self.window.log.say_wrote(target)

    def _failed(self, error: Exception) -> None:
        self.window.say("error", f"The capsule was not saved: {error}")

    def _closed(self) -> None:
        self.dialog = None
