"""The small parts that need no window: board, changes, progress, helper thread, bridge, settings."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_nodes import registry

from app.engine.credits import Credit
from app.engine.events import ErrorInfo, Failed, Finished, Progressed, RunFinished, RunStarted, Started, Stopped
from app.engine.graph import Graph, Link, Node
from app.engine.validate import Problem
from app.ui.background import Background
from app.ui.board import Board, Now, Planned
from app.ui.bridge import Bridge
from app.ui.changes import changed_nodes, same_results, touched_nodes
from app.ui.dropped import opener_for
from app.ui.facts import family_title
from app.ui.progress import Progress, in_words
from app.ui.settings import RECENT, Settings
from app.ui.state_card import StateCard

OWL = Credit("<b>Owl</b>", "Jane", "CC0")
CHAIN = Graph(
    {id: Node(id, "toy.value", {"value": 1.0}) for id in "abc"},
    (Link("a", "out", "b", "value"), Link("b", "out", "c", "value")),
)


@pytest.fixture
def board() -> Board:
    made = Board()
    made.edited(CHAIN)
    return made


def states(board: Board) -> str:
    return " ".join(board[id].state for id in board.graph.nodes)


def test_an_edit_touches_what_follows_it() -> None:
    after = CHAIN.with_params("b", value=2.0)
    assert changed_nodes(CHAIN, after) == {"b"} and touched_nodes(CHAIN, after) == {"b", "c"}
    moved = CHAIN.with_node(replace(CHAIN.nodes["a"], at=(5.0, 5.0), title="New"))
    assert same_results(CHAIN, moved)
    assert touched_nodes(CHAIN, CHAIN.without_links([CHAIN.links[1]])) == {"c"}
    assert not same_results(CHAIN, CHAIN.without_nodes(["c"]))
    assert touched_nodes(CHAIN, CHAIN.with_node(replace(CHAIN.nodes["a"], bypass=True))) == {"a", "b", "c"}


def test_a_run_leads_from_queued_to_its_end(board: Board) -> None:
    board.expect(7)
    assert board.event(RunStarted(7, ("a", "b", "c"))) == {"a", "b", "c"}
    board.event(Started(7, "a"))
    board.event(Progressed(7, "a", 0.5, "half"))
    assert board["a"].fraction == 0.5 and states(board) == "running queued queued"
    board.event(Finished(7, "a", "key", (("out", "d1"),), False, 1.5, ("careful",), (OWL,)))
    board.event(Failed(7, "b", ErrorInfo("bad-input", "No.", "Try yes.")))
    board.event(Stopped(7, "c", "blocked", "B failed."))
    board.event(RunFinished(7, "partial", 2.0))
    assert states(board) == "ran failed blocked"
    assert board["a"].outputs == {"out": "d1"} and board["a"].notes == ("careful",)
    assert board["a"].credits == (OWL,)
    assert board["b"].message == "No." and board["c"].message == "B failed."


def test_the_card_says_what_a_result_was_made_from_as_plain_text(qtbot: QtBot) -> None:
    card = StateCard()
    qtbot.addWidget(card)
    card.show_now(Now("ran", 1.0, credits=(OWL, Credit("b.png"))))
    assert card.credits.text() == 'Credit: "<b>Owl</b>" by Jane, CC0\nCredit: "b.png", licence not stated'
    assert card.credits.textFormat() == Qt.TextFormat.PlainText and not card.text.isVisibleTo(card)
    card.show_now(Now("ran", 1.0))
    assert not card.credits.isVisibleTo(card)


def test_events_of_an_older_run_count_no_more(board: Board) -> None:
    board.expect(1)
    board.event(RunStarted(1, ("a", "b", "c")))
    board.event(Started(1, "a"))
    board.expect(2)
    assert states(board) == "idle idle idle"
    assert board.event(Finished(1, "a", "k", (("out", "old"),), False, 1.0)) == set()


def test_what_a_run_did_not_reach_is_cancelled(board: Board) -> None:
    board.expect(1)
    board.event(RunStarted(1, ("a", "b", "c")))
    board.event(RunFinished(1, "cancelled", 0.1))
    assert states(board) == "cancelled cancelled cancelled"


def test_a_plan_fills_in_what_the_store_holds(board: Board) -> None:
    found = {"a": Now("reused", 2.0, {"out": "d1"})}
    problem = Problem("c", "value", "bad-param", "Too much.")
    board.planned(Planned(CHAIN, {"a": "reuse", "b": "run", "c": "blocked"}, (problem,), found))
    assert states(board) == "reused idle invalid" and board["c"].message == "Too much."
    board.planned(Planned(CHAIN, {"a": "run", "b": "blocked", "c": "run"}))
    assert states(board) == "stale blocked idle"


def test_what_is_only_not_set_up_yet_is_no_error(board: Board) -> None:
    link = Problem("b", "mesh", "missing-input", "Link it.")
    file = Problem("c", "path", "missing-file", "Choose one.")
    board.planned(Planned(CHAIN, {}, (link, file)))
    assert states(board) == "idle needs needs" and board["c"].message == "Choose one."
    gone = replace(CHAIN.nodes["c"], params={"path": "gone.png"})
    board.edited(CHAIN.with_node(gone))
    board.planned(Planned(board.graph, {}, (link, Problem("b", "", "bad-param", "Too much."), file)))
    assert states(board) == "idle invalid invalid"


def test_a_plan_keeps_a_failure_until_something_changes(board: Board) -> None:
    board.expect(1)
    board.event(RunStarted(1, ("a",)))
    board.event(Failed(1, "a", ErrorInfo("bad-input", "No.")))
    board.event(RunFinished(1, "failed", 0.1))
    board.planned(Planned(CHAIN, {"a": "run", "b": "run", "c": "run"}))
    assert board["a"].state == "failed"
    board.edited(CHAIN.with_params("a", value=3.0))
    assert board["a"].state == "idle" and board["a"].error is None


def test_a_missing_type_is_told_apart_from_other_problems(board: Board) -> None:
    board.planned(Planned(CHAIN, {"a": "blocked"}, (Problem("a", "", "unknown-type", "Not installed."),)))
    assert board["a"].state == "missing"


def test_progress_weighs_nodes_by_their_expected_time() -> None:
    progress = Progress({"a": 9.0, "b": 1.0})
    progress.event(RunStarted(1, ("a", "b")), 0.0)
    progress.event(Finished(1, "b", "k", (), False, 1.0), 1.0)
    assert progress.fraction == pytest.approx(0.1) and progress.done == (1, 2)
    progress.event(Progressed(1, "a", 0.5, "half"), 6.0)
    assert progress.fraction == pytest.approx(0.55) and progress.left(11.0) == pytest.approx(4.5)


@pytest.mark.parametrize(("seconds", "words"), [(1, "5 s"), (33, "35 s"), (200, "3 min"), (4300, "1 h 12 min")])
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_the_newest_job_of_a_tag_wins_and_runs_off_the_window_thread(qapp: object, qtbot: QtBot) -> None:
    helper, gate, done = Background("test"), threading.Event(), list[object]()
    helper.submit("x", gate.wait, lambda _: None)
    for number in range(5):
        helper.submit("y", lambda number=number: (number, threading.current_thread().name), done.append)
    gate.set()
    qtbot.waitUntil(lambda: bool(done))
    assert done == [(4, "test")]
    helper.submit("z", lambda: 1 // 0, done.append, lambda error: done.append(type(error)))
    qtbot.waitUntil(lambda: done[-1] is ZeroDivisionError)
    helper.close()
    assert not any(thread.name == "test" for thread in threading.enumerate())


def test_the_bridge_keeps_order_and_thins_progress(qapp: object, qtbot: QtBot) -> None:
    bridge, seen = Bridge(), list[object]()
    bridge.arrived.connect(seen.extend)

    def chatter() -> None:
        bridge.post(Started(1, "a"))
        for step in range(1000):
            bridge.post(Progressed(1, "a", step / 1000))
        bridge.post(RunFinished(1, "ok", 1.0))

    thread = threading.Thread(target=chatter)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen) and isinstance(seen[-1], RunFinished))
    assert seen == [Started(1, "a"), Progressed(1, "a", 0.999), RunFinished(1, "ok", 1.0)]
    bridge.close()
    bridge.post(Started(1, "b"))
    qtbot.wait(20)
    assert len(seen) == 3


def test_settings_survive_a_restart(qapp: object, tmp_path: Path) -> None:
    one = Settings.at(tmp_path)
    one.device, one.auto_run, one.store_gb = "cpu", True, 3.5
    one.node_folders = (tmp_path / "a, b",)
    for number in range(RECENT + 3):
        one.opened(tmp_path / f"{number}.graph")
    one.opened(tmp_path / "9.graph")
    one.set_out_folder(tmp_path / "g.graph", tmp_path / "out")
    one.sync()
    two = Settings.at(tmp_path)
    assert (two.device, two.auto_run, two.store_gb) == ("cpu", True, 3.5)
    assert two.node_folders == (tmp_path / "a, b",)
    assert len(two.recent) == RECENT and two.recent[0].name == "9.graph" and len(set(two.recent)) == RECENT
    assert two.out_folder(tmp_path / "g.graph") == tmp_path / "out" and two.out_folder(None) is None


def test_openers_are_found_by_suffix() -> None:
    specs = registry()
    opener = opener_for(Path("A.JPG"), specs)
    assert opener is not None and (opener.type_id, opener.param, opener.kind) == ("toy.open_picture", "path", "image")
    assert opener_for(Path("a.xyz"), specs) is None


def test_words() -> None:
    assert family_title("image_to_3d") == "Image to 3D" and family_title("points") == "Points"
