"""What is known of every node right now: derived from plans and events, never edited, thrown away on opening."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.engine.credits import Credit
from app.engine.events import (
    ErrorInfo,
    Event,
    Failed,
    Finished,
    Previewed,
    Progressed,
    RunFinished,
    RunStarted,
    Started,
    Stopped,
)
from app.engine.graph import Graph, Node
from app.engine.validate import UNKNOWN_TYPE, Problem
from app.ui.changes import touched_nodes

DONE = ("ran", "reused")
ACTIVE = ("queued", "running")
ENDED_BADLY = ("failed", "blocked", "cancelled")


@dataclass(frozen=True)
class Now:
    """``state``: as on a badge. ``outputs``: socket -> digest of the newest result, which may be of older settings.

    ``preview``: digest of an intermediate result of the run in progress. ``reason``: why it is blocked.
    """

    state: str = "idle"
    seconds: float = 0.0
    outputs: Mapping[str, str] = field(default_factory=dict)
    preview: str = ""
    error: ErrorInfo | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()
    fraction: float = 0.0
    note: str = ""
    reason: str = ""

    @property
    def message(self) -> str:
        """The one sentence that explains a bad state, or an empty text."""
        if self.state == "failed" and self.error:
            return self.error.message
        if self.state in ("needs", "invalid", "missing"):
            return " ".join(p.message for p in self.problems)
        return self.reason if self.state in ("blocked", "cancelled") else ""


@dataclass(frozen=True)
class Planned:
    """A plan boiled down for the board. ``states``: id -> run, reuse or blocked. ``found``: what the store holds.

    ``expected``: seconds that each node should take, 0 for one whose result is there; not for a type that was never
    timed, of which ``unknown`` are to run. ``seconds``, ``peak_bytes``, ``available_bytes``: of the whole run.
    """

    graph: Graph
    states: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    found: Mapping[str, Now] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    unknown: int = 0
    peak_bytes: int = 0
    available_bytes: int | None = None


class Board:
    """Every method returns the ids whose :class:`Now` changed. ``latest``: the node that gave something last."""

    def __init__(self) -> None:
        self.nodes: dict[str, Now] = {}
        self.graph = Graph()
        self.run_id: int | None = None
        self.latest = ""
        self._edited: set[str] = set()

    def __getitem__(self, id: str) -> Now:
        return self.nodes.get(id, _NOTHING)

    def reset(self, graph: Graph) -> None:
        self.nodes, self.graph, self.run_id, self.latest, self._edited = {}, graph, None, "", set()

    def edited(self, graph: Graph) -> set[str]:
        """The graph changed: results that no longer belong to it turn stale."""
        touched = touched_nodes(self.graph, graph)
        self.graph = graph
        for id in set(self.nodes) - set(graph.nodes):
            del self.nodes[id]
        if self.run_id is not None:
            self._edited |= touched
        return self._each(touched, _outdated)

    def planned(self, plan: Planned) -> set[str]:
        """A plan of the present graph came back. What runs at this moment stays as it is."""
        changed: set[str] = set()
        by_node: dict[str, list[Problem]] = {}
        for problem in plan.problems:
            by_node.setdefault(problem.node, []).append(problem)
        for id in plan.graph.nodes:
            if id in self.graph.nodes and not self._is_active(id):
                now = replace(self[id], problems=tuple(by_node.get(id, ())))
                now = _as_planned(now, plan.graph.nodes[id], plan.states.get(id, "run"), plan.found.get(id))
                changed |= self._put(id, now)
        return changed

    def event(self, event: Event) -> set[str]:
        """A run said something. Events of an older run and of nodes edited since are not shown."""
        if event.run_id != self.run_id:
            return set()
        if isinstance(event, RunStarted):
            return self._each(set(event.nodes) - self._edited, _queued)
        if isinstance(event, RunFinished):
            self.run_id = None
            return self._each(self._active(), lambda now: replace(now, state="cancelled", preview=""))
        id = event.node_id
        if id in self._edited or id not in self.graph.nodes:
            return set()
        if isinstance(event, Previewed) or (isinstance(event, Finished) and not event.reused):
            self.latest = id
        return self._put(id, _after(self[id], event))

    def expect(self, run_id: int) -> set[str]:
        """A run of the present graph was submitted: its events count from now on, those of older runs no more."""
        self.run_id, self._edited = run_id, set()
        return self._each(self._active(), _outdated)

    def weights_came(self) -> set[str]:
        """Nodes that failed for want of weights may be tried again."""
        lacked = {id for id, now in self.nodes.items() if now.error is not None and now.error.kind == "missing-weights"}
        blocked = {id for id, now in self.nodes.items() if now.state == "blocked" and not now.problems}
        return self._each(lacked | blocked, _outdated) if lacked else set()

    def _active(self) -> list[str]:
        return [id for id, now in self.nodes.items() if now.state in ACTIVE]

    def _is_active(self, id: str) -> bool:
        return self.run_id is not None and id not in self._edited and self[id].state in ACTIVE

    def _each(self, ids: Iterable[str], change: Callable[[Now], Now]) -> set[str]:
        changed: set[str] = set()
        for id in ids:
            if id in self.graph.nodes:
                changed |= self._put(id, change(self[id]))
        return changed

    def _put(self, id: str, now: Now) -> set[str]:
        if self[id] == now:
            return set()
        self.nodes[id] = now
        return {id}


_NOTHING = Now()
_WAITS = "It waits for a node that has a problem."


def _queued(now: Now) -> Now:
    return replace(now, state="queued", fraction=0.0, note="", error=None, reason="")


def _outdated(now: Now) -> Now:
    state = "stale" if now.outputs or now.state in DONE else "idle"
    return replace(now, state=state, error=None, reason="", notes=(), credits=(), preview="", fraction=0.0, note="")


def _as_planned(now: Now, node: Node, wanted: str, found: Now | None) -> Now:
    if now.problems:
        return replace(now, state=_unready(now.problems, node), error=None)
    if found is not None and wanted == "reuse":
        same = now.state in DONE and now.outputs == found.outputs
        return replace(found, state=now.state if same else "reused", seconds=now.seconds if same else found.seconds)
    if wanted == "blocked":
        return replace(now, state="blocked", reason=_WAITS)
    if now.state in ENDED_BADLY and now.reason != _WAITS:
        return now
    return replace(now, state="stale" if now.outputs else "idle", error=None, reason="")


def _unready(problems: Iterable[Problem], node: Node) -> str:
    """A node that was just added is no mistake: it only needs a link or a file."""
    if any(p.kind == UNKNOWN_TYPE for p in problems):
        return "missing"
    open_ends = all(
        p.kind == "missing-input" or (p.kind == "missing-file" and not node.params.get(p.socket_or_param))
        for p in problems
    )
    return "needs" if open_ends else "invalid"


def _after(now: Now, event: Started | Progressed | Previewed | Finished | Failed | Stopped | object) -> Now:
    if isinstance(event, Started):
        return replace(now, state="running", fraction=0.0, note="", error=None, reason="")
    if isinstance(event, Progressed):
        return replace(now, state="running", fraction=event.fraction, note=event.note)
    if isinstance(event, Previewed):
        return replace(now, preview=event.digest)
    if isinstance(event, Finished):
        state = "reused" if event.reused else "ran"
        return Now(state, event.seconds, dict(event.outputs), notes=event.notes, credits=event.credits)
    if isinstance(event, Failed):
        return replace(now, state="failed", seconds=event.seconds, error=event.error, preview="", fraction=0.0)
    if isinstance(event, Stopped):
        return replace(now, state=event.state, reason=event.because, preview="", fraction=0.0)
    return now
