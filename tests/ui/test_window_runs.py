"""Running from the window: badges, errors, cancel, automatic re-runs, stored results, the viewer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import Image, Number
from app.engine.graph import Link
from app.ui.watch import LOADING, LOOKING, WORDS


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


def sum_of_two(desk: Desk) -> tuple[str, str, str]:
    a, b, c = desk.add("value", value=2.0), desk.add("value", value=3.0), desk.add("add")
    assert not desk.editor.link(Link(a, "out", c, "first")) and not desk.editor.link(Link(b, "out", c, "second"))
    return a, b, c


def run(desk: Desk, qtbot: QtBot, action: str = "run") -> str:
    """Presses a Run button and waits for the end; the status."""
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000) as ended:
        desk.window.actions_by_id[action].trigger()
    return str(ended.args[0])


def test_run_shows_badges_viewer_and_log(desk: Desk, qtbot: QtBot) -> None:
    a, b, c = sum_of_two(desk)
    assert run(desk, qtbot) == "ok"
    assert [desk.state(id) for id in (a, b, c)] == ["ran"] * 3
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 5.0)
    assert "Run finished" in desk.window.log.plain()
    assert not desk.window.actions_by_id["cancel"].isEnabled()


def test_how_a_run_ended_is_not_said_of_the_next_graph(desk: Desk, qtbot: QtBot) -> None:
    sum_of_two(desk)
    run(desk, qtbot)
    assert "Done" in desk.window.run_bar.text.text()
    desk.window.desk.session.new()
    assert "Ready" in desk.window.run_bar.text.text()


def test_second_run_reuses_and_an_edit_makes_stale_what_follows(desk: Desk, qtbot: QtBot) -> None:
    a, b, c = sum_of_two(desk)
    run(desk, qtbot)
    run(desk, qtbot)
    assert [desk.state(id) for id in (a, b, c)] == ["reused"] * 3
    desk.editor.set_param(a, "value", 9.0)
    assert [desk.state(id) for id in (a, b, c)] == ["stale", "reused", "stale"]
    desk.editor.undo_stack.undo()
    qtbot.waitUntil(lambda: desk.state(c) == "reused")


def test_moving_and_renaming_make_nothing_stale(desk: Desk, qtbot: QtBot) -> None:
    a, _, c = sum_of_two(desk)
    run(desk, qtbot)
    desk.editor.move({a: (500.0, 500.0)})
    desk.editor.rename(a, "Height")
    qtbot.wait(300)
    assert desk.state(a) == desk.state(c) == "ran"


def test_a_result_that_takes_its_time_is_said_to_be_loaded(desk: Desk, qtbot: QtBot) -> None:
    a, b, _ = sum_of_two(desk)
    run(desk, qtbot)
    desk.editor.select([a])
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 2.0)
    assert not desk.viewer.waits
    busy = Event()
    desk.window.desk.helper.submit("something long", lambda: busy.wait(20), lambda _: None)
    desk.editor.select([b])
    qtbot.waitUntil(lambda: desk.viewer.waits == [LOADING])
    assert desk.viewer.payload is None and LOADING in desk.window.watch_bar.text.text()
    busy.set()
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 3.0)
    assert LOADING not in desk.window.watch_bar.text.text()


def test_while_a_plan_looks_for_kept_results_nobody_says_that_there_are_none(desk: Desk, qtbot: QtBot) -> None:
    path = desk.folder / "kept.graph"
    sum_of_two(desk)
    run(desk, qtbot)
    desk.window.desk.session.save_as(path)
    desk.window.desk.session.new()
    busy = Event()
    desk.window.desk.helper.submit("something long", lambda: busy.wait(20), lambda _: None)
    seen = len(desk.viewer.seen)
    desk.window.desk.session.open(path)
    qtbot.waitUntil(lambda: desk.viewer.waits == [LOOKING])
    assert LOOKING in desk.window.watch_bar.text.text()
    busy.set()
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 5.0)
    assert set(map(type, desk.viewer.seen[seen:])) == {type(None), Number}
    assert LOOKING not in desk.window.watch_bar.text.text()


def test_of_a_graph_whose_end_has_no_result_the_last_one_that_has_is_shown(desk: Desk, qtbot: QtBot) -> None:
    *_, c = sum_of_two(desk)
    run(desk, qtbot)
    desk.editor.link(Link(c, "out", desk.add("add"), "first"))
    path = desk.folder / "longer.graph"
    desk.window.desk.session.save_as(path)
    desk.window.desk.session.new()
    desk.window.desk.session.open(path)
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 5.0)
    assert desk.window.watch.id == c


def test_a_failing_node_is_shown_everywhere_and_the_rest_goes_on(desk: Desk, qtbot: QtBot) -> None:
    a, _, c = sum_of_two(desk)
    bad, after = desk.add("refuse"), desk.add("add")
    desk.editor.link(Link(a, "out", bad, "number"))
    desk.editor.link(Link(bad, "out", after, "first"))
    assert run(desk, qtbot) == "partial"
    qtbot.wait(300)
    assert [desk.state(id) for id in (c, bad, after)] == ["ran", "failed", "blocked"]
    assert desk.window.canvas.badge(bad).message == "The number is too round."
    desk.editor.select([bad])
    card = desk.window.inspector.page.card
    assert card.text.text() == "The number is too round." and card.advice.text() == "Choose another number."
    assert "Refuse: The number is too round. Choose another number." in desk.window.log.plain()


def test_notes_of_a_node_are_shown(desk: Desk, qtbot: QtBot) -> None:
    a, w = desk.add("value"), desk.add("warn")
    desk.editor.link(Link(a, "out", w, "number"))
    run(desk, qtbot)
    assert desk.window.canvas.badge(w).notes == ("Used the fallback.",)
    desk.editor.select([w])
    assert "Used the fallback." in desk.window.inspector.page.card.text.text()


def test_run_to_here_runs_what_is_needed_only(desk: Desk, qtbot: QtBot) -> None:
    a, b, c = sum_of_two(desk)
    desk.editor.select([a])
    assert run(desk, qtbot, "run_here") == "ok"
    assert (desk.state(a), desk.state(b), desk.state(c)) == ("ran", "idle", "idle")


def test_cancel_ends_the_run_and_keeps_what_is_done(desk: Desk, qtbot: QtBot) -> None:
    a, s = desk.add("value"), desk.add("slow")
    desk.editor.link(Link(a, "out", s, "number"))
    runs = desk.window.desk.runs
    desk.window.actions_by_id["run"].trigger()
    qtbot.waitUntil(lambda: desk.now(s).fraction > 0, timeout=10_000)
    assert desk.window.run_bar.text.text().startswith("Slow · thinking")
    assert desk.window.run_bar.cancel.isVisible()
    with qtbot.waitSignal(runs.finished, timeout=10_000) as ended:
        desk.window.run_bar.cancel.click()
    assert ended.args[0] == "cancelled"
    assert (desk.state(a), desk.state(s)) == ("ran", "cancelled")
    assert not desk.window.run_bar.cancel.isVisible()


def test_where_there_is_no_result_the_viewer_says_why(desk: Desk, qtbot: QtBot) -> None:
    a, s, bad = desk.add("value"), desk.add("slow"), desk.add("refuse")
    desk.editor.link(Link(a, "out", s, "number"))
    desk.editor.link(Link(s, "out", bad, "number"))
    desk.editor.select([s])
    desk.window.actions_by_id["run"].trigger()
    qtbot.waitUntil(lambda: desk.viewer.waits[-1:] == [WORDS["running"]], timeout=10_000)
    desk.editor.select([bad])
    qtbot.waitUntil(lambda: desk.viewer.waits[-1] == WORDS["queued"])
    desk.window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: desk.viewer.waits[-1] == WORDS["cancelled"])
    desk.editor.set_param(s, "seconds", 0.01)
    assert run(desk, qtbot) == "partial"
    qtbot.waitUntil(lambda: desk.viewer.waits[-1] == WORDS["failed"])


def test_edits_during_a_run_are_allowed_and_shown_as_stale(desk: Desk, qtbot: QtBot) -> None:
    a, s = desk.add("value"), desk.add("slow")
    desk.editor.link(Link(a, "out", s, "number"))
    desk.window.actions_by_id["run"].trigger()
    qtbot.waitUntil(lambda: desk.now(s).state == "running", timeout=10_000)
    desk.editor.set_param(s, "seconds", 0.01)
    assert desk.state(s) == "idle"
    qtbot.wait(60)
    assert desk.state(s) == "idle", "events of the run that took the older graph are not shown on an edited node"
    desk.window.actions_by_id["cancel"].trigger()
    qtbot.waitUntil(lambda: not desk.window.desk.runs.running)


def test_automatic_run_waits_for_a_pause_and_the_newest_edit_wins(desk: Desk, qtbot: QtBot) -> None:
    a, _, c = sum_of_two(desk)
    started: list[int] = []
    runs = desk.window.desk.runs
    runs.started.connect(lambda: started.append(1))
    desk.window.actions_by_id["auto"].trigger()
    qtbot.waitUntil(lambda: desk.state(c) == "ran", timeout=10_000)
    started.clear()
    for number in range(10):
        desk.editor.set_param(a, "value", float(number))
    qtbot.waitUntil(lambda: bool(started) and not runs.running and desk.state(c) == "ran", timeout=10_000)
    assert len(started) == 1
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number) and desk.viewer.payload.value == 12.0)
    desk.editor.move({a: (900.0, 0.0)})
    qtbot.wait(600)
    assert len(started) == 1, "moving a node changes no result"


def test_automatic_run_cancels_the_one_under_way(desk: Desk, qtbot: QtBot) -> None:
    a, s = desk.add("value"), desk.add("slow")
    desk.editor.link(Link(a, "out", s, "number"))
    desk.window.actions_by_id["auto"].trigger()
    qtbot.waitUntil(lambda: desk.now(s).state == "running", timeout=10_000)
    desk.editor.set_param(s, "seconds", 0.02)
    qtbot.waitUntil(lambda: desk.state(s) == "ran", timeout=10_000)
    assert desk.settings.auto_run


def test_problems_are_found_before_a_run(desk: Desk, qtbot: QtBot) -> None:
    c, after = desk.add("add"), desk.add("warn")
    desk.editor.link(Link(c, "out", after, "number"))
    qtbot.waitUntil(lambda: desk.state(c) == "needs")
    qtbot.waitUntil(lambda: desk.state(after) == "blocked")
    assert desk.window.log.tabText(1) == "Problems (1)"
    assert "first" in desk.window.canvas.badge(c).message
    a = desk.add("value")
    desk.editor.link(Link(a, "out", c, "first"))
    qtbot.waitUntil(lambda: (desk.state(c), desk.state(after)) == ("idle", "idle"))
    qtbot.waitUntil(lambda: desk.window.log.tabText(1) == "Problems")


def test_viewer_follows_selection_and_pin_and_shows_previews(desk: Desk, qtbot: QtBot) -> None:
    p, a = desk.add("picture"), desk.add("value", value=7.0)
    desk.editor.select([p])
    run(desk, qtbot)
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Image) and desk.viewer.payload.size == (6, 4))
    desk.editor.select([a])
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Number))
    desk.window.actions_by_id["pin"].trigger()
    desk.editor.select([p])
    qtbot.wait(100)
    assert isinstance(desk.viewer.payload, Number)
    desk.window.watch_bar.pin.click()
    qtbot.waitUntil(lambda: isinstance(desk.viewer.payload, Image))


def test_a_node_takes_the_viewer_s_camera_in_one_undo_step(desk: Desk) -> None:
    a, b = desk.add("look"), desk.add("value")
    action = desk.window.actions_by_id["take_camera"]
    desk.editor.select([b])
    assert not action.isEnabled()
    desk.editor.select([a])
    assert action.isEnabled()
    action.trigger()
    assert "nothing in 3D yet" in desk.window.log.plain()
    before = dict(desk.editor.graph.nodes[a].params)
    seen = {"azimuth": -12.34567, "elevation": 5.0, "distance": 5000.0, "fov": 35.0}
    desk.viewer.looks = {**seen, "aim": "point", "aim_x": 1.0, "aim_y": 2.0}
    action.trigger()
    taken = {"azimuth": -12.3457, "elevation": 5.0, "distance": 100.0, "fov": 35.0, "aim": "point", "aim_x": 1.0}
    assert desk.editor.graph.nodes[a].params == {**before, **taken}
    desk.editor.undo_stack.undo()
    assert desk.editor.graph.nodes[a].params == before


def test_stored_results_are_there_after_a_restart_without_a_run(qtbot: QtBot, tmp_path: Path) -> None:
    first = Desk(tmp_path)
    sum_of_two(first)
    first.answers.path = tmp_path / "sum.graph"
    first.window.actions_by_id["save"].trigger()
    run(first, qtbot)
    first.close()
    second = Desk(tmp_path)
    second.window.show()
    pictures: list[str] = []
    second.window.thumbs.ready.connect(lambda id, image: pictures.append(id) if image else None)
    assert second.window.files.open_path(tmp_path / "sum.graph")
    qtbot.waitUntil(lambda: [second.state(f"n{i}") for i in (1, 2, 3)] == ["reused"] * 3)
    qtbot.waitUntil(lambda: isinstance(second.viewer.payload, Number) and second.viewer.payload.value == 5.0)
    qtbot.waitUntil(lambda: sorted(pictures) == ["n1", "n2", "n3"])
    second.close()


def test_written_files_are_listed_with_a_link(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    a, w = desk.add("value", value=4.0), desk.add("write")
    desk.editor.link(Link(a, "out", w, "number"))
    desk.answers.path = tmp_path / "results"
    desk.window.actions_by_id["out"].trigger()
    run(desk, qtbot)
    assert (tmp_path / "results" / "number.txt").read_text() == "4"
    assert "wrote number.txt" in desk.window.log.plain()


def test_settings_reload_the_worker(desk: Desk, qtbot: QtBot) -> None:
    _, _, c = sum_of_two(desk)
    run(desk, qtbot)
    old = desk.window.desk.worker
    desk.window.desk.reload()
    assert desk.window.desk.worker is not old
    assert run(desk, qtbot) == "ok"
    assert desk.state(c) == "reused"


def test_drawing_runs_the_source_first_and_edits_once_per_gesture(desk: Desk, qtbot: QtBot) -> None:
    p, d = desk.add("picture"), desk.add("draw")
    desk.editor.link(Link(p, "out", d, "image"))
    desk.editor.select([d])
    steps = desk.editor.undo_stack.count()
    row = desk.window.inspector.form.rows["box"]  # type: ignore[union-attr]
    row.button.click()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: desk.viewer.editing == ("rectangle", None), timeout=10_000)
    desk.viewer.drawn.emit("rectangle", (0.1, 0.2, 0.5, 0.6))
    assert desk.editor.graph.nodes[d].params["box"] == [0.1, 0.2, 0.5, 0.6]
    assert desk.editor.undo_stack.count() == steps + 1
    desk.editor.undo_stack.undo()
    assert desk.viewer.editing == ("rectangle", None)
    desk.window.inspector.form.rows["strokes"].button.click()  # type: ignore[union-attr, attr-defined]
    qtbot.waitUntil(lambda: desk.viewer.editing == ("strokes", ()))
    assert not row.button.isChecked(), "one thing is drawn at a time"  # type: ignore[attr-defined]
    desk.editor.select([p])
    assert desk.viewer.editing is None
