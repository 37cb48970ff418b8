"""A process beside the window that prepares tools for this computer, and the words that tell of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.engine.preparing import EXIT
from app.engine.processes import python_path

AFTER_MS = 3000
END_MS = 2000
_log = logging.getLogger("polyloom.preparing")


class Preparing(QObject):
    """``changed(part)``: 0..1 of what there is to do, and 1 when nothing is left or nothing more will be done.

    ``first``: tells the node types to begin with. It begins by itself after a while, when the window has settled.
    """

    changed = Signal(float)

    def __init__(self, packages: Sequence[str], first: Callable[[], Sequence[str]], parent: QObject) -> None:
        super().__init__(parent)
        self._packages, self._first = packages, first
        self._process = QProcess(self)
        around = QProcessEnvironment.systemEnvironment()
        around.insert("PYTHONPATH", python_path())
        self._process.setProcessEnvironment(around)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(lambda error: _log.warning("preparing: %s", error.name))
        QTimer.singleShot(AFTER_MS, self, self.start)

    def start(self) -> None:
        running = self._process.state() != QProcess.ProcessState.NotRunning
        if running or not self._packages:
            return
        arguments = ["-P", "-m", "app.engine.preparing", *self._packages, "--first", *sorted(set(self._first()))]
        self._process.start(sys.executable, arguments)

    def stop(self) -> None:
        """What is prepared stays; the next start goes on."""
        self._packages = ()
        self._process.blockSignals(True)
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(END_MS)

    def _read(self) -> None:
        line = b""
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
        if line:
            done, all, *_ = line.split()
            self.changed.emit(int(done) / max(int(all), 1))

    def _ended(self, status: int) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        if status == EXIT["again"]:
            self.start()
            return
        _log.info("preparing ended with %d%s", status, f": {said}" if said else "")
        self.changed.emit(1.0)
