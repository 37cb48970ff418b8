"""Keeps the board true: after each edit a plan is made on the helper thread, and worker events are taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.engine.errors import EngineError
from app.engine.events import Event, RunFinished, Stopped
from app.engine.graph import Graph
from app.engine.memory import available_bytes
from app.engine.plan import make_plan
from app.engine.registry import Registry
from app.engine.store import Store
from app.ui.background import Background
from app.ui.board import Board, Now, Planned
from app.ui.session import Session

PLAN_MS = 150


class Status(QObject):
    """``changed(set of ids)``: look at the board again. ``planned(Planned)``: a plan of the present graph is there."""

    changed = Signal(object)
    planned = Signal(object)

    def __init__(self, session: Session, store: Callable[[], Store], helper: Background) -> None:
        super().__init__(session)
        self.board = Board()
        self.plan = Planned(Graph(), {})
        self._session, self._store, self._helper = session, store, helper
        self._timer = QTimer(self, singleShot=True, interval=PLAN_MS)
        self._timer.timeout.connect(self._make)
        session.editor.opened.connect(self._on_opened)
        session.editor.changed.connect(self._on_changed)
        session.file_changed.connect(self.replan)

    def replan(self) -> None:
        """Look again soon: the graph, its folder or what the store holds may be different."""
        self._timer.start()

    def submitted(self, run_id: int) -> None:
        self._tell(self.board.expect(run_id))

    def weights_came(self) -> None:
        self._tell(self.board.weights_came())
        self.replan()

    def on_events(self, events: Iterable[Event]) -> None:
        changed: set[str] = set()
        for event in events:
            changed |= self.board.event(self._named(event))
            if isinstance(event, RunFinished):
                self.replan()
        self._tell(changed)

    def _named(self, event: Event) -> Event:
        """A node that waits names the one it waits for by its title."""
        editor = self._session.editor
        if not isinstance(event, Stopped) or event.because not in editor.graph.nodes:
            return event
        return replace(event, because=f"It waits for {editor.title(event.because)}, which gave no result.")

    def _on_opened(self) -> None:
        self.board.reset(Graph())

    def _on_changed(self, graph: Graph) -> None:
        self._tell(self.board.edited(graph))
        self.replan()

    def _make(self) -> None:
        graph, specs, base, store = self._session.editor.graph, self._session.editor.registry, self._base, self._store()
        self._helper.submit("plan", lambda: boiled_down(graph, specs, store, base), self._arrived)

    @property
    def looking(self) -> bool:
        """Whether a plan, which tells what is kept of the present graph, is still to come."""
        graph = self._session.editor.graph
        return bool(graph.nodes) and self.plan.graph is not graph

    @property
    def _base(self) -> Path:
        return self._session.base

    def _arrived(self, plan: Planned) -> None:
        if plan.graph is not self._session.editor.graph:
            return
        self.plan = plan
        self._tell(self.board.planned(plan))
        self.planned.emit(plan)

    def _tell(self, ids: set[str]) -> None:
        if ids:
            self.changed.emit(ids)


def boiled_down(graph: Graph, specs: Registry, store: Store, base: Path) -> Planned:
    """A plan and what the store already holds of it. Runs on the helper thread."""
    try:
        plan = make_plan(graph, specs, store, base)
    except EngineError:
        return Planned(graph, {})
    found = {
        step.node_id: Now("reused", e.seconds, dict(e.outputs), notes=e.notes, credits=step.credits(e))
        for step in plan.steps
        if (e := plan.entries.get(step.node_id)) is not None
    }
    expected = {id: seconds for id, seconds in plan.expected.items() if seconds > 0} | dict.fromkeys(plan.entries, 0.0)
    there = available_bytes()
    return Planned(
        graph, plan.states, plan.problems, found, expected, plan.seconds, plan.unknown, plan.peak_bytes, there
    )
