"""Edit, run, cancel, undo, save, at random: ``python tests/trust/soak.py --steps 20000 --seed 7``.

The editor and the worker process are the real ones, the nodes are toys. After every step the graph, the file on disk,
the report of a run and each of its outputs must be what plain Python says.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "engine"), str(ROOT / "tests" / "trust")]

from helpers import Bench, toys  # noqa: E402
from soak_oracle import Expected, Oracle  # noqa: E402

from app.engine.graph import Graph, Link, Node  # noqa: E402
from app.engine.graph_file import BACKUP_FOLDER, dumps, read, save  # noqa: E402
from app.engine.migrations import adopt  # noqa: E402
from app.engine.report import RunReport  # noqa: E402
from app.ui.editor import Editor  # noqa: E402

MOST_NODES, MOST_UNDO = 24, 900
OUTPUTS = {"split": ("whole", "rest")}
KINDS = ("constant", "constant", "add", "add", "add", "sign", "split", "sleep", "fail", "volatile", "read", "write")
EDITS = ("add", "add", "link", "link", "link", "param", "param", "bypass", "delete", "move", "copy", "unlink", "rename")
STEPS = {
    "edit": 50,
    "undo": 9,
    "redo": 6,
    "run": 18,
    "again": 4,
    "cancel": 4,
    "queue": 2,
    "save": 4,
    "open": 1,
    "file": 1,
}
RARE = {"crash": 250, "stubborn": 400}
DONE = ("ran", "reused")


class Soak:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, Random(seed)
        self.file, self.bench = folder / "work.graph", Bench(folder, in_process=False)
        self.editor = Editor(toys())
        self.history: dict[int, Graph] = {0: self.editor.graph}
        self.saved, self.count = Graph(), Counter[str]()
        save(self.file, self.saved)
        self._file()

    def step(self, number: int) -> None:
        rare = [name for name, every in RARE.items() if number % every == every - 1]
        kind = rare[0] if rare else self.rng.choices(list(STEPS), list(STEPS.values()))[0]
        self.count[kind] += 1
        getattr(self, f"_{kind}")()
        assert dumps(read(self.file)) == dumps(self.saved), "the file on disk is what was saved last"
        if self.editor.undo_stack.count() > MOST_UNDO:
            self._save()
            self._open()

    def _edit(self) -> None:
        nodes = list(self.editor.graph.nodes)
        kind = self.rng.choice(EDITS) if nodes else "add"
        if len(nodes) > MOST_NODES:
            kind = "delete"
        before = self.editor.undo_stack.index()
        getattr(self, f"_edit_{kind}")(nodes)
        after = self.editor.undo_stack.index()
        assert after - before in (0, 1), "an edit is one undo step or none"
        if after > before:
            self.history = {place: graph for place, graph in self.history.items() if place < after}
            self.history[after] = self.editor.graph

    def _edit_add(self, nodes: list[str]) -> None:
        kind, path = self.rng.choice(KINDS), self.rng.choice(("notes.txt", "notes.txt", "gone.txt"))
        params = {
            "constant": {"value": self._value()},
            "sleep": {"seconds": self.rng.randrange(4) / 100},
            "read": {"path": path},
            "write": {"path": f"w{self.rng.randrange(1000)}.txt"},
        }
        links = [Link(source, self._output(source), "", "a") for source in self.rng.sample(nodes, min(len(nodes), 1))]
        self.editor.add(f"toy.{kind}", (self.rng.randrange(999), self.rng.randrange(999)), params.get(kind), links)

    def _edit_link(self, nodes: list[str]) -> None:
        for _ in range(3):
            source, target = self.rng.choice(nodes), self.rng.choice(nodes)
            socket = self.rng.choice(("a", "a", "b", "plus", "value"))
            if not self.editor.link(Link(source, self._output(source), target, socket)):
                return

    def _edit_param(self, nodes: list[str]) -> None:
        id = self.rng.choice(nodes)
        name = {"constant": "value", "add": "plus"}.get(self._kind(id))
        if name:
            self.editor.set_param(id, name, self._value())

    def _edit_bypass(self, nodes: list[str]) -> None:
        id = self.rng.choice(nodes)
        if self._kind(id) in ("add", "sign"):
            self.editor.set_bypass([id], not self.editor.graph.nodes[id].bypass)

    def _edit_delete(self, nodes: list[str]) -> None:
        self.editor.delete(self.rng.sample(nodes, min(len(nodes), self.rng.choice((1, 1, 2, 5)))))

    def _edit_move(self, nodes: list[str]) -> None:
        self.editor.move({self.rng.choice(nodes): (self.rng.random() * 999, self.rng.random() * 999)})

    def _edit_copy(self, nodes: list[str]) -> None:
        some = self.rng.sample(nodes, min(len(nodes), 3))
        if self.rng.random() < 0.5:
            self.editor.duplicate(some)
        else:
            self.editor.paste(self.editor.copy(some), (5, 5))

    def _edit_unlink(self, _: list[str]) -> None:
        links = self.editor.graph.links
        if links:
            self.editor.unlink([self.rng.choice(links)])

    def _edit_rename(self, nodes: list[str]) -> None:
        self.editor.rename(self.rng.choice(nodes), self.rng.choice(("", "Größe", "b c", "n1")))

    def _undo(self) -> None:
        for _ in range(self.rng.choice((1, 1, 4))):
            self.editor.undo_stack.undo()
            assert self.editor.graph == self.history[self.editor.undo_stack.index()], "undo brings back what was"

    def _redo(self) -> None:
        for _ in range(self.rng.choice((1, 1, 4))):
            self.editor.undo_stack.redo()
            assert self.editor.graph == self.history[self.editor.undo_stack.index()], "redo brings back what was undone"

    def _run(self) -> None:
        graph, targets = self.editor.graph, self._targets()
        run_id = self.bench.start(graph, targets)
        for _ in range(self.rng.choice((0, 0, 1, 4))):
            self._edit()
        self._check(graph, targets, self.bench.wait(run_id))

    def _again(self) -> None:
        graph = self.editor.graph
        self._check(graph, None, self.bench.run(graph))
        second = self.bench.run(graph)
        self._check(graph, None, second)
        ran = {graph.nodes[id].type for id, node in second.nodes.items() if node.state == "ran"}
        assert ran <= {"toy.volatile"}, f"a second run executes nothing, but {ran} ran"

    def _cancel(self) -> None:
        graph = self.editor.graph
        run_id = self.bench.start(graph)
        time.sleep(self.rng.choice((0, 0.001, 0.005, 0.02)))
        self.bench.worker.cancel(run_id)
        self._check(graph, None, self.bench.wait(run_id))

    def _queue(self) -> None:
        """Three runs at once; one of them is cancelled."""
        graphs = [self.editor.graph]
        for _ in range(2):
            self._edit()
            graphs.append(self.editor.graph)
        runs = [self.bench.start(graph) for graph in graphs]
        gone = self.rng.randrange(3)
        self.bench.worker.cancel(runs[gone])
        for place, (graph, run_id) in enumerate(zip(graphs, runs, strict=True)):
            report = self.bench.wait(run_id)
            assert place == gone or report.status != "cancelled", "Cancel of one run hit another"
            self._check(graph, None, report)

    def _crash(self) -> None:
        graph = self.editor.graph.with_node(Node("x", "toy.crash", {}))
        self._check(graph, None, self.bench.run(graph))

    def _stubborn(self) -> None:
        """A node that never looks up is ended with its process; the next run works."""
        started = self.folder / "started"
        started.unlink(missing_ok=True)
        run_id = self.bench.start(Graph({"k": Node("k", "toy.block", {"started": str(started)})}))
        while not started.exists():
            time.sleep(0.005)
        self.bench.worker.cancel(run_id)
        assert self.bench.wait(run_id).nodes["k"].state == "cancelled"
        self._again()

    def _save(self) -> None:
        save(self.file, self.editor.graph)
        self.saved = self.editor.graph
        self.editor.set_clean()
        assert len(list((self.folder / BACKUP_FOLDER).glob("work.graph.*"))) <= 10

    def _open(self) -> None:
        self.editor.reset(adopt(read(self.file), self.editor.registry))
        assert self.editor.graph == self.saved, "what was saved is what is opened"
        self.history = {0: self.editor.graph}

    def _file(self) -> None:
        (self.folder / "notes.txt").write_text(f"note {self.rng.randrange(1000)}")

    def _kind(self, id: str) -> str:
        return self.editor.graph.nodes[id].type.removeprefix("toy.")

    def _output(self, id: str) -> str:
        return self.rng.choice(OUTPUTS.get(self._kind(id), ("out",)))

    def _value(self) -> float:
        return self.rng.choice(
            (0.0, 1.0, -2.5, 7.25, 1e6, self.rng.randrange(99) / 4, 2e6 if self.rng.random() < 0.1 else 3.0)
        )

    def _targets(self) -> tuple[str, ...] | None:
        nodes = list(self.editor.graph.nodes)
        return (self.rng.choice(nodes),) if nodes and self.rng.random() < 0.25 else None

    def _check(self, graph: Graph, targets: tuple[str, ...] | None, report: RunReport) -> None:
        expected = Oracle(graph, self.folder, targets).expect()
        cancelled = report.status == "cancelled"
        for id, result in report.nodes.items():
            allowed = {"ok": DONE, "skipped": ("skipped",)}.get(expected.states[id], (expected.states[id],))
            also = ("cancelled", "skipped", "blocked") if cancelled else ()
            assert result.state in (*allowed, *also), f"{id}: {result}, {expected.states[id]} was expected"
            assert (result.error is not None) == (result.state == "failed")
            if result.state in DONE:
                self._check_value(id, graph, report, expected)
        states = set(expected.states.values()) - {"skipped"}
        if not cancelled:
            good = "ok" if states <= {"ok"} else "partial" if "ok" in states else ("failed", "invalid")
            assert report.status in good, f"{report.status}, {good} was expected"

    def _check_value(self, id: str, graph: Graph, report: RunReport, expected: Expected) -> None:
        for output, value in expected.values[id].items():
            found = self.bench.value(report, id, output)
            if graph.nodes[id].type == "toy.write":
                assert found.contents[0].tobytes().decode() == value
            else:
                assert found.value == value, f"{id}.{output} is {found.value}, {value} was expected"
        self.count["values"] += 1


def soak(steps: int, seed: int) -> Counter[str]:
    """How often each kind of step was taken. Raises ``AssertionError`` that names the step."""
    with tempfile.TemporaryDirectory(prefix="polyloom-soak-") as name:
        one = Soak(Path(name), seed)
        with one.bench:
            for number in range(steps):
                try:
                    one.step(number)
                except Exception as error:
                    raise AssertionError(f"step {number} of seed {seed}: {error}\n{dumps(one.editor.graph)}") from error
                one.bench.events.clear()
                one.bench._reports.clear()
    return one.count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faulthandler.enable()
    begun = time.monotonic()
    print(dict(soak(options.steps, options.seed)), f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
