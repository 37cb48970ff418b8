"""What the window promises about runs: progress, the forecast, the queue, edits during a run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import graph_file
from app.engine.events import ErrorInfo, Event, Failed, Finished, Progressed, RunFinished, RunStarted, Started, Stopped
from app.engine.graph import Graph, Link, Node
from app.ui import status
from app.ui.board import Planned
from app.ui.forecast import forecast
from app.ui.progress import Progress


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


def slow_chain(desk: Desk, seconds: float = 30.0) -> tuple[str, str]:
    a, s = desk.add("value"), desk.add("slow", seconds=seconds)
    desk.editor.link(Link(a, "out", s, "number"))
    return a, s


def random_run(seed: int) -> tuple[dict[str, float], list[Event]]:
    """A run of up to ten nodes, some timed before, some not, that end in every way; a crashed one begins again."""
    chance = random.Random(seed)
    ids = [f"n{i}" for i in range(chance.randint(1, 10))]
    expected = {id: chance.choice([0.0, 0.1, 5.0, 60.0]) for id in ids if chance.random() < 0.7}
    events: list[Event] = [RunStarted(1, tuple(ids))]
    for id in ids:
        for _ in range(chance.randint(1, 2)):
            events.append(Started(1, id))
            events += [Progressed(1, id, part / 4) for part in range(chance.randint(0, 5))]
        ends = (Finished(1, id, "k", (), False, 1.0), Failed(1, id, ErrorInfo("x", "x")), Stopped(1, id, "blocked"))
        events.append(chance.choice(ends))
        if chance.random() < 0.2:
            events += [Started(1, id), Progressed(1, id, 0.1), Finished(1, id, "k", (), False, 1.0)]
    return expected, [*events, RunFinished(1, chance.choice(["ok", "partial", "failed"]), 1.0)]


@pytest.mark.parametrize("seed", range(60))
def test_progress_never_falls_and_ends_at_all(seed: int) -> None:
    expected, events = random_run(seed)
    progress = Progress(expected)
    seen = []
    for now, event in enumerate(events):
        progress.event(event, float(now))
        seen.append(progress.fraction)
        left = progress.left(float(now))
        assert left is None or left >= 0
    assert seen == sorted(seen) and seen[-1] == 1.0 and seen[0] >= 0.0
    assert progress.done[0] == progress.done[1]


def test_time_left_is_what_the_nodes_took_before_and_no_waiting_is_in_it() -> None:
    progress = Progress({"a": 10.0, "b": 20.0, "c": 0.0})
    assert progress.left(500.0) is None, "it waits its turn"
    progress.event(RunStarted(1, ("c", "a", "b")), 1000.0)
    assert progress.left(1000.0) == 30.0
    progress.event(Finished(1, "c", "k", (), True, 3.0), 1000.0)
    progress.event(Started(1, "a"), 1000.0)
    assert progress.left(1004.0) == 26.0
    progress.event(Progressed(1, "a", 0.5), 1030.0)
    assert progress.left(1030.0) == 25.0, "a node that takes longer than ever is judged by its own progress"
    progress.event(Finished(1, "a", "k", (), False, 60.0), 1060.0)
    assert progress.left(1060.0) == 20.0
    progress.event(Finished(1, "b", "k", (), False, 20.0), 1080.0)
    assert progress.left(1080.0) == 0.0 and progress.fraction == 1.0


def test_a_node_never_timed_goes_by_its_own_pace() -> None:
    progress = Progress({"a": 10.0, "b": 20.0})
    progress.event(RunStarted(1, ("a", "new", "b")), 0.0)
    assert progress.left(0.0) == 45.0, "a node never timed counts as the usual one"
    progress.event(Finished(1, "a", "k", (), False, 10.0), 10.0)
    progress.event(Started(1, "new"), 10.0)
    assert progress.left(30.0) is None
    progress.event(Progressed(1, "new", 0.25), 40.0)
    assert progress.left(40.0) == pytest.approx(90.0 + 20.0)


def test_progress_of_one_run_never_shows_on_another(desk: Desk, qtbot: QtBot) -> None:
    _, s = slow_chain(desk)
    runs = desk.window.desk.runs
    desk.window.actions_by_id["run"].trigger()
    first = runs.run_id
    assert first is not None
    qtbot.waitUntil(lambda: desk.now(s).state == "running", timeout=10_000)
    desk.editor.set_param(s, "seconds", 20.0)
    desk.window.actions_by_id["run"].trigger()
    second = runs.progress
    late = [Progressed(first, s, 0.9, "old"), Finished(first, s, "k", (("out", "dead"),), False, 9.0)]
    runs.on_events([*late, RunFinished(first, "ok", 9.0)])
    assert runs.running and second.fraction == 0.0 and second.note != "old"
    assert desk.now(s).outputs == {} and "old" not in desk.window.run_bar.text.text()
    desk.window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: not runs.running)


def test_time_left_is_learned_per_node_type(desk: Desk, qtbot: QtBot) -> None:
    _, s = slow_chain(desk, 0.3)
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000):
        desk.window.actions_by_id["run"].trigger()
    desk.editor.set_param(s, "seconds", 0.31)
    qtbot.waitUntil(lambda: desk.window.desk.status.plan.expected.get(s, 0) > 0.2, timeout=10_000)
    other = desk.add("slow", seconds=0.2)
    desk.editor.link(Link("n1", "out", other, "number"))
    plan = desk.window.desk.status
    qtbot.waitUntil(lambda: plan.plan.expected.get(other) == plan.plan.expected[s], timeout=10_000)
    assert plan.plan.expected["n1"] == 0.0, "a result that is there takes no time"


@pytest.mark.parametrize(
    ("plan", "text", "fits"),
    [
        (Planned(Graph(), {}), "", True),
        (Planned(Graph(), {"a": "reuse", "b": "reuse"}), "all 2 ready", True),
        (Planned(Graph(), {"a": "run", "b": "reuse"}, seconds=12.2, peak_bytes=12 * 10**8, available_bytes=8 * 10**9),
         "1 to run, 1 ready · about 10 s · 1.2 GB", True),
        (Planned(Graph(), {"a": "run", "b": "blocked"}, seconds=2.0, unknown=1),
         "1 to run, 0 ready, 1 blocked · at least 2.0 s", True),
        (Planned(Graph(), {"a": "run"}, peak_bytes=40 * 10**9, available_bytes=12 * 10**9),
         "1 to run, 0 ready · 40.0 GB · will not fit: 12.0 GB are free", False),
        (Planned(Graph(), {"a": "run"}, peak_bytes=40 * 10**9), "1 to run, 0 ready · 40.0 GB", True),
    ],
)  # fmt: skip
def test_the_forecast_in_words(plan: Planned, text: str, fits: bool) -> None:
    assert (forecast(plan).text, forecast(plan).fits) == (text, fits)


def test_the_window_says_before_a_run_what_it_would_do(desk: Desk, qtbot: QtBot) -> None:
    _, s = slow_chain(desk, 0.3)
    desk.add("add")
    bar = desk.window.run_bar
    qtbot.waitUntil(lambda: bar.forecast.text() == "2 to run, 0 ready, 1 blocked")
    assert bar.forecast.isVisible() and "Never timed" in bar.forecast.toolTip()
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000):
        desk.window.actions_by_id["run"].trigger()
        assert not bar.forecast.isVisible()
    qtbot.waitUntil(lambda: bar.forecast.text() == "0 to run, 2 ready, 1 blocked")
    desk.editor.set_param(s, "seconds", 0.2)
    qtbot.waitUntil(lambda: bar.forecast.text().startswith("1 to run, 1 ready, 1 blocked · about 0.3 s"))
    assert bar.forecast.isVisible()


def test_a_run_that_will_not_fit_is_said_before_it_starts(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "available_bytes", lambda: 1000)
    planned = desk.window.desk.status.planned
    a = desk.add("value")
    with qtbot.waitSignal(planned):
        desk.window.desk.status.replan()
    plan = desk.window.desk.status.plan
    assert plan.available_bytes == 1000
    planned.emit(Planned(plan.graph, {a: "run"}, peak_bytes=2 * 10**9, available_bytes=10**9))
    assert "will not fit: 1.0 GB are free" in desk.window.run_bar.forecast.text()
    desk.window.desk.status.plan = Planned(plan.graph, {a: "run"}, peak_bytes=2 * 10**9, available_bytes=10**9)
    desk.window.actions_by_id["run"].trigger()
    assert "may not fit into memory" in desk.window.log.plain()
    assert desk.window.run_bar.forecast.property("role") == "bad"


def test_edits_during_a_run_leave_its_snapshot_alone_and_turn_stale(desk: Desk, qtbot: QtBot) -> None:
    a, s = slow_chain(desk, 0.5)
    w = desk.add("write")
    desk.editor.link(Link(s, "out", w, "number"))
    desk.editor.set_param(a, "value", 7.0)
    runs = desk.window.desk.runs
    with qtbot.waitSignal(runs.finished, timeout=20_000) as ended:
        desk.window.actions_by_id["run"].trigger()
        qtbot.waitUntil(lambda: desk.now(s).state == "running", timeout=10_000)
        desk.editor.set_param(a, "value", 8.0)
        assert desk.state(a) == "stale"
    assert ended.args[0] == "ok"
    assert (desk.window.desk.session.out / "number.txt").read_text() == "7"
    assert {desk.state(id) for id in (a, s, w)} <= {"stale", "idle"}
    desk.editor.undo_stack.undo()
    qtbot.waitUntil(lambda: [desk.state(id) for id in (a, s, w)] == ["reused"] * 3, timeout=10_000)


def names(desk: Desk) -> list[str]:
    panel = desk.window.queued.panel
    return [panel.list.item(row).text() for row in range(panel.list.count())]


def test_parameter_sets_are_queued_while_one_runs_each_with_its_own_results(desk: Desk, qtbot: QtBot) -> None:
    a, w = desk.add("value"), desk.add("write")
    desk.editor.link(Link(a, "out", w, "number"))
    desk.window.queued.queue.pause()
    for value in (1.0, 2.0, 3.0):
        desk.editor.set_param(a, "value", value)
        desk.window.actions_by_id["queue"].trigger()
    desk.editor.set_param(a, "value", 99.0)
    panel, queue = desk.window.queued.panel, desk.window.desk.queue
    assert desk.window.log.tabText(2) == "Queue (3)" and len(names(desk)) == 3
    panel.select(queue.waiting[2].number)
    panel.up.click()
    assert panel.selected == queue.waiting[1].number and panel.up.isEnabled() and panel.down.isEnabled()
    panel.pause.click()
    qtbot.waitUntil(lambda: queue.current is None and not queue.waiting, timeout=20_000)
    assert [entry.state for entry in queue.entries] == ["ok"] * 3
    out = desk.window.desk.session.out
    texts = [(folder / "number.txt").read_text() for folder in (out, out / "run 2", out / "run 3")]
    assert texts == ["1", "2", "3"]
    assert all("done" in name for name in names(desk)) and desk.window.log.tabText(2) == "Queue"
    panel.clear.click()
    assert names(desk) == []


def test_a_queued_run_shows_nothing_on_the_open_graph_while_it_runs(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    other = Graph({"n1": Node("n1", "toy.value", {"value": 5.0}), "n2": Node("n2", "toy.slow", {"seconds": 30.0})},
                  (Link("n1", "out", "n2", "number"),))  # fmt: skip
    graph_file.save(tmp_path / "other.graph", other)
    mine, _ = desk.add("value"), desk.add("slow")
    desk.answers.path = tmp_path / "other.graph"
    desk.window.queued.panel.files.click()
    queue = desk.window.desk.queue
    qtbot.waitUntil(lambda: bool(queue.current) and queue.current.state == "running", timeout=10_000)
    QTest.qWait(200)
    assert mine == "n1" and desk.state("n1") == "idle" and desk.state("n2") not in ("queued", "running")
    assert not desk.window.desk.runs.running and not desk.window.run_bar.cancel.isVisible()
    assert names(desk)[0].startswith("other   ") and "of 2" in names(desk)[0]
    desk.window.queued.panel.select(queue.entries[0].number)
    desk.window.queued.panel.remove.click()
    qtbot.waitUntil(lambda: queue.entries[0].state == "cancelled", timeout=10_000)


def test_running_by_hand_neither_cancels_nor_loses_the_queue(desk: Desk, qtbot: QtBot) -> None:
    _, s = slow_chain(desk, 0.3)
    desk.window.actions_by_id["queue"].trigger()
    queue, runs = desk.window.desk.queue, desk.window.desk.runs
    qtbot.waitUntil(lambda: bool(queue.current) and queue.current.state == "running", timeout=10_000)
    desk.editor.set_param(s, "seconds", 0.1)
    desk.window.actions_by_id["run"].trigger()
    assert desk.window.run_bar.text.text() == "Waits for the queued run of Untitled …"
    desk.window.actions_by_id["cancel"].trigger()
    desk.window.actions_by_id["run"].trigger()
    qtbot.waitUntil(lambda: not runs.running and queue.current is None, timeout=20_000)
    assert queue.entries[0].state == "ok" and runs.report.status == "ok"


def test_the_queue_of_a_closed_window_waits_paused_in_the_next_and_a_living_window_keeps_its_own(
    qtbot: QtBot, tmp_path: Path
) -> None:
    first = Desk(tmp_path)
    first.window.desk.queue.pause()
    first.add("value")
    first.window.queued.add()
    while_open = Desk(tmp_path)
    while_open.window.start()
    assert while_open.window.desk.queue.entries == ()
    while_open.close()
    first.close()
    second = Desk(tmp_path)
    second.window.start()
    queue = second.window.desk.queue
    assert [entry.name for entry in queue.waiting] == ["Untitled"] and queue.paused
    assert "1 run waits in the queue" in second.window.log.plain()
    second.window.queued.panel.pause.click()
    qtbot.waitUntil(lambda: queue.entries[0].state == "ok", timeout=20_000)
    second.close()
    assert not list(queue.file.parent.glob("*"))


def test_another_worker_takes_up_the_queue(desk: Desk, qtbot: QtBot) -> None:
    slow_chain(desk, 0.2)
    desk.window.actions_by_id["queue"].trigger()
    queue = desk.window.desk.queue
    qtbot.waitUntil(lambda: bool(queue.current) and queue.current.state == "running", timeout=10_000)
    desk.window.desk.reload()
    qtbot.waitUntil(lambda: queue.entries[0].state == "ok", timeout=20_000)


def test_the_log_file_tells_of_the_window_s_runs(desk: Desk, qtbot: QtBot) -> None:
    a = desk.add("value")
    b = desk.add("refuse")
    desk.editor.link(Link(a, "out", b, "number"))
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000):
        desk.window.actions_by_id["run"].trigger()
    book = desk.window.desk.logbook
    assert book.file is not None and book.file.parent == desk.settings.data / "logs"
    text = book.file.read_text("utf-8")
    assert "the window started with Polyloom" in text and "Untitled, 2 nodes" in text
    assert f"{a} (toy.value) ran in 0." in text and f"{b} (toy.refuse) failed after" in text
    assert "bad-input: The number is too round." in text and "ended: partial" in text
