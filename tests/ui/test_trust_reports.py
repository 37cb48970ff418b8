"""Places outside the output folder need a yes that shows the path; a problem report holds what was ticked."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import Desk
from window_nodes import registry

from app.engine import capsule
from app.engine.environment import environment
from app.engine.graph import Link


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


def writing(desk: Desk, path: str) -> str:
    a, w = desk.add("value", value=5.0), desk.add("write", path=path)
    desk.editor.link(Link(a, "out", w, "number"))
    return w


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.txt")}


def run(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000):
        desk.window.actions_by_id["run"].trigger()
    qtbot.waitUntil(lambda: not desk.window.desk.runs.running, timeout=20_000)


@pytest.mark.parametrize("place", ["{}/elsewhere/x.txt", "../../x.txt", "sub/../../../x.txt"])
def test_a_graph_cannot_write_elsewhere_without_a_yes_to_the_whole_path(
    desk: Desk, qtbot: QtBot, tmp_path: Path, place: str
) -> None:
    w = writing(desk, place.format(tmp_path.as_posix()))
    out = desk.window.desk.session.out
    wanted = (out / place.format(tmp_path)).resolve()
    run(desk, qtbot)
    assert len(desk.answers.asked) == 1 and str(wanted) in desk.answers.asked[0]
    assert files_in(tmp_path) == set() and desk.state(w) == "failed"
    run(desk, qtbot)
    assert len(desk.answers.asked) == 1, "a place that was refused is not asked for again"


def test_yes_makes_that_folder_the_output_folder_and_the_run_goes_on(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    w = writing(desk, (tmp_path / "elsewhere" / "x.txt").as_posix())
    desk.answers.on_sure = True
    run(desk, qtbot)
    assert desk.state(w) == "ran" and files_in(tmp_path) == {"elsewhere/x.txt"}
    assert desk.window.desk.session.out == tmp_path / "elsewhere"
    assert desk.editor.graph.nodes[w].params["path"] == "x.txt"


def test_a_yes_holds_for_that_graph_only(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.answers.path = tmp_path / "mine.graph"
    desk.window.actions_by_id["save_as"].trigger()
    desk.window.desk.session.set_out(tmp_path / "chosen")
    assert desk.window.desk.session.out == tmp_path / "chosen"
    (tmp_path / "stranger").mkdir()
    stranger = tmp_path / "stranger" / "g.graph"
    stranger.write_bytes((tmp_path / "mine.graph").read_bytes())
    desk.window.files.open_path(stranger)
    assert desk.window.desk.session.out == tmp_path / "stranger" / "out"


def test_other_failures_to_write_ask_nothing(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    writing(desk, "x.txt")
    (tmp_path / "file").write_text("not a folder")
    desk.window.desk.session.set_out(tmp_path / "file" / "out")
    run(desk, qtbot)
    assert desk.answers.asked == []


@pytest.mark.parametrize("yes", [False, True])
def test_a_place_typed_into_the_inspector_is_asked_about_too(desk: Desk, tmp_path: Path, yes: bool) -> None:
    w = writing(desk, "x.txt")
    desk.editor.select([w])
    desk.answers.on_sure = yes
    row = desk.window.inspector.form.rows["path"]
    row.field.setText(str(tmp_path / "elsewhere" / "y.txt"))
    row.field.editingFinished.emit()
    assert str(tmp_path / "elsewhere" / "y.txt") in desk.answers.asked[0]
    assert desk.editor.graph.nodes[w].params["path"] == ("y.txt" if yes else "x.txt")
    assert (desk.window.desk.session.out == tmp_path / "elsewhere") == yes
    assert row.problem.isHidden() == yes


def test_a_problem_report_holds_what_was_ticked_and_replays(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "wanted.png").write_bytes(b"picture")
    (tmp_path / "private.png").write_bytes(b"private")
    for name in ("wanted.png", "private.png"):
        desk.add("open_picture", path=str(tmp_path / name))
    a, b = desk.add("value"), desk.add("refuse")
    desk.editor.link(Link(a, "out", b, "number"))
    run(desk, qtbot)
    desk.window.actions_by_id["report"].trigger()
    dialog = desk.window.reports.dialog
    assert dialog is not None and dialog.ticked == ()
    shown = [dialog.list.item(row).text() for row in range(dialog.list.count())]
    assert "wanted.png   0.0 kB" in shown[0] and str(tmp_path) in shown[0] and "private.png" in shown[1]
    assert "toy.refuse" in dialog.log.toPlainText()
    dialog.tick(tmp_path / "wanted.png")
    assert dialog.size_text.text() == "1 of 2 inputs, 0.0 kB"
    dialog.words.setPlainText("It refuses.")
    desk.answers.path = tmp_path / "problem.zip"
    dialog.save.click()
    qtbot.waitUntil(lambda: "The capsule is saved" in desk.window.log.plain(), timeout=20_000)
    one = capsule.unpack(tmp_path / "problem.zip", tmp_path / "there")
    assert one.about["words"] == "It refuses." and one.versions == environment()
    assert one.report["status"] == "partial" and one.report["nodes"][b]["error"]["kind"] == "bad-input"
    with zipfile.ZipFile(tmp_path / "problem.zip") as archive:
        assert {n for n in archive.namelist() if n.startswith("inputs/")} == {"inputs/1/wanted.png"}
        assert b"private" not in b"".join(archive.read(name) for name in archive.namelist() if "inputs" in name)
        assert json.loads(archive.read("report.json")) == one.report
    assert one.left_out == ("inputs/2/private.png",)
    capsule.refuse_outside(one.graph, registry(), one.folder)


def test_a_report_that_cannot_be_saved_is_said_and_cancel_writes_nothing(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk.add("value")
    desk.window.actions_by_id["report"].trigger()
    assert desk.window.reports.dialog is not None
    desk.window.reports.dialog.reject()
    QTest.qWait(50)
    assert not list(tmp_path.rglob("*.zip"))
    desk.window.actions_by_id["report"].trigger()
    desk.answers.path = tmp_path / "nowhere" / "problem.zip"
    desk.window.reports.dialog.save.click()
    qtbot.waitUntil(lambda: "was not saved" in desk.window.log.plain(), timeout=20_000)
