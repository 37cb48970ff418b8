"""A thousand random steps in the real window: edit, run, queue, cancel, undo, save, reload. Nothing is ever lost.

A longer one: ``POLYLOOM_SOAK=100000 python -m pytest tests/ui/test_trust_soak.py --timeout=0``, with ``POLYLOOM_SEED``
for another course.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import Number, graph_file
from app.engine.graph import Graph, Link

STEPS = int(os.environ.get("POLYLOOM_SOAK", "1000"))
SEED = int(os.environ.get("POLYLOOM_SEED", "20260101"))
MOST_NODES = 14
CHECK_EVERY = 25
KINDS = ("value", "add", "warn", "write", "refuse")


class Soak:
    """Hands that do something at random, and eyes that know what must be true."""

    def __init__(self, desk: Desk, seed: int, file: Path) -> None:
        self.desk, self.chance, self.file = desk, random.Random(seed), file
        self.editor, self.window = desk.editor, desk.window
        self.saved: Graph | None = None
        self.done: dict[str, int] = {}
        self.hands: dict[str, tuple[int, Callable[[], None]]] = {
            "add": (6, self.add), "link": (9, self.link), "set": (10, self.set), "delete": (3, self.delete),
            "move": (3, self.move), "undo": (7, lambda: self.press("undo")), "redo": (4, lambda: self.press("redo")),
            "run": (9, lambda: self.press("run")), "run here": (3, self.run_here),
            "cancel": (5, lambda: self.press("cancel")), "queue": (2, lambda: self.press("queue")),
            "pause": (1, lambda: self.window.queued.toggle_pause()), "save": (4, self.save),
            "others": (1, self.others_save), "journal": (2, self.window.desk.session.write_journal),
            "duplicate": (2, self.duplicate), "bypass": (2, self.bypass), "select": (4, self.select),
        }  # fmt: skip

    @property
    def graph(self) -> Graph:
        return self.editor.graph

    def step(self) -> None:
        names = list(self.hands)
        [name] = self.chance.choices(names, [self.hands[name][0] for name in names])
        self.hands[name][1]()
        self.done[name] = self.done.get(name, 0) + 1
        QApplication.processEvents()

    def press(self, action: str) -> None:
        self.window.actions_by_id[action].trigger()

    def one(self) -> str:
        return self.chance.choice(list(self.graph.nodes)) if self.graph.nodes else ""

    def add(self) -> None:
        if len(self.graph.nodes) < MOST_NODES:
            self.desk.add(self.chance.choice(KINDS))

    def link(self) -> None:
        source, target = self.one(), self.one()
        if not source:
            return
        outputs, inputs = self.editor.spec(source).outputs, self.editor.spec(target).inputs
        if outputs and inputs:
            self.editor.link(Link(source, outputs[0].name, target, self.chance.choice(inputs).name))

    def set(self) -> None:
        id = self.one()
        if id:
            kind = self.graph.nodes[id].type
            if kind == "toy.value":
                self.editor.set_param(id, "value", float(self.chance.randint(0, 100)), self.chance.choice(["", "drag"]))
            elif kind == "toy.add":
                self.editor.set_param(id, "more", float(self.chance.randint(0, 100)))
            elif kind == "toy.write":
                self.editor.set_param(id, "path", f"{id}.txt")

    def delete(self) -> None:
        self.editor.delete([self.one()] if self.graph.nodes else [])

    def move(self) -> None:
        if self.graph.nodes:
            self.editor.move({self.one(): (float(self.chance.randint(-500, 500)), 0.0)})

    def duplicate(self) -> None:
        if 0 < len(self.graph.nodes) < MOST_NODES:
            self.editor.duplicate([self.one()])

    def bypass(self) -> None:
        id = self.one()
        if id:
            self.editor.set_bypass([id], not self.graph.nodes[id].bypass)

    def select(self) -> None:
        self.editor.select([self.one() for _ in range(self.chance.randint(0, 2))])

    def run_here(self) -> None:
        self.select()
        self.press("run_here")

    def save(self) -> None:
        self.desk.answers.on_conflict = self.chance.choice(["overwrite", "cancel", "reload"])
        before = self.graph
        clean = self.window.files.save()
        if clean:
            self.saved = before
        elif self.desk.answers.on_conflict == "reload":
            self.saved = graph_file.read(self.file)

    def others_save(self) -> None:
        """Another window writes the file."""
        if self.saved is not None:
            self.saved = self.saved.without_nodes(list(self.saved.nodes)[:1])
            graph_file.save(self.file, self.saved)

    def look(self) -> None:
        """What must be true at any moment."""
        graph, desk = self.graph, self.window.desk
        assert set(self.window.canvas.items.nodes) == set(graph.nodes)
        assert set(desk.status.board.nodes) <= set(graph.nodes)
        assert graph_file.loads(graph_file.dumps(graph)) == graph
        assert graph_file.read(self.file) == (self.saved if self.saved is not None else Graph())
        if desk.session.unsaved:
            desk.session.write_journal()
            assert desk.session.journal.file.exists()
        assert self.window.crashes.dialog is None


INPUTS = {"toy.add": ("first", "second"), "toy.value": ()}


def truth(graph: Graph) -> dict[str, float | None]:
    """What every node gives, computed a second time by a few plain lines; None for what cannot be."""
    found: dict[str, float | None] = {}

    def fed(id: str, name: str) -> tuple[bool, float | None]:
        """(whether anything feeds the input once bypassed nodes are stepped over, its number)"""
        source = next((link.source for link in graph.into.get(id, ()) if link.input == name), "")
        if not source or not graph.nodes[source].bypass:
            return bool(source), found.get(source)
        linked = {link.input for link in graph.into.get(source, ())}
        through = [name for name in INPUTS.get(graph.nodes[source].type, ("number",)) if name in linked]
        return fed(source, through[0]) if through and graph.nodes[source].type != "toy.write" else (False, None)

    for id in graph.order()[0]:
        node = graph.nodes[id]
        number = fed(id, "first" if node.type == "toy.add" else "number")[1]
        if node.type == "toy.value":
            found[id] = node.params["value"]
        elif node.type == "toy.warn":
            found[id] = number
        elif node.type == "toy.add":
            there, more = fed(id, "second")
            more = more if there else 0.0
            found[id] = None if number is None or more is None else number + more + node.params["more"]
    return found


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


def test_a_thousand_random_steps_lose_nothing(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "soak.graph"
    graph_file.save(file, Graph())
    assert desk.window.files.open_path(file)
    soak = Soak(desk, SEED, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.window, "isActiveWindow", lambda: False)
        threads = 0
        for number in range(STEPS):
            soak.step()
            if number % CHECK_EVERY == 0:
                soak.look()
            if number == min(100, STEPS // 2):
                threads = threading.active_count()
        work = desk.window.desk
        work.runs.cancel()
        work.queue.pause()
        qtbot.waitUntil(lambda: not work.runs.running and work.queue.current is None, timeout=60_000)
        soak.look()
        assert threading.active_count() <= threads + 2
        assert STEPS < 1000 or set(soak.done) == set(soak.hands), soak.done
    the_last_run_is_right(desk, qtbot)
    undone_and_done_again(desk)


def the_last_run_is_right(desk: Desk, qtbot: QtBot) -> None:
    """After all that, a run gives what plain arithmetic gives, node by node."""
    for value in (11.0, 31.0):
        desk.add("value", value=value)
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=60_000):
        desk.window.actions_by_id["run"].trigger()
    store, report, wanted = desk.window.desk.store(), desk.window.desk.runs.report, truth(desk.editor.graph)
    loaded = {id: store.load(digest) for id, result in report.nodes.items() for digest in result.outputs.values()}
    given = {id: value.value for id, value in loaded.items() if isinstance(value, Number)}
    asked = {id for id in wanted if report.nodes[id].state != "skipped"}
    assert len(given) >= 2
    assert given == {id: wanted[id] for id in asked if wanted[id] is not None}


def undone_and_done_again(desk: Desk) -> None:
    stack, end = desk.editor.undo_stack, desk.editor.graph
    count = stack.count()
    while stack.canUndo():
        stack.undo()
    assert desk.editor.graph == Graph() or count == stack.undoLimit()
    while stack.canRedo():
        stack.redo()
    assert desk.editor.graph == end and stack.count() == count
