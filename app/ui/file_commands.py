"""What the File menu does: ask where the session must not, and tell in words what went wrong."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.engine import graph_file
from app.engine.embedded import read_graph_text
from app.engine.errors import BadGraphFile, CannotWrite
from app.ui.disk_watch import DiskWatch
from app.ui.dropped import CARRIERS, Opener, opener_for
from app.ui.gallery import Example, Gallery, examples
from app.ui.journal import LeftBehind
from app.ui.weight_words import needs

if TYPE_CHECKING:
    from app.ui.window import MainWindow

ACROSS, DOWN = 240.0, 190.0  # between nodes of files that were dropped together


class FileCommands:
    def __init__(self, window: MainWindow, examples_folder: Path) -> None:
        self.window, self.session, self.dialogs = window, window.desk.session, window.dialogs
        self.examples_folder = examples_folder
        self.gallery: Gallery | None = None
        self.watch = DiskWatch(self.session)
        self.watch.stirred.connect(self._on_stirred)

    def new(self) -> None:
        if self.may_close():
            self.session.new()

    def open(self) -> None:
        path = self.dialogs.open_graphs()
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> bool:
        """Ask about unsaved edits, then open. A file that cannot be read is told of and changes nothing."""
        try:
            graph_file.read(path)
            if not self.may_close():
                return False
            self.session.open(path)
        except BadGraphFile as error:
            self.window.settings.forget(path)
            self.window.say("error", f"{error.message} {error.advice}")
            self.dialogs.tell("The graph cannot be opened", error.message, error.advice)
            return False
        self.window.say("info", f"Opened {path}")
        return True

    def save(self) -> bool:
        """Never over what somebody else wrote meanwhile, unless the person says so."""
        self.window.inspector.commit_typed()
        if self.session.path is None:
            return self.save_as()
        answer = self.dialogs.conflict(self.session.path) if self.watch.state() == "changed" else "overwrite"
        if answer == "reload":
            self.reload()
        if answer == "save_as":
            return self.save_as()
        return answer == "overwrite" and self._save_to(self.session.path)

    def look_at_disk(self) -> None:
        """The window came to the front, or the file stirred: tell once of each change by others."""
        if self.session.path is None or not self.watch.is_news():
            return
        path = self.session.path
        if self.watch.state() == "gone":
            self.window.say("warning", f"{path} is no longer there. Save to write it again.")
        elif self.session.unsaved:
            self.window.say("warning", f"Another program has changed {path}. Saving will ask which one to keep.")
        elif self.dialogs.reload(path):
            self.reload()
        else:
            self.window.say("info", f"{path} was changed elsewhere; the graph on screen stays. Saving will ask.")

    def _on_stirred(self) -> None:
        """A window behind others asks nothing; it looks when the person comes back to it."""
        if self.window.isActiveWindow():
            self.look_at_disk()

    def reload(self) -> None:
        """The file as it is on the disk now; undo leads back."""
        try:
            self.session.reload()
        except BadGraphFile as error:
            self.window.say("error", f"{error.message} {error.advice}")
            self.dialogs.tell("The graph cannot be loaded again", error.message, error.advice)
        else:
            self.window.say("info", f"Loaded {self.session.path} again")

    def save_as(self) -> bool:
        self.window.inspector.commit_typed()
        folder = self.session.path.parent if self.session.path else self.window.settings.last_folder
        path = self.dialogs.save_graph(folder / f"{self.session.name}.graph")
        return path is not None and self._save_to(path)

    def may_close(self) -> bool:
        """Whether the open graph may go: nothing is unsaved, or the person saved it or let it go."""
        self.window.inspector.commit_typed()
        if not self.session.unsaved:
            return True
        answer = self.dialogs.unsaved(self.session.name)
        return answer == "discard" or (answer == "save" and self.save())

    def fill_recent(self, menu: QMenu) -> None:
        """Called each time the menu opens."""
        menu.clear()
        for path in self.window.settings.recent:
            action = QAction(f"{path.stem}   {path.parent}", menu)
            action.setEnabled(path.is_file())
            action.triggered.connect(lambda _=False, path=path: self.open_path(path))
            menu.addAction(action)
        if menu.isEmpty():
            menu.addAction("Nothing yet").setEnabled(False)

    def examples(self) -> None:
        weights = self.window.desk.weights
        self.gallery = Gallery(
            examples(self.examples_folder),
            self.window,
            lambda graph: needs((stand.card, stand.ready) for stand in weights.of_graph(graph)),
        )
        self.gallery.chosen.connect(self.open_example)
        self.gallery.open()

    def open_example(self, example: Example) -> None:
        if self.may_close():
            self.session.open_copy(example.graph, example.title, example.path.parent)

    def open_starter(self) -> None:
        """What a newcomer sees first."""
        found = examples(self.examples_folder)
        if found and found[0].path.stem == "starter":
            self.open_example(found[0])

    def dropped(self, paths: list[str], place: QPointF) -> None:
        """Files fell onto the canvas: a graph opens, pictures and meshes get a node that loads them."""
        added, columns = 0, math.ceil(math.sqrt(len(paths)))
        for path in map(Path, paths):
            if path.suffix.lower() == ".graph":
                self.open_path(path)
                return
            opener = opener_for(path, self.window.desk.editor.registry)
            text = read_graph_text(path) if path.suffix.lower() in CARRIERS else None
            answer = self.dialogs.carried(path, opener.kind if opener else "file") if text else "load"
            if answer == "graph" and text:
                self._open_carried(path, text)
                return
            if answer == "load":
                down, across = divmod(added, columns)
                added += self._load(path, opener, place + QPointF(ACROSS * across, DOWN * down))

    def recover(self) -> None:
        """Offer what crashed windows left behind."""
        for left in self.session.journal.left_behind():
            name = left.path.name if left.path else "an unsaved graph"
            when = time.strftime("%d %b %H:%M", time.localtime(left.written))
            answer = self.dialogs.recover(name, when)
            if answer == "discard":
                left.forget()
            elif answer == "recover" and self.may_close():
                self._recover(left)
                return

    def _recover(self, left: LeftBehind) -> None:
        self.session.recover(left)
        self.window.say("good", f"Recovered the unsaved work on {left.path or 'an unsaved graph'}. Save it to keep it.")

    def _save_to(self, path: Path) -> bool:
        try:
            self.session.save() if path == self.session.path else self.session.save_as(path)
        except CannotWrite as error:
            self.window.say("error", f"{error.message} {error.advice}")
            self.dialogs.tell("The graph cannot be saved", error.message, error.advice)
            return False
        self.window.say("info", f"Saved {path}")
        return True

    def _open_carried(self, path: Path, text: str) -> None:
        try:
            graph = graph_file.loads(text)
        except BadGraphFile as error:
            self.dialogs.tell("The graph in this file cannot be read", error.message, error.advice)
            return
        if self.may_close():
            home = graph_file.home_of(graph, self.session.specs, path.parent)
            self.session.open_copy(graph, path.stem, home)

    def _load(self, path: Path, opener: Opener | None, place: QPointF) -> bool:
        if opener is None:
            self.window.say("warning", f"No node type opens {path.suffix or 'such'} files: {path.name}")
            return False
        at = (place.x(), place.y())
        self.window.desk.editor.add(opener.type_id, at, {opener.param: self.session.stored(path)})
        return True
