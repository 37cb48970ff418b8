"""The open document: its file, its unsaved edits and the journal of them. Asks nobody anything; the window asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.engine import graph_file
from app.engine.errors import CannotWrite
from app.engine.graph import Graph
from app.engine.migrations import adopt
from app.engine.spec import NodeSpec
from app.ui.editor import Editor
from app.ui.journal import Journal, LeftBehind
from app.ui.settings import Settings

JOURNAL_MS = 2000


class Session(QObject):
    """``file_changed``: another file, name or output folder. ``unsaved_changed(bool)``.

    ``said(level, text)``: a line for the log. ``read_or_written()``: the file holds ``digest`` as of now.
    """

    file_changed = Signal()
    unsaved_changed = Signal(bool)
    said = Signal(str, str)
    read_or_written = Signal()

    def __init__(self, editor: Editor, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self.settings = settings
        self.path: Path | None = None
        self.name = "Untitled"
        self.digest = ""
        self.journal = Journal(settings.data / "journal")
        self._journal_timer = QTimer(self, singleShot=True, interval=JOURNAL_MS)
        self._journal_timer.timeout.connect(self.write_journal)
        editor.changed.connect(self._on_changed)
        editor.undo_stack.cleanChanged.connect(self._on_clean_changed)

    @property
    def specs(self) -> Mapping[str, NodeSpec]:
        return self.editor.registry

    @property
    def base(self) -> Path:
        """The folder that relative paths of the graph start from."""
        return self.settings.documents if self.path is None else self.path.parent

    @property
    def out(self) -> Path:
        """Where files are written."""
        chosen = self.settings.out_folder(self.path)
        return chosen or (self.settings.documents if self.path is None else self.path.parent / "out")

    @property
    def unsaved(self) -> bool:
        return not self.editor.is_clean

    def new(self) -> None:
        self._replace(Graph(), None, "Untitled")

    def open(self, path: Path) -> None:
        """Raises :class:`BadGraphFile`; then the open graph stays as it is."""
        path = path.resolve()
        seen = digest(path)
        graph = graph_file.read(path)
        self._replace(graph, path, path.stem, seen)
        self.settings.opened(path)

    def reload(self) -> None:
        """The file as it is now, as one step that can be undone. Raises :class:`BadGraphFile`; nothing changes then."""
        assert self.path is not None
        seen = digest(self.path)
        self.editor.edit("Reload", adopt(graph_file.read(self.path), self.editor.registry))
        self.editor.set_clean()
        self._now_on_disk(seen)

    def open_copy(self, graph: Graph, name: str, came_from: Path) -> None:
        """An example, or a graph found inside a result: as a new unsaved graph. ``came_from``: its former folder."""
        self._replace(graph_file.rebase(graph, self.specs, came_from, self.settings.documents), None, name)

    def stored(self, path: Path) -> str:
        """A path as the graph keeps it: relative inside the folder of the file, else absolute."""
        return path.absolute().as_posix() if self.path is None else graph_file.shorten(path, self.path.parent)

    def recover(self, left: LeftBehind) -> None:
        """The journal's graph, unsaved, over what the file holds: one undo leads back to the saved graph."""
        saved, seen = Graph(), ""
        if left.path is not None and left.path.is_file():
            saved, seen = graph_file.read(left.path), digest(left.path)
        self._replace(saved, left.path, left.path.stem if left.path else "Recovered", seen)
        self.editor.edit("Recover unsaved work", adopt(left.graph, self.editor.registry))
        self.write_journal()
        left.forget()

    def save(self) -> None:
        """Raises :class:`CannotWrite`. Needs a path."""
        assert self.path is not None
        self._write(self.path, self.editor.graph)

    def save_as(self, path: Path) -> None:
        """Relative paths still lead to the same files afterwards. Raises :class:`CannotWrite`; then nothing changed."""
        path = path.resolve()
        old, new = self.base, path.parent

        def moved(graph: Graph) -> Graph:
            return graph_file.rebase(graph, self.specs, old, new)

        out = self.settings.out_folder(self.path)
        self._write(path, moved(self.editor.graph))
        if moved(self.editor.graph) is not self.editor.graph:
            self.editor.rewrite(moved)
        self.path, self.name, self.editor.base = path, path.stem, path.parent
        if out is not None:
            self.settings.set_out_folder(path, out)
        self._now_on_disk(self.digest)
        self.file_changed.emit()

    def set_out(self, folder: Path | None) -> None:
        self.settings.set_out_folder(self.path, folder)
        self.file_changed.emit()

    def write_journal(self) -> None:
        """Now, if there is something unsaved. Never raises: the window must go on."""
        self._journal_timer.stop()
        if not self.unsaved:
            return
        try:
            self.journal.write(self.editor.graph, self.path)
        except OSError as error:
            self.said.emit("warning", f"Unsaved work cannot be journalled: {error}. Save the graph soon.")

    def close(self) -> None:
        """The person saved or let go of the edits."""
        self._journal_timer.stop()
        self.journal.close()

    def _write(self, path: Path, graph: Graph) -> None:
        if not path.parent.is_dir():
            raise CannotWrite(f"The folder {path.parent} is not there.", "Choose another folder.")
        graph_file.save(path, graph)
        self.editor.set_clean()
        self.settings.opened(path)
        self.journal.clear()
        self._now_on_disk(hashlib.sha256(graph_file.dumps(graph).encode()).hexdigest())

    def _now_on_disk(self, content: str) -> None:
        self.digest = content
        self.read_or_written.emit()

    def _replace(self, graph: Graph, path: Path | None, name: str, content: str = "") -> None:
        self.path, self.name = path, name
        self.editor.base = None if path is None else path.parent
        self.editor.reset(adopt(graph, self.editor.registry))
        self.journal.clear()
        self._journal_timer.stop()
        self._now_on_disk(content)
        self.file_changed.emit()

    def _on_changed(self, _: Graph) -> None:
        if not self._journal_timer.isActive():
            self._journal_timer.start()

    def _on_clean_changed(self, clean: bool) -> None:
        if clean:
            self.journal.clear()
        self.unsaved_changed.emit(not clean)


def digest(path: Path) -> str:
    """Of a file's content, or an empty text when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
