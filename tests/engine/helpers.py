"""Build small graphs of toy nodes, run them, look at the report."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from app.engine.events import Event
from app.engine.graph import Graph, Link, Node
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.worker import Setup, Worker

TOYS = Path(__file__).resolve().parents[1] / "toys"


def toys() -> Registry:
    registry = discover((), (TOYS,))
    assert not registry.broken, registry.broken
    return registry


def graph_of(*nodes: tuple[str, str, dict[str, Any]], links: tuple[tuple[str, str, str, str], ...] = ()) -> Graph:
    """Nodes as (id, type without ``toy.``, parameters)."""
    return Graph(
        {id: Node(id, f"toy.{kind}" if "." not in kind else kind, params) for id, kind, params in nodes},
        tuple(Link(*link) for link in links),
    )


def chain(length: int, **last: Any) -> Graph:
    """constant -> add -> add …"""
    nodes = [("n0", "constant", {"value": 1.0})] + [(f"n{i}", "add", {"plus": 1.0}) for i in range(1, length)]
    nodes[-1][2].update(last)
    return graph_of(*nodes, links=tuple((f"n{i - 1}", "out", f"n{i}", "a") for i in range(1, length)))


class Bench:
    """A worker over one store, with everything it said."""

    def __init__(self, folder: Path, in_process: bool = True, **setup: Any) -> None:
        self.folder, self.out = folder, folder / "out"
        self.events: list[Event] = []
        self._reports: dict[int, RunReport] = {}
        self._changed = threading.Condition()
        self.worker = Worker(Setup(folder / "store", (), (TOYS,), "cpu", **setup), self._take, in_process)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.close()

    def start(self, graph: Graph, targets: tuple[str, ...] | None = None, strict: bool = False) -> int:
        with self._changed:
            run_id = self.worker.submit(graph, self.folder, self.out, targets, strict)
            self._reports[run_id] = RunReport(graph)
            return run_id

    def wait(self, run_id: int, seconds: float = 60.0) -> RunReport:
        with self._changed:
            done = self._changed.wait_for(lambda: self._reports[run_id].status is not None, seconds)
        assert done, f"the run did not end; events: {self.events[-5:]}"
        return self._reports[run_id]

    def run(self, graph: Graph, targets: tuple[str, ...] | None = None, strict: bool = False) -> RunReport:
        return self.wait(self.start(graph, targets, strict))

    def value(self, report: RunReport, id: str, output: str = "out") -> Any:
        return self.worker.store.load(report.nodes[id].outputs[output])

    def _take(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._reports[event.run_id].add(event)
            self._changed.notify_all()


def states(report: RunReport) -> dict[str, str]:
    return {id: result.state for id, result in report.nodes.items()}


def calls(log: Path) -> int:
    return len(log.read_text()) if log.exists() else 0


def fresh_python(code: str) -> list[str]:
    return [sys.executable, "-c", code]
