"""What the window promises about files: other programs, other windows, a kill, places outside the output folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from window_kit import Desk
from window_nodes import registry

from app.engine import graph_file
from app.engine.graph import Graph, Node
from app.ui.editor import Editor
from app.ui.session import JOURNAL_MS, Session
from app.ui.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OTHERS = Graph({"n7": Node("n7", "toy.value", {"value": 7.0})})
EDITING = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
sys.path[:0] = [{root!r}, {here!r}]
from window_nodes import registry
from app.ui.editor import Editor
from app.ui.session import Session
from app.ui.settings import Settings
app = QCoreApplication([])
editor = Editor(registry())
session = Session(editor, Settings.at(Path({home!r})))
id = editor.add("toy.value", (10, 20))
timer = QTimer()
timer.timeout.connect(lambda: editor.set_param(id, "value", time.monotonic() % 1e6))
timer.start(20)
print("editing", flush=True)
app.exec()
"""


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


@pytest.fixture
def file(desk: Desk, tmp_path: Path) -> Path:
    """The open graph, saved."""
    desk.add("value", value=1.0)
    desk.answers.path = tmp_path / "chair.graph"
    desk.window.actions_by_id["save_as"].trigger()
    desk.answers.asked.clear()
    return desk.answers.path


def values(graph: Graph) -> dict[str, float]:
    return {id: node.params["value"] for id, node in graph.nodes.items()}


def test_saving_over_what_another_program_wrote_asks_and_cancel_leaves_it(desk: Desk, file: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.window.actions_by_id["save"].trigger()
    assert desk.answers.asked == ["conflict chair.graph"]
    assert graph_file.read(file) == OTHERS and values(desk.editor.graph) == {"n1": 2.0}
    assert desk.window.isWindowModified()


def test_overwriting_is_a_choice_and_keeps_a_backup(desk: Desk, file: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.answers.on_conflict = "overwrite"
    desk.window.actions_by_id["save"].trigger()
    assert values(graph_file.read(file)) == {"n1": 2.0} and not desk.window.isWindowModified()
    backups = [graph_file.read(path) for path in (file.parent / graph_file.BACKUP_FOLDER).iterdir()]
    assert OTHERS in backups
    desk.editor.set_param("n1", "value", 3.0)
    desk.window.actions_by_id["save"].trigger()
    assert values(graph_file.read(file)) == {"n1": 3.0} and desk.answers.asked == ["conflict chair.graph"]


def test_save_as_leaves_the_file_of_the_other_program(desk: Desk, file: Path, tmp_path: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.answers.on_conflict, desk.answers.path = "save_as", tmp_path / "mine.graph"
    desk.window.actions_by_id["save"].trigger()
    assert graph_file.read(file) == OTHERS and values(graph_file.read(tmp_path / "mine.graph")) == {"n1": 2.0}


def test_a_reload_instead_of_saving_can_be_undone(desk: Desk, file: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.answers.on_conflict = "reload"
    desk.window.actions_by_id["save"].trigger()
    assert values(desk.editor.graph) == {"n7": 7.0} and not desk.window.isWindowModified()
    desk.editor.undo_stack.undo()
    assert values(desk.editor.graph) == {"n1": 2.0} and desk.window.isWindowModified()
    assert graph_file.read(file) == OTHERS


def test_closing_with_save_does_not_overwrite_either(desk: Desk, file: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.answers.on_unsaved = "save"
    desk.window.close()
    assert desk.window.isVisible() and graph_file.read(file) == OTHERS
    assert desk.answers.asked == ["unsaved chair", "conflict chair.graph"]


@pytest.mark.parametrize("reload", [False, True])
def test_a_change_by_others_is_noticed_once_and_an_unmodified_graph_offers_a_reload(
    desk: Desk, file: Path, qtbot: QtBot, reload: bool
) -> None:
    desk.answers.on_sure = reload
    graph_file.save(file, OTHERS)
    desk.window.files.look_at_disk()
    desk.window.files.look_at_disk()
    assert len(desk.answers.asked) == 1 and "chair.graph" in desk.answers.asked[0]
    assert values(desk.editor.graph) == ({"n7": 7.0} if reload else {"n1": 1.0})
    assert not desk.window.isWindowModified()
    graph_file.save(file, Graph())
    desk.window.files.look_at_disk()
    assert len(desk.answers.asked) == 2


def test_a_change_by_others_under_unsaved_edits_is_said_and_nothing_is_asked(desk: Desk, file: Path) -> None:
    desk.editor.set_param("n1", "value", 2.0)
    graph_file.save(file, OTHERS)
    desk.window.files.look_at_disk()
    assert desk.answers.asked == [] and values(desk.editor.graph) == {"n1": 2.0}
    assert "Saving will ask" in desk.window.log.plain()


def test_the_file_is_watched_through_replacements_and_our_own_saves_are_no_news(
    desk: Desk, file: Path, qtbot: QtBot
) -> None:
    watch = desk.window.files.watch
    stirred: list[int] = []
    watch.stirred.connect(lambda: stirred.append(1))
    desk.editor.set_param("n1", "value", 2.0)
    desk.window.actions_by_id["save"].trigger()
    qtbot.wait(600)
    assert stirred == [] and watch.state() == "same"
    for number in range(3):
        with qtbot.waitSignal(watch.stirred, timeout=10_000):
            graph_file.save(file, Graph({"n1": Node("n1", "toy.value", {"value": 50.0 + number})}))
        assert watch.state() == "changed"


def test_a_file_that_was_only_touched_is_no_news(desk: Desk, file: Path) -> None:
    os.utime(file, (1, 1))
    desk.window.files.look_at_disk()
    desk.editor.set_param("n1", "value", 2.0)
    desk.window.actions_by_id["save"].trigger()
    assert desk.answers.asked == [] and values(graph_file.read(file)) == {"n1": 2.0}


def test_a_file_that_is_gone_is_said_and_saved_again(desk: Desk, file: Path) -> None:
    file.unlink()
    desk.window.files.look_at_disk()
    assert "no longer there" in desk.window.log.plain()
    desk.editor.set_param("n1", "value", 2.0)
    desk.window.actions_by_id["save"].trigger()
    assert desk.answers.asked == [] and values(graph_file.read(file)) == {"n1": 2.0}


def test_a_damaged_file_is_not_loaded_over_the_graph_on_screen(desk: Desk, file: Path) -> None:
    file.write_text("{ cut short")
    desk.answers.on_sure = True
    desk.window.files.look_at_disk()
    assert values(desk.editor.graph) == {"n1": 1.0} and "cannot be loaded again" in desk.answers.asked[-1]


def test_two_windows_on_one_file_never_overwrite_each_other(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "shared.graph"
    graph_file.save(file, Graph({"n1": Node("n1", "toy.value", {"value": 1.0})}))
    one, two = Desk(tmp_path), Desk(tmp_path)
    for desk, value in ((one, 10.0), (two, 20.0)):
        assert desk.window.files.open_path(file)
        desk.editor.set_param("n1", "value", value)
    one.window.actions_by_id["save"].trigger()
    assert values(graph_file.read(file)) == {"n1": 10.0} and one.answers.asked == []
    two.window.actions_by_id["save"].trigger()
    assert values(graph_file.read(file)) == {"n1": 10.0} and two.answers.asked == ["conflict shared.graph"]
    two.answers.on_conflict = "overwrite"
    two.window.actions_by_id["save"].trigger()
    one.answers.on_sure = True
    one.window.files.look_at_disk()
    assert values(one.editor.graph) == {"n1": 20.0}
    one.close()
    two.close()


def editing_elsewhere(home: Path) -> subprocess.Popen[str]:
    text = EDITING.format(root=str(ROOT), here=str(ROOT / "tests" / "ui"), home=str(home))
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "editing\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_kill_amid_constant_editing_loses_at_most_ten_seconds(qapp: object, qtbot: QtBot, tmp_path: Path) -> None:
    """An edit every 20 ms never puts the journal off; each edit writes the time it was made into the graph."""
    assert JOURNAL_MS <= 5_000
    home = tmp_path / "home"
    process = editing_elsewhere(home)
    time.sleep(2 * JOURNAL_MS / 1000 + 1)
    killed = time.monotonic() % 1e6
    kill(process)
    session = Session(Editor(registry()), Settings.at(home))
    [left] = session.journal.left_behind()
    assert 0 <= killed - left.graph.nodes["n1"].params["value"] <= 10
    session.close()


def test_two_instances_never_take_each_other_s_journal(qapp: object, qtbot: QtBot, tmp_path: Path) -> None:
    home = tmp_path / "home"
    one, two = editing_elsewhere(home), editing_elsewhere(home)
    try:
        qtbot.waitUntil(lambda: len(list((home / "data" / "journal").glob("*.journal"))) == 2, timeout=20_000)
        third = Session(Editor(registry()), Settings.at(home))
        assert third.journal.left_behind() == []
        kill(one)
        [left] = third.journal.left_behind()
        assert f"-{one.pid:x}-" in left.journal.name
        assert third.journal.left_behind() == [left], "asking later does not lose it"
        third.recover(left)
        third.close()
        assert [f"-{two.pid:x}-" in path.name for path in (home / "data" / "journal").glob("*.journal")] == [True]
    finally:
        for process in (one, two):
            if process.poll() is None:
                kill(process)
