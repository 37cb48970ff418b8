"""What came of a run, built from its events: for the command line, for scripts and for other programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from app.engine.credits import Credit
from app.engine.events import (
    ErrorInfo,
    Event,
    Failed,
    Finished,
    RunFinished,
    RunStarted,
    State,
    Status,
    Stopped,
    Wrote,
)
from app.engine.graph import Graph
from app.engine.validate import Problem


@dataclass
class NodeResult:
    """``key``: name of the result, empty when there is none. ``outputs``: socket -> content digest."""

    state: State
    seconds: float = 0.0
    key: str = ""
    error: ErrorInfo | None = None
    notes: tuple[str, ...] = ()
    outputs: dict[str, str] = field(default_factory=dict)
    credits: tuple[Credit, ...] = ()


class RunReport:
    """Feed it events; read it when ``status`` is set. A node that failed stays failed, one that ran stays "ran"."""

    def __init__(self, graph: Graph, problems: Iterable[Problem] = ()) -> None:
        self.status: Status | None = None
        self.seconds = 0.0
        self.nodes: dict[str, NodeResult] = {id: NodeResult("skipped") for id in graph.nodes}
        self.outputs: list[str] = []
        self.problems = list(problems)

    def add(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            for id in event.nodes:
                if self.nodes[id].state == "skipped":
                    self.nodes[id] = NodeResult("blocked")
        elif isinstance(event, Finished):
            self._finished(event)
        elif isinstance(event, Failed):
            self.nodes[event.node_id] = NodeResult("failed", event.seconds, error=event.error)
        elif isinstance(event, Stopped):
            self.nodes[event.node_id] = NodeResult(event.state)
        elif isinstance(event, Wrote):
            if event.path not in self.outputs:
                self.outputs.append(event.path)
        elif isinstance(event, RunFinished):
            self.status, self.seconds = event.status, event.seconds

    def _finished(self, event: Finished) -> None:
        before = self.nodes[event.node_id]
        ran = before.state == "ran" or not event.reused
        seconds = before.seconds if before.state == "ran" and event.reused else 0.0 if event.reused else event.seconds
        self.nodes[event.node_id] = NodeResult(
            "ran" if ran else "reused", seconds, event.key, None, event.notes, dict(event.outputs), event.credits
        )

    @property
    def credits(self) -> tuple[Credit, ...]:
        """What all results of the run were made from, each once."""
        return tuple(sorted({credit for result in self.nodes.values() for credit in result.credits}))

    def to_json(self) -> dict[str, Any]:
        """As DESIGN and ``docs/command-line.md`` give it."""
        return {
            "status": self.status or "failed",
            "seconds": round(self.seconds, 4),
            "nodes": {id: _node_json(result) for id, result in self.nodes.items()},
            "outputs": self.outputs,
            "problems": [asdict(problem) for problem in self.problems],
            "credits": [asdict(credit) for credit in self.credits],
        }


def _node_json(result: NodeResult) -> dict[str, Any]:
    error = result.error
    return {
        "state": result.state,
        "seconds": round(result.seconds, 4),
        "key": result.key,
        "error": {"kind": error.kind, "message": error.message, "advice": error.advice} if error else None,
        "notes": list(result.notes),
    }
