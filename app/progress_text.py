"""Progress of a run on standard error: a bar on a terminal, a line per finished node elsewhere."""

from __future__ import annotations

import sys
from typing import TextIO

from app.engine.events import Event, Failed, Finished, Progressed, RunStarted, Started, Stopped
from app.engine.graph import Graph
from app.engine.registry import Registry

WIDTH = 24


class ProgressText:
    """Use it in a ``with`` statement; the bar is removed at the end."""

    def __init__(self, graph: Graph, registry: Registry, stream: TextIO | None = None) -> None:
        self._graph, self._registry = graph, registry
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._total, self._done = 0, 0

    def __enter__(self) -> ProgressText:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._total = len(event.nodes)
        elif isinstance(event, Started):
            self._bar(event.node_id, 0.0)
        elif isinstance(event, Progressed):
            self._bar(event.node_id, event.fraction, event.note)
        elif isinstance(event, Finished):
            self._done += 1
            how = "reused" if event.reused else f"{event.seconds:.2f} s"
            self._line(f"{self._name(event.node_id)}: {how}")
            for note in event.notes:
                self._line(f"  note: {note}")
        elif isinstance(event, Failed):
            self._done += 1
            self._line(f"{self._name(event.node_id)}: failed")
        elif isinstance(event, Stopped):
            self._done += 1
            self._line(f"{self._name(event.node_id)}: {event.state}")

    def _name(self, id: str) -> str:
        node = self._graph.nodes[id]
        spec = self._registry.get(node.type)
        return node.title or (spec.title if spec else node.type)

    def _bar(self, id: str, fraction: float, note: str = "") -> None:
        if not self._live:
            return
        overall = (self._done + fraction) / max(self._total, 1)
        filled = round(overall * WIDTH)
        text = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {overall:4.0%} {self._name(id)} {note}"
        print(f"\r\x1b[K{text[:100]}", end="", file=self._stream, flush=True)

    def _line(self, text: str) -> None:
        self._clear()
        print(text, file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
