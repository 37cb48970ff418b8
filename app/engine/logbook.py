"""The log file: what ran, on what, how long each node took, and every error with its details.

Each start of the program writes a file of its own, so that two never write into one; the newest are kept.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from app.engine import places
from app.engine.environment import environment
from app.engine.events import Event, Failed, Finished, RunFinished, RunStarted, Stopped, Wrote
from app.engine.graph import Graph

KEPT = 20
MOST_BYTES = 2_000_000
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_root = logging.getLogger("polyloom")
_run = logging.getLogger("polyloom.run")


def folder() -> Path:
    """Where log files lie."""
    return places.home() / "logs"


class Logbook:
    """Everything said to loggers below ``polyloom``, and the runs that it is told of, in one text file.

    A folder that cannot be written means no log file and nothing worse.
    """

    def __init__(self, where: Path, program: str) -> None:
        self.folder = where
        self.file: Path | None = None
        self._handlers: list[logging.Handler] = [_echo()]
        self._nodes: dict[int, Graph] = {}
        with contextlib.suppress(OSError):
            where.mkdir(parents=True, exist_ok=True)
            name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{id(self):x}.log"
            handler = RotatingFileHandler(where / name, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8")
            handler.setFormatter(logging.Formatter(LINE))
            self._handlers.append(handler)
            self.file = where / name
            _remove_old(where)
        _root.setLevel(logging.INFO)
        for each in self._handlers:
            _root.addHandler(each)
        _run.info("%s started with %s", program, ", ".join(f"{k} {v}" for k, v in environment().items()))

    def submitted(self, run_id: int, graph: Graph, name: str = "") -> None:
        """A run of ``graph`` was asked for; its events follow."""
        self._nodes[run_id] = graph
        _run.info("run %d submitted: %s, %d nodes", run_id, name or "a graph", len(graph.nodes))

    def take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            _run.info("run %d started: %d nodes", event.run_id, len(event.nodes))
        elif isinstance(event, Finished):
            word = "reused" if event.reused else f"ran in {event.seconds:.3f} s"
            _run.info("run %d: %s %s", event.run_id, self._name(event.run_id, event.node_id), word)
            for note in event.notes:
                _run.info("run %d: %s says: %s", event.run_id, event.node_id, note)
        elif isinstance(event, Failed):
            self._failed(event)
        elif isinstance(event, Stopped):
            _run.info("run %d: %s %s", event.run_id, self._name(event.run_id, event.node_id), event.state)
        elif isinstance(event, Wrote):
            _run.info("run %d: %s wrote %s", event.run_id, event.node_id, event.path)
        elif isinstance(event, RunFinished):
            _run.info("run %d ended: %s after %.3f s", event.run_id, event.status, event.seconds)
            self._nodes.pop(event.run_id, None)

    def close(self) -> None:
        for handler in self._handlers:
            _root.removeHandler(handler)
            handler.close()
        self._handlers.clear()

    def _failed(self, event: Failed) -> None:
        error = event.error
        text = f"{error.kind}: {error.message} {error.advice}".strip()
        name = self._name(event.run_id, event.node_id)
        _run.error("run %d: %s failed after %.3f s: %s", event.run_id, name, event.seconds, text)
        if error.details:
            _run.error("run %d: details of %s\n%s", event.run_id, event.node_id, error.details.rstrip())

    def _name(self, run_id: int, node_id: str) -> str:
        graph = self._nodes.get(run_id)
        node = graph.nodes.get(node_id) if graph else None
        return f"{node_id} ({node.type})" if node else node_id


def recent(where: Path, most_bytes: int = 1_000_000) -> str:
    """The end of the newest log files, oldest first, cut at ``most_bytes`` in all."""
    parts: list[bytes] = []
    left = most_bytes
    for file in sorted(_files(where), reverse=True):
        with contextlib.suppress(OSError):
            text = file.read_bytes()[-left:] if left > 0 else b""
            parts.append(f"--- {file.name}\n".encode() + text)
            left -= len(text)
        if left <= 0:
            break
    return b"\n".join(reversed(parts)).decode("utf-8", "replace")


def _echo() -> logging.Handler:
    """Warnings on standard error as without a log file, but for those of runs: the program tells them itself."""
    echo = logging.StreamHandler()
    echo.setLevel(logging.WARNING)
    echo.addFilter(lambda record: record.name != _run.name)
    return echo


def _files(where: Path) -> list[Path]:
    return [*where.glob("*.log"), *where.glob("*.log.1")]


def _remove_old(where: Path) -> None:
    for file in sorted(_files(where))[:-KEPT]:
        with contextlib.suppress(OSError):
            file.unlink()
