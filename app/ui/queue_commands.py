"""Queued runs in the window: put graphs into the queue, show it, say what came of it, keep it between starts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import graph_file
from app.engine.errors import BadGraphFile
from app.engine.events import Event, Failed, RunFinished, RunStarted, Wrote
from app.engine.graph import Graph
from app.engine.migrations import adopt
from app.ui.badges import duration
from app.ui.changes import changed_nodes
from app.ui.journal import owner_lives
from app.ui.presenter import ENDINGS
from app.ui.queue_panel import QueuePanel

if TYPE_CHECKING:
    from app.ui.window import MainWindow

TAB = "Queue"


class QueueCommands:
    def __init__(self, window: MainWindow) -> None:
        self.window, self.desk, self.queue = window, window.desk, window.desk.queue
        self.panel = QueuePanel(self.queue)
        self._tab = window.log.addTab(self.panel, TAB)
        self.panel.add_wanted.connect(self.add)
        self.panel.files_wanted.connect(self.add_files)
        self.desk.queue_changed.connect(self._on_changed)
        self.desk.queue_said.connect(self._on_events)

    def add(self) -> None:
        """The graph on screen as it is now; later edits do not reach the queued run."""
        self.window.inspector.commit_typed()
        session = self.desk.session
        if session.editor.graph.nodes:
            out, name = self._free(session.out), self._name(session.name, session.editor.graph)
            self.queue.add(name, session.editor.graph, session.base, out)
            self._added(name, out)

    def add_files(self) -> None:
        path = self.window.dialogs.open_file("Queue a graph", (".graph",), None)
        if path is not None:
            self.add_file(path.resolve())

    def add_file(self, path: Path) -> None:
        try:
            graph = adopt(graph_file.read(path), self.desk.editor.registry)
        except BadGraphFile as error:
            self.window.say("error", f"{error.message} {error.advice}")
            return
        out = self._free(self.window.settings.out_folder(path) or path.parent / "out")
        self.queue.add(path.stem, graph, path.parent, out)
        self._added(path.stem, out)

    def toggle_pause(self) -> None:
        self.queue.resume() if self.queue.paused else self.queue.pause()

    def restore(self) -> None:
        """What earlier starts left waiting. A window that lives keeps its own."""
        for file in sorted(self.queue.file.parent.glob("*.queue")):
            lock = self.desk.session.journal.file.parent / f"{file.stem}.lock"
            if file != self.queue.file and not owner_lives(lock):
                found = self.queue.restore(file)
                if found:
                    runs = "1 run waits" if found == 1 else f"{found} runs wait"
                    self.window.say("warning", f"{runs} in the queue from the last time. The queue is paused.")
                    self.window.log.setCurrentWidget(self.panel)

    def _name(self, name: str, graph: Graph) -> str:
        """With the settings that differ from the run of this graph that was queued before, where these are few."""
        before = [entry.graph for entry in self.queue.entries if entry.name.split(" · ")[0] == name]
        changed = [
            f"{self.desk.editor.title(id)} {key.replace('_', ' ')} {value}"
            for id in (changed_nodes(before[-1], graph) if before else ())
            if id in before[-1].nodes
            for key, value in graph.nodes[id].params.items()
            if value != before[-1].nodes[id].params.get(key)
        ]
        return " · ".join([name, *changed]) if len(changed) <= 3 else name

    def _free(self, out: Path) -> Path:
        """The output folder, or a folder inside it when a listed run writes there: no run overwrites another's."""
        taken = {entry.out for entry in self.queue.entries}
        wanted, number = out.absolute(), 1
        while wanted in taken:
            number += 1
            wanted = out.absolute() / f"run {number}"
        return wanted

    def _added(self, name: str, out: Path) -> None:
        self.window.log.say("info", f"Queued {name}; its results go to {out}")

    def _on_changed(self) -> None:
        waiting = len(self.queue.waiting) + (self.queue.current is not None)
        self.window.log.setTabText(self._tab, f"{TAB} ({waiting})" if waiting else TAB)
        self.panel.refresh()

    def _on_events(self, events: Iterable[tuple[str, Path, Event]]) -> None:
        for name, out, event in events:
            if isinstance(event, RunStarted):
                self.panel.begin()
                self.window.log.say("dim", f"Queued run of {name} started: {len(event.nodes)} nodes")
            self.panel.take(event)
            if isinstance(event, Failed):
                text = f"{event.node_id}: {event.error.message} {event.error.advice}"
                self.window.log.say("error", f"Queued run of {name}: {text}".strip())
            elif isinstance(event, Wrote):
                self.window.log.say_wrote(out / event.path)
            elif isinstance(event, RunFinished):
                level, text = ENDINGS[event.status]
                self.window.log.say(level, f"Queued run of {name}: {text} · {duration(event.seconds)}")
