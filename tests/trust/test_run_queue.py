"""A queue of runs: in order, paused, reordered, resumed, and there again after a kill."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import TOYS, graph_of

from app.engine.events import Event, RunFinished, Started
from app.engine.graph import Graph
from app.engine.run_queue import RunQueue
from app.engine.worker import Setup, Worker

ROOT = Path(__file__).resolve().parents[2]


class Line:
    """A queue over a real worker; events are taken in by the test's own thread, as the window does it."""

    def __init__(self, folder: Path, in_process: bool = True) -> None:
        self.folder = folder
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.seen: list[Event] = []
        self.worker = Worker(Setup(folder / "store", (), (TOYS,), "cpu"), self.events.put, in_process)
        self.queue = RunQueue(folder / "queue.json", lambda: self.worker)

    def add(self, name: str, graph: Graph) -> int:
        return self.queue.add(name, graph, self.folder, self.folder / "out" / name)

    def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"{self.queue.entries}; {self.seen[-3:]}"
            try:
                event = self.events.get(timeout=0.05)
            except queue.Empty:
                continue
            self.seen.append(event)
            self.queue.take(event)

    def states(self) -> dict[str, str]:
        return {entry.name: entry.state for entry in self.queue.entries}

    def order(self) -> list[str]:
        return [entry.name for entry in self.queue.waiting]

    def idle(self) -> bool:
        return self.queue.current is None and not self.queue.waiting


@pytest.fixture
def line(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Line]:
    made = Line(tmp_path, getattr(request, "param", True))
    yield made
    made.worker.close()


def number(value: float) -> Graph:
    nodes = (("n", "constant", {"value": value}), ("w", "write", {"path": "n.txt"}))
    return graph_of(*nodes, links=(("n", "out", "w", "a"),))


def slow(started: Path, seconds: float = 60.0) -> Graph:
    return graph_of(("s", "sleep", {"seconds": seconds, "started": str(started)}))


def test_several_parameter_sets_run_one_after_the_other_each_with_its_own_snapshot(line: Line) -> None:
    for value in (1.0, 2.0, 3.0):
        line.add(f"{value:g}", number(value))
    assert [entry.state for entry in line.queue.entries] == ["handed", "waiting", "waiting"]
    line.until(line.idle)
    assert line.states() == {"1": "ok", "2": "ok", "3": "ok"}
    assert [(line.folder / "out" / name / "n.txt").read_text() for name in "123"] == ["1\n", "2\n", "3\n"]
    ends = [event.run_id for event in line.seen if isinstance(event, RunFinished)]
    assert ends == sorted(ends) and not line.queue.file.exists()


@pytest.mark.parametrize("line", [True, False], ids=["thread", "process"], indirect=True)
def test_paused_reordered_and_resumed(line: Line, tmp_path: Path) -> None:
    first = line.add("first", slow(tmp_path / "started"))
    line.until((tmp_path / "started").exists)
    line.until(lambda: line.states()["first"] == "running")
    line.queue.pause()
    a, b, c = (line.add(name, number(value)) for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    line.queue.move(c, -9)
    line.queue.move(a, 1)
    assert line.order() == ["c", "b", "a"] and line.states()["first"] == "running"
    line.queue.reorder([b])
    assert line.order() == ["b", "c", "a"]
    line.queue.remove(c)
    line.queue.remove(first)
    line.until(lambda: line.states()["first"] == "cancelled")
    assert line.order() == ["b", "a"] and line.queue.current is None
    line.queue.resume()
    line.until(line.idle)
    assert line.states() == {"first": "cancelled", "b": "ok", "a": "ok"}
    assert (tmp_path / "out" / "b" / "n.txt").stat().st_mtime_ns <= (
        tmp_path / "out" / "a" / "n.txt"
    ).stat().st_mtime_ns
    line.queue.forget_ended()
    assert line.queue.entries == ()


def test_a_run_by_hand_comes_next_and_the_queue_goes_on_after_it(line: Line, tmp_path: Path) -> None:
    line.add("long", slow(tmp_path / "started", 0.5))
    line.add("later", number(1.0))
    line.until(lambda: line.states()["long"] == "running")
    by_hand = line.worker.submit(number(9.0), tmp_path, tmp_path / "hand")
    line.until(line.idle)
    ends = [event.run_id for event in line.seen if isinstance(event, RunFinished)]
    assert ends[1] == by_hand and len(ends) == 3 and not line.queue.owns(by_hand)


@pytest.mark.parametrize("line", [True, False], ids=["thread", "process"], indirect=True)
def test_pause_takes_back_what_the_worker_has_not_begun_and_cancels_nobody_else(line: Line, tmp_path: Path) -> None:
    by_hand = line.worker.submit(slow(tmp_path / "started"), tmp_path, tmp_path)
    line.until((tmp_path / "started").exists)
    line.add("a", number(1.0))
    assert line.states() == {"a": "handed"}
    line.queue.pause()
    assert line.states() == {"a": "waiting"}
    line.queue.resume()
    line.worker.cancel(by_hand)
    line.until(line.idle)
    assert line.states() == {"a": "ok"}
    ends = [event.status for event in line.seen if isinstance(event, RunFinished) and event.run_id == by_hand]
    assert ends == ["cancelled"]


def test_a_failed_run_does_not_stop_the_next(line: Line) -> None:
    line.add("bad", graph_of(("f", "fail", {})))
    line.add("good", number(1.0))
    line.until(line.idle)
    assert line.states() == {"bad": "failed", "good": "ok"}


def test_a_new_worker_takes_up_what_the_old_one_had(line: Line, tmp_path: Path) -> None:
    line.add("long", slow(tmp_path / "started", 0.2))
    line.add("later", number(1.0))
    line.until(lambda: line.states()["long"] == "running")
    line.queue.worker_gone()
    line.worker.close()
    assert line.order() == ["long", "later"]
    while not line.events.empty():
        line.events.get()
    line.worker = Worker(Setup(tmp_path / "store", (), (TOYS,), "cpu"), line.events.put, in_process=True)
    line.queue.go_on()
    line.until(line.idle)
    assert line.states() == {"long": "ok", "later": "ok"}


def test_the_queue_is_there_again_after_a_kill_and_starts_nothing_by_itself(line: Line, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "sys.path[:0] = ['.', 'tests/engine', 'tests/trust']\n"
        "from test_run_queue import Line, number, slow\n"
        "folder = Path(sys.argv[1]); line = Line(folder)\n"
        "line.add('long', slow(folder / 'started'))\n"
        "line.until((folder / 'started').exists)\n"
        "line.add('a', number(1.0)); b = line.add('b', number(2.0)); line.queue.move(b, -1)\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert line.queue.restore(line.queue.file) == 3
    assert line.order() == ["long", "b", "a"] and line.queue.paused
    assert not any(isinstance(event, Started) for event in line.seen) and line.events.empty()
    assert line.queue.waiting[1].graph == number(2.0) and line.queue.waiting[1].out == tmp_path / "out" / "b"
    line.queue.remove(line.queue.waiting[0].number)
    line.queue.resume()
    line.until(line.idle)
    assert (tmp_path / "out" / "b" / "n.txt").read_text() == "2\n"
    assert not line.queue.file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": [{}]}', '{"runs": [{"name": 1, "graph": "x"}]}'])
def test_a_damaged_queue_file_is_set_aside(line: Line, text: str) -> None:
    line.queue.file.write_text(text)
    assert line.queue.restore(line.queue.file) == 0 and line.queue.entries == ()
    assert line.queue.file.with_suffix(".unreadable").read_text() == text


def test_a_disk_that_refuses_is_said_and_the_queue_goes_on(tmp_path: Path) -> None:
    line = Line(tmp_path)
    (tmp_path / "file").write_text("")
    line.queue.file = tmp_path / "file" / "queue.json"
    line.add("a", number(1.0))
    assert "cannot be kept" in line.queue.trouble
    line.until(line.idle)
    assert line.states() == {"a": "ok"}
    line.worker.close()


@pytest.mark.parametrize("line", [False], ids=["process"], indirect=True)
def test_a_crash_costs_one_node_and_the_queue_goes_on(line: Line, tmp_path: Path) -> None:
    line.add("bad", graph_of(("x", "crash", {}), ("n", "constant", {})))
    line.add("good", number(1.0))
    line.until(line.idle)
    assert line.states() == {"bad": "partial", "good": "ok"}
