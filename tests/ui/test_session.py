"""The open document: save, save as, the journal, recovery after a kill. No window needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from window_nodes import registry

from app.engine import graph_file
from app.engine.errors import BadGraphFile, CannotWrite
from app.engine.graph import Graph
from app.ui.editor import Editor
from app.ui.journal import Journal
from app.ui.session import Session
from app.ui.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CRASHING = """
import os, sys
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
if {file!r}:
    session.open(Path({file!r}))
editor.add("toy.value", (10, 20), {{"value": 42.0}})
print("edited", flush=True)
app.exec()
"""


@pytest.fixture
def session(qapp: object, tmp_path: Path) -> Session:
    return Session(Editor(registry()), Settings.at(tmp_path / "home"))


def test_save_open_and_unsaved_mark(session: Session, tmp_path: Path) -> None:
    marks: list[bool] = []
    session.unsaved_changed.connect(marks.append)
    session.editor.add("toy.value", (0, 0), {"value": 5.0})
    assert session.unsaved and marks == [True]
    session.save_as(tmp_path / "a.graph")
    assert not session.unsaved and marks == [True, False]
    session.editor.add("toy.value", (0, 0))
    session.editor.undo_stack.undo()
    assert not session.unsaved, "undo back to what was saved is saved"
    session.new()
    assert not session.editor.graph.nodes and session.path is None
    session.open(tmp_path / "a.graph")
    assert session.editor.graph.nodes["n1"].params["value"] == 5.0
    assert session.settings.recent == (tmp_path / "a.graph",)


def test_a_corrupt_file_leaves_the_open_graph_alone(session: Session, tmp_path: Path) -> None:
    session.editor.add("toy.value", (0, 0))
    before = session.editor.graph
    whole = graph_file.dumps(before)
    for text in ("", "{", whole[: len(whole) // 2], "[]", '{"nodes": [{"id": 3}]}'):
        (tmp_path / "bad.graph").write_text(text)
        with pytest.raises(BadGraphFile):
            session.open(tmp_path / "bad.graph")
        assert session.editor.graph is before and session.path is None and session.editor.undo_stack.canUndo()


def test_old_ids_and_missing_parameters_are_brought_up_to_date(session: Session, tmp_path: Path) -> None:
    (tmp_path / "old.graph").write_text('{"nodes": [{"id": "n1", "type": "toy.value"}]}')
    session.open(tmp_path / "old.graph")
    assert session.editor.graph.nodes["n1"].params == {"value": 1.0}


def test_save_as_keeps_paths_leading_to_the_same_files(session: Session, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "a.png").write_bytes(b"a")
    id = session.editor.add("toy.open_picture", (0, 0), {"path": session.stored(tmp_path / "one" / "a.png")})
    assert session.editor.graph.nodes[id].params["path"] == (tmp_path / "one" / "a.png").as_posix()
    session.save_as(tmp_path / "one" / "g.graph")
    assert session.editor.graph.nodes[id].params["path"] == "a.png"
    session.save_as(tmp_path / "two" / "g.graph")
    stored = session.editor.graph.nodes[id].params["path"]
    assert (session.base / stored).resolve() == tmp_path / "one" / "a.png"
    assert not session.unsaved and session.out == tmp_path / "two" / "out"


@pytest.mark.parametrize("steps_back", [1, 2])
def test_undo_beyond_save_as_still_finds_the_files(session: Session, tmp_path: Path, steps_back: int) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.png").write_bytes(b"a")
    (tmp_path / "one" / "g.graph").write_text(
        '{"nodes": [{"id": "n1", "type": "toy.open_picture", "params": {"path": "a.png"}}]}'
    )
    session.open(tmp_path / "one" / "g.graph")
    session.editor.move({"n1": (50.0, 0.0)})
    session.editor.move({"n1": (90.0, 0.0)})
    session.save_as(tmp_path / "two" / "g.graph")
    for _ in range(steps_back):
        session.editor.undo_stack.undo()
    assert session.editor.graph.nodes["n1"].at == ((50.0, 0.0), (0.0, 0.0))[steps_back - 1]
    assert (session.base / session.editor.graph.nodes["n1"].params["path"]).resolve() == tmp_path / "one" / "a.png"


def test_a_folder_that_refuses_leaves_everything_as_it_was(session: Session, tmp_path: Path) -> None:
    session.editor.add("toy.value", (0, 0))
    with pytest.raises(CannotWrite):
        session.save_as(tmp_path / "missing" / "a.graph")
    assert session.path is None and session.unsaved


def test_the_journal_holds_edits_until_they_are_saved(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.editor.add("toy.value", (0, 0))
    qtbot.waitUntil(session.journal.file.exists, timeout=5_000)
    session.save_as(tmp_path / "a.graph")
    assert not session.journal.file.exists()
    session.editor.add("toy.value", (0, 0))
    session.editor.undo_stack.undo()
    session.write_journal()
    assert not session.journal.file.exists()


def test_a_second_window_does_not_take_the_journal_of_one_that_lives(session: Session, tmp_path: Path) -> None:
    session.editor.add("toy.value", (0, 0))
    session.write_journal()
    other = Journal(session.journal.file.parent)
    assert other.left_behind() == []
    other.close()


@pytest.mark.parametrize("saved", [False, True])
def test_work_is_offered_again_after_a_kill(qapp: object, qtbot: QtBot, tmp_path: Path, saved: bool) -> None:
    file = tmp_path / "g.graph"
    graph_file.save(file, Graph())
    home = tmp_path / "home"
    text = CRASHING.format(
        root=str(ROOT), here=str(ROOT / "tests" / "ui"), home=str(home), file=str(file) if saved else ""
    )
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "edited\n"
    edited = time.monotonic()
    qtbot.waitUntil(lambda: any((home / "data" / "journal").glob("*.journal")), timeout=20_000)
    assert time.monotonic() - edited < 20
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    session = Session(Editor(registry()), Settings.at(home))
    [left] = session.journal.left_behind()
    assert left.path == (file if saved else None)
    session.recover(left)
    assert session.editor.graph.nodes["n1"].params["value"] == 42.0
    assert session.unsaved and session.path == left.path
    assert session.journal.left_behind() == [] and session.journal.file.exists()
    session.editor.undo_stack.undo()
    assert not session.editor.graph.nodes
    session.close()


def test_a_journal_finds_another_place_when_its_folder_is_refused(qapp: object, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    journal = Journal(tmp_path / "file" / "journal")
    journal.write(Graph(), None)
    assert journal.file.exists()
    journal.close()


def test_an_unreadable_journal_is_set_aside(session: Session) -> None:
    folder = session.journal.file.parent
    (folder / "x.journal").write_text("{")
    (folder / "x.lock").write_text("")
    assert session.journal.left_behind() == []
    assert (folder / "x.unreadable").exists()
