"""The inspector: one row per parameter, edits as undo steps, driven and refused values, help and licence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot
from window_kit import Desk
from window_nodes import everything, registry

from app.engine import Text, node
from app.engine.graph import Graph, Link, Node
from app.engine.params import Setting, Slider
from app.engine.registry import spec_of
from app.ui.form import Form
from app.ui.number_field import parsed, written
from app.ui.rows import ROWS
from app.ui.slider import STEPS, Scale

NUMBERS = spec_of(everything)


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


@pytest.fixture
def shown(desk: Desk) -> str:
    """Id of a node with every kind of parameter, in the inspector."""
    return desk.add("everything")


def row(desk: Desk, name: str) -> Any:
    assert desk.window.inspector.form is not None
    return desk.window.inspector.form.rows[name]


def param(desk: Desk, id: str, name: str) -> Any:
    return desk.editor.graph.nodes[id].params[name]


def type_into(field: Any, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, key)


def test_every_kind_of_setting_has_a_row() -> None:
    def kinds(kind: type[Setting]) -> set[type[Setting]]:
        return {kind}.union(*map(kinds, kind.__subclasses__()))

    public = {kind for kind in kinds(Setting) if not kind.__name__.startswith("_")}
    assert public == set(ROWS)


def test_a_slider_drag_is_one_undo_step(desk: Desk, shown: str) -> None:
    slider, steps = row(desk, "size").slider, desk.editor.undo_stack.count()
    seen: list[float] = []
    desk.editor.changed.connect(lambda graph: seen.append(graph.nodes[shown].params["size"]))
    y = slider.height() // 2
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(6, y))
    for x in range(8, slider.width() - 8, 3):
        QTest.mouseMove(slider, QPoint(x, y))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 8, y))
    assert len(seen) > 5 and param(desk, shown, "size") == seen[-1] > 5
    assert desk.editor.undo_stack.count() == steps + 1
    desk.editor.undo_stack.undo()
    assert param(desk, shown, "size") == 1.0
    assert row(desk, "size").field.text() == "1 m"


def test_two_drags_are_two_undo_steps(desk: Desk, shown: str) -> None:
    slider, steps = row(desk, "size").slider, desk.editor.undo_stack.count()
    for part in (0.5, 0.9):
        QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(int(part * slider.width()), 10))
    assert desk.editor.undo_stack.count() == steps + 2


def test_a_typed_number_is_checked_before_it_is_taken(desk: Desk, shown: str) -> None:
    faces = row(desk, "faces")
    type_into(faces.field, "50,000")
    assert param(desk, shown, "faces") == 50_000
    type_into(faces.field, "99")
    assert param(desk, shown, "faces") == 50_000
    assert faces.problem.text() == "99 is outside 100 to 5,000,000 triangles."
    assert faces.problem.isVisible()
    type_into(row(desk, "size").field, "2.5 m")
    assert param(desk, shown, "size") == 2.5
    type_into(faces.field, "a lot")
    assert faces.problem.text() == "'a lot' is not a number."
    type_into(faces.field, "200")
    assert param(desk, shown, "faces") == 200 and not faces.problem.isVisible()


def test_arrow_keys_step_and_escape_goes_back(desk: Desk, shown: str) -> None:
    plain = row(desk, "plain").field
    QTest.keyClick(plain, Qt.Key.Key_Up)
    assert param(desk, shown, "plain") == 4
    plain.setFocus()
    plain.selectAll()
    QTest.keyClicks(plain, "77")
    QTest.keyClick(plain, Qt.Key.Key_Escape)
    assert plain.text() == "4" and param(desk, shown, "plain") == 4


def test_each_row_edits_its_parameter(desk: Desk, shown: str, tmp_path: Path) -> None:
    row(desk, "on").box.click()
    assert param(desk, shown, "on") is False
    combo = row(desk, "mode").combo
    assert [combo.itemText(i) for i in range(combo.count())] == ["smooth", "sharp edges"]
    combo.activated.emit(1)
    assert param(desk, shown, "mode") == "sharp_edges"
    type_into(row(desk, "name").field, "chair")
    assert param(desk, shown, "name") == "chair"
    row(desk, "tint").swatch.click()
    assert param(desk, shown, "tint") == "#ff0000"
    type_into(row(desk, "tint").field, "00ff0080")
    assert param(desk, shown, "tint") == "#00ff0080"
    row(desk, "seed").dice.click()
    assert 0 <= param(desk, shown, "seed") < 2**32
    desk.answers.path = tmp_path
    row(desk, "place").browse.click()
    assert param(desk, shown, "place") == tmp_path.as_posix()


def test_typing_text_is_one_undo_step(desk: Desk, shown: str, qtbot: QtBot) -> None:
    area, steps = row(desk, "prompt").area, desk.editor.undo_stack.count()
    area.setFocus()
    QTest.keyClicks(area, "a wooden")
    qtbot.waitUntil(lambda: param(desk, shown, "prompt") == "a wooden")
    QTest.keyClicks(area, " chair")
    row(desk, "name").field.setFocus()
    qtbot.waitUntil(lambda: param(desk, shown, "prompt") == "a wooden chair")
    assert desk.editor.undo_stack.count() == steps + 1


def test_run_takes_what_is_still_being_typed(desk: Desk, shown: str, qtbot: QtBot) -> None:
    area = row(desk, "prompt").area
    area.setFocus()
    QTest.keyClicks(area, "late")
    with qtbot.waitSignal(desk.window.desk.runs.finished):
        desk.window.actions_by_id["run"].trigger()
    assert param(desk, shown, "prompt") == "late"


def test_reset_brings_the_default_back(desk: Desk, shown: str) -> None:
    name = row(desk, "name")
    assert not name.reset.isVisible()
    type_into(name.field, "chair")
    assert name.reset.isVisible()
    name.reset.click()
    assert param(desk, shown, "name") == "thing" and not name.reset.isVisible()


def test_files_are_stored_beside_the_graph_and_can_be_dropped(desk: Desk, shown: str, tmp_path: Path) -> None:
    desk.answers.path = tmp_path / "project" / "a.graph"
    desk.answers.path.parent.mkdir()
    desk.window.actions_by_id["save"].trigger()
    photo = tmp_path / "project" / "photos" / "chair.png"
    photo.parent.mkdir()
    photo.write_bytes(b"x")
    desk.answers.path = photo
    row(desk, "source").browse.click()
    assert param(desk, shown, "source") == "photos/chair.png"
    assert row(desk, "source").field.toolTip().startswith(str(photo))
    outside = tmp_path / "other.png"
    outside.write_bytes(b"x")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(outside))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    row(desk, "source").dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert param(desk, shown, "source") == outside.as_posix()


def test_a_result_outside_the_output_folder_is_refused(desk: Desk, shown: str, tmp_path: Path) -> None:
    target = row(desk, "target")
    desk.answers.path = desk.window.desk.session.out / "sub" / "b.png"
    target.browse.click()
    assert param(desk, shown, "target") == "sub/b.png"
    desk.answers.path = tmp_path / "elsewhere.png"
    target.browse.click()
    assert param(desk, shown, "target") == "sub/b.png"
    assert "output folder" in target.problem.text()
    type_into(target.field, "b.jpg")
    assert target.problem.text() == "'b.jpg' does not end in .png."


def test_a_value_that_a_file_brought_is_shown_with_the_reason(desk: Desk) -> None:
    values = {p.name: p.default for p in NUMBERS.params} | {"size": 99.0, "mode": "round", "rare": 7.0}
    desk.editor.reset(Graph({"n1": Node("n1", "toy.everything", values)}))
    desk.editor.select(["n1"])
    assert row(desk, "size").field.text() == "99 m"
    assert row(desk, "size").problem.text() == "99 is outside 0.1 to 10 m."
    assert row(desk, "mode").problem.text() == "'round' is not in the list."
    assert param(desk, "n1", "size") == 99.0


def test_a_driven_parameter_says_by_whom(desk: Desk, shown: str) -> None:
    number = desk.add("value")
    desk.editor.rename(number, "Height")
    desk.editor.link(Link(number, "out", shown, "size"))
    desk.editor.select([shown])
    assert row(desk, "size").driven.text() == "driven by Height"
    assert not row(desk, "size").slider.isVisible()
    desk.editor.undo_stack.undo()
    assert row(desk, "size").slider.isVisible()


def test_a_missing_file_is_told_beside_its_row(desk: Desk, qtbot: QtBot) -> None:
    desk.add("open_picture", path="gone.png")
    qtbot.waitUntil(lambda: "gone.png is not there" in row(desk, "path").problem.text())


def test_usual_texts_are_offered_and_any_other_may_be_typed(desk: Desk, shown: str) -> None:
    usual, steps = row(desk, "usual"), desk.editor.undo_stack.count()
    combo = usual.findChild(QComboBox)
    assert usual.field.placeholderText() == "as it says" and usual.field.text() == ""
    assert [combo.itemText(place) for place in range(combo.count())] == ["CC0", "own work"]
    combo.setFocus()
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert param(desk, shown, "usual") == "own work"
    type_into(usual.field, "own")
    assert param(desk, shown, "usual") == "own" and combo.count() == 2
    usual.field.clear()
    type_into(usual.field, "")
    assert param(desk, shown, "usual") == "" and desk.editor.undo_stack.count() == steps + 3
    desk.editor.undo_stack.undo()
    assert usual.field.text() == "own"


def test_a_unit_that_the_label_says_already_is_not_said_again(desk: Desk, shown: str) -> None:
    @node("toy.hulls", title="Hulls")
    def hulls(
        max_hulls: Annotated[int, Slider(1, 9, unit="hulls")] = 3,
        detail: Annotated[int, Slider(1, 9, unit="hulls")] = 3,
    ) -> Text:
        """Two counts."""
        return Text("")

    rows = Form(spec_of(hulls), desk.window.inspector._around).rows
    assert rows["max_hulls"].label.text() == "Max hulls"
    assert "hulls" in rows["detail"].label.text() and "triangles" in row(desk, "faces").label.text()


def test_seldom_needed_settings_are_folded(desk: Desk, shown: str) -> None:
    assert not row(desk, "rare").isVisible()
    desk.window.inspector.form.more.click()  # type: ignore[union-attr]
    assert row(desk, "rare").isVisible()


def test_title_help_licence_and_memory_are_shown(desk: Desk, shown: str) -> None:
    page = desk.window.inspector.page
    assert page.title.text() == "Everything"
    assert page.help.text() == "One row of every kind. The rest of the help is longer."
    assert "Apache-2.0" in page.facts.text() and "GPU memory 4-8 GB" in page.facts.text()
    desk.window.actions_by_id["rename"].trigger()
    type_into(page.title, "Chair")
    assert desk.editor.graph.nodes[shown].title == "Chair"
    type_into(page.title, "Everything")
    assert desk.editor.graph.nodes[shown].title == ""


def test_a_long_title_begins_at_its_beginning_and_the_tooltip_has_all_of_it(desk: Desk, shown: str) -> None:
    title, long = desk.window.inspector.page.title, "North wall of the old house, with the windows and without the roof"
    desk.window.actions_by_id["rename"].trigger()
    type_into(title, long)
    assert title.shown() == long[: len(title.shown()) - 1] + "…" and title.toolTip() == long
    title.clearFocus()
    assert title.cursorPosition() == 0 and abs(title.cursorRect().left()) < title.height()
    desk.editor.undo_stack.undo()
    assert title.shown() == title.toolTip() == "Everything"


def test_a_node_that_is_not_installed_keeps_and_shows_its_values(desk: Desk) -> None:
    desk.editor.reset(Graph({"n1": Node("n1", "other.thing", {"strength": 0.5, "deep": {"a": [1]}})}))
    desk.editor.select(["n1"])
    assert row(desk, "strength").text.text() == "0.5"
    assert row(desk, "deep").text.text() == '{"a": [1]}'
    assert "not installed" in desk.window.inspector.page.help.text()


def test_several_nodes_offer_what_can_be_done_with_all(desk: Desk) -> None:
    ids = [desk.add("value") for _ in range(3)]
    desk.editor.select(ids)
    several = desk.window.inspector.several
    assert several.isVisible() and several.count.text() == "3 nodes selected"
    delete = next(b for b in several.buttons if b.text() == "Delete")
    delete.click()
    assert not desk.editor.graph.nodes
    assert desk.window.inspector.nothing.isVisible()


def test_an_error_can_be_copied(desk: Desk, qtbot: QtBot) -> None:
    a, bad = desk.add("value"), desk.add("refuse")
    desk.editor.link(Link(a, "out", bad, "number"))
    with qtbot.waitSignal(desk.window.desk.runs.finished):
        desk.window.actions_by_id["run"].trigger()
    desk.window.inspector.page.card.copy.click()
    text = QGuiApplication.clipboard().text()
    assert "The number is too round." in text and "Choose another number." in text


@given(st.integers(0, STEPS))
def test_a_slider_position_comes_back_from_its_value(position: int) -> None:
    for setting in (Slider(-3, 7), Slider(0.001, 100, log=True), Slider(0, 1, step=0.25)):
        scale = Scale(setting)
        value = scale.value(position)
        assert setting.min <= value <= setting.max
        step = round(setting.step / (setting.max - setting.min) * STEPS) if setting.step else 4
        assert abs(scale.position(value) - position) <= step
    whole = Scale(Slider(100, 5_000_000, log=True, whole=True)).value(position)
    assert isinstance(whole, int) and 100 <= whole <= 5_000_000


@pytest.mark.parametrize(
    ("text", "number"),
    [("20,000", 20_000), ("1 500", 1500), ("0,5", 0.5), ("1e-3", 0.001), ("-2", -2), ("1,234,567.5", 1_234_567.5)],
)
def test_numbers_are_read_as_people_write_them(text: str, number: float) -> None:
    assert parsed(text) == number


@pytest.mark.parametrize(
    ("value", "text"), [(20_000, "20000"), (0.1, "0.1"), (1.0, "1"), (1e-7, "1e-07"), (1 / 3, "0.333333")]
)
def test_numbers_are_written_plainly(value: float, text: str) -> None:
    assert written(value) == text


def test_registry_of_the_kit_is_sound() -> None:
    assert not registry().broken
