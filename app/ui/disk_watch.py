"""Notices that the open file was changed by another program or another window."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.ui.session import Session, digest

SETTLE_MS = 250
OnDisk = Literal["same", "changed", "gone"]


class DiskWatch(QObject):
    """``stirred()``: something happened to the file; ask :meth:`state`. Rests until then."""

    stirred = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._path: Path | None = None
        self._known = ""
        self._told = ""
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._timer.timeout.connect(self._settled)
        self._watcher.fileChanged.connect(lambda _: self._timer.start())
        self._watcher.directoryChanged.connect(lambda _: self._timer.start())
        session.read_or_written.connect(self._on_session)
        self._on_session()

    def state(self) -> OnDisk:
        """Whether the file holds what this window read or wrote last."""
        if self._path is None:
            return "same"
        there = digest(self._path)
        if not there:
            return "gone" if self._known else "same"
        return "same" if there == self._known else "changed"

    def is_news(self) -> bool:
        """Whether the file is in a state that was not told of yet; true once for each state."""
        now = digest(self._path) if self._path is not None else ""
        news = now not in (self._known, self._told)
        self._told = now
        return news

    def _on_session(self) -> None:
        path = self._session.path
        self._known = self._session.digest
        self._told = self._known
        if path != self._path:
            watched = [*self._watcher.files(), *self._watcher.directories()]
            if watched:
                self._watcher.removePaths(watched)
            self._path = path
        self._look_here()

    def _settled(self) -> None:
        self._look_here()
        if self.state() != "same":
            self.stirred.emit()

    def _look_here(self) -> None:
        """A file that was replaced is another file to the system: watch it anew."""
        if self._path is not None:
            wanted = [str(place) for place in (self._path, self._path.parent) if place.exists()]
            missing = set(wanted) - set(self._watcher.files()) - set(self._watcher.directories())
            if missing:
                self._watcher.addPaths(sorted(missing))
