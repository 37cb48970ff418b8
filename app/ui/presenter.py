"""Shows what the board and the worker say: badges, progress, thumbnails, inspector, log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QTimer

from app.engine.events import Event, Failed, Finished, RunFinished, RunStarted, Wrote
from app.ui.badges import Badge, State, duration
from app.ui.board import Now, Planned
from app.ui.forecast import forecast

if TYPE_CHECKING:
    from app.ui.window import MainWindow

WORTH_A_LINE_S = 0.01
ENDINGS = {
    "ok": ("good", "Run finished"),
    "partial": ("warning", "Run finished in part: some nodes failed"),
    "failed": ("error", "Run failed"),
    "cancelled": ("dim", "Run cancelled"),
    "invalid": ("error", "Not run: the graph has problems, see the list of problems"),
}


class Presenter(QObject):
    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.desk = window, window.desk
        self._fresh = False
        self.desk.editor.opened.connect(self._on_opened)
        self.desk.editor.registry_changed.connect(self._on_registry)
        self.desk.status.changed.connect(self.show_nodes)
        self.desk.status.planned.connect(self._on_planned)
        self.desk.bridge.arrived.connect(self._on_events)
        self.tell_broken()

    def show_nodes(self, ids: set[str]) -> None:
        """These nodes are in another state than before."""
        window, board = self.window, self.desk.status.board
        for id in ids:
            now = board[id]
            window.canvas.set_badge(id, badge_of(now))
            if now.state == "running":
                window.canvas.set_progress(id, now.fraction, now.note)
            window.thumbs.want(id, now.preview or next(iter(now.outputs.values()), ""))
        window.inspector.show_state(ids)

    def _on_events(self, events: Iterable[Event]) -> None:
        for event in events:
            if not self.desk.queue.owns(event.run_id):
                self.log_event(event)

    def log_event(self, event: Event) -> None:
        say = self.window.log.say
        if isinstance(event, RunStarted) and event.nodes:
            say("dim", f"Run started: {len(event.nodes)} nodes" if len(event.nodes) > 1 else "Run started: 1 node")
        elif isinstance(event, Finished):
            for note in event.notes:
                say("warning", note, event.node_id, self.title(event.node_id))
            if not event.reused and event.seconds >= WORTH_A_LINE_S:
                say("info", f"done in {duration(event.seconds)}", event.node_id, self.title(event.node_id))
        elif isinstance(event, Failed):
            text = f"{event.error.message} {event.error.advice}".strip()
            say("error", text, event.node_id, self.title(event.node_id))
        elif isinstance(event, Wrote):
            self.window.log.say_wrote(self.desk.runs.out / event.path)
        elif isinstance(event, RunFinished):
            level, text = ENDINGS[event.status]
            say(level, f"{text} · {duration(event.seconds)}" if event.seconds else text)

    def title(self, id: str) -> str:
        return self.desk.editor.title(id) if id in self.desk.editor.graph.nodes else id

    def tell_broken(self) -> None:
        """Node files that could not be loaded, and a store that could not be used."""
        if self.desk.trouble:
            self.window.say("warning", self.desk.trouble)
            self.desk.trouble = ""
        for broken in self.desk.editor.registry.broken:
            self.window.log.say("error", f"Node file {broken.place} was not loaded: {broken.message}")

    def _on_planned(self, plan: Planned) -> None:
        self.window.run_bar.show_forecast(forecast(plan))
        self.window.log.show_problems(plan.problems, self.title)
        if self._fresh:
            for problem in plan.problems:
                self.window.log.say("warning", problem.message, problem.node, self.title(problem.node))
        self._fresh = False

    def _on_opened(self) -> None:
        self.window.thumbs.reset()
        self.desk.artist.forget()
        QTimer.singleShot(0, self.window.canvas, self.window.canvas.fit)
        self._fresh = True

    def _on_registry(self) -> None:
        self.window.library.show_registry(self.desk.editor.registry)
        self.tell_broken()


def badge_of(now: Now) -> Badge:
    """The board's knowledge of a node as the canvas draws it."""
    took = now.seconds if now.state in ("ran", "failed") else None
    return Badge(cast(State, now.state), took, now.message, now.notes)
