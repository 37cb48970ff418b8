"""The window itself: menus, files, drops, examples, layout, closing, unexpected errors."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from window_kit import Desk

from app.engine import Number, graph_file, node
from app.engine.embedded import write_png_text
from app.engine.graph import Graph, Link, Node
from app.ui.actions import ACTIONS
from app.ui.library import Library
from app.ui.settings import Settings
from app.ui.settings_dialog import SettingsDialog

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f6"
    "45400000000049454e44ae426082"
)


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.close()


def saved(desk: Desk, name: str = "a.graph") -> Path:
    """The graph on screen, saved through the menu."""
    desk.answers.path = desk.folder / name
    desk.window.actions_by_id["save_as"].trigger()
    return desk.answers.path


def drop(desk: Desk, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPointF(desk.window.canvas.view.viewport().rect().center())
    desk.window.canvas.view.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, buttons, keys))


def test_title_shows_name_and_unsaved_mark(desk: Desk) -> None:
    assert desk.window.windowTitle() == "Untitled[*] — Polyloom" and not desk.window.isWindowModified()
    desk.add("value")
    assert desk.window.isWindowModified()
    saved(desk, "chair.graph")
    assert desk.window.windowTitle() == "chair[*] — Polyloom" and not desk.window.isWindowModified()


@pytest.mark.parametrize(("answer", "gone", "kept"), [("save", True, True), ("discard", True, False)])
def test_new_asks_about_unsaved_edits(desk: Desk, answer: str, gone: bool, kept: bool) -> None:
    path = saved(desk)
    desk.add("value")
    desk.answers.on_unsaved = answer  # type: ignore[assignment]
    desk.window.actions_by_id["new"].trigger()
    assert desk.answers.asked[-1] == "unsaved a"
    assert (not desk.editor.graph.nodes) == gone
    assert bool(graph_file.read(path).nodes) == kept


def test_cancel_keeps_the_window_and_the_edits(desk: Desk) -> None:
    desk.add("value")
    desk.answers.on_unsaved = "cancel"
    assert not desk.window.close()
    desk.window.actions_by_id["new"].trigger()
    assert len(desk.editor.graph.nodes) == 1 and desk.window.isVisible()
    desk.answers.on_unsaved, desk.answers.path = "save", None
    assert not desk.window.close(), "no file name was chosen, so nothing was saved"


def test_a_corrupt_file_is_told_of_and_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.add("value")
    before = desk.editor.graph
    (tmp_path / "bad.graph").write_text('{"nodes": [')
    desk.answers.path = tmp_path / "bad.graph"
    desk.window.actions_by_id["open"].trigger()
    assert desk.editor.graph is before
    assert desk.answers.asked[-1].startswith("The graph cannot be opened: bad.graph")
    assert "bad.graph" in desk.window.log.plain()


def test_a_folder_that_cannot_be_written_is_told_of(desk: Desk, tmp_path: Path) -> None:
    desk.add("value")
    desk.answers.path = tmp_path / "missing" / "a.graph"
    desk.window.actions_by_id["save"].trigger()
    assert "cannot be saved" in desk.answers.asked[-1] and desk.window.isWindowModified()


def test_recent_files_open_again(desk: Desk, tmp_path: Path) -> None:
    desk.add("value")
    saved(desk, "one.graph")
    desk.add("value")
    saved(desk, "two.graph")
    desk.window.actions_by_id["new"].trigger()
    menu = desk.window.recent
    desk.window.files.fill_recent(menu)
    assert [action.text().split()[0] for action in menu.actions()] == ["two", "one"]
    menu.actions()[1].trigger()
    assert desk.window.desk.session.path == tmp_path / "one.graph" and len(desk.editor.graph.nodes) == 1
    assert [b.text() for b in desk.window.welcome.files] == ["two", "one"]


def test_dropped_files_become_nodes_or_open(desk: Desk, tmp_path: Path) -> None:
    photo, model, other = tmp_path / "a.png", tmp_path / "b.obj", tmp_path / "c.xyz"
    for path in (photo, model, other):
        path.write_bytes(b"x")
    drop(desk, photo, model, other)
    nodes = list(desk.editor.graph.nodes.values())
    assert [(n.type, n.params["path"]) for n in nodes] == [
        ("toy.open_picture", photo.as_posix()),
        ("toy.open_mesh", model.as_posix()),
    ]
    assert nodes[0].at[0] < nodes[1].at[0] and nodes[0].at[1] == nodes[1].at[1]
    assert "No node type opens .xyz files: c.xyz" in desk.window.log.plain()
    graph_file.save(tmp_path / "d.graph", Graph({"n9": Node("n9", "toy.value")}))
    drop(desk, tmp_path / "d.graph")
    assert desk.answers.asked == ["unsaved Untitled"] and list(desk.editor.graph.nodes) == ["n9"]


@pytest.mark.parametrize(("answer", "types"), [("graph", ["toy.add"]), ("load", ["toy.open_picture"]), ("cancel", [])])
def test_a_result_that_carries_its_graph_offers_it(desk: Desk, tmp_path: Path, answer: str, types: list[str]) -> None:
    text = graph_file.dumps(Graph({"n1": Node("n1", "toy.add")}))
    (tmp_path / "result.png").write_bytes(write_png_text(PNG, "polyloom", text))
    desk.answers.on_carried = answer  # type: ignore[assignment]
    drop(desk, tmp_path / "result.png")
    assert desk.answers.asked == ["carried result.png image"]
    assert [node.type for node in desk.editor.graph.nodes.values()] == types
    assert desk.window.desk.session.path is None


def test_library_searches_and_adds(desk: Desk) -> None:
    library = desk.window.library
    QTest.keyClicks(library.field, "pict")
    assert {"toy.picture", "toy.open_picture"} <= set(library.shown()) and "toy.add" not in library.shown()
    QTest.keyClick(library.field, Qt.Key.Key_Return)
    assert [node.type for node in desk.editor.graph.nodes.values()] == ["toy.picture"]
    assert len(library.shown()) == len(desk.editor.registry) and library.field.text() == ""
    item = library.tree.findItems("Value", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)[0]
    library.tree.itemActivated.emit(item, 0)
    places = [node.at for node in desk.editor.graph.nodes.values()]
    assert len(places) == len(set(places)) == 2
    assert "runs on the CPU" in item.toolTip(0)


def test_the_library_keeps_what_was_opened_and_shows_all_that_fits_a_search(desk: Desk) -> None:
    library = desk.window.library
    [family] = library.tree.findItems("Toy", Qt.MatchFlag.MatchExactly)
    assert not family.isExpanded()
    QTest.keyClicks(library.field, "pict")
    assert family.isExpanded() and desk.window.settings.turned_branches == ()
    library.field.clear()
    assert not family.isExpanded()
    family.setExpanded(True)
    assert desk.window.settings.turned_branches == ("toy",)
    again = Library(desk.editor.registry, desk.window.settings.turned_branches)
    assert again.tree.findItems("Toy", Qt.MatchFlag.MatchExactly)[0].isExpanded()


def test_a_heading_in_the_library_is_open_until_it_is_closed(desk: Desk) -> None:
    @node("toy.one", title="One", group="Numbers")
    def one() -> Number:
        return Number(1.0)

    library = Library(desk.editor.registry.with_functions(one))
    [heading] = library.tree.findItems("Numbers", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    assert heading.parent().text(0) == "Toy" and heading.child(0).text(0) == "One"
    assert heading.isExpanded() and not heading.parent().isExpanded()
    turned = []
    library.turned.connect(turned.append)
    heading.setExpanded(False)
    assert turned == [("toy/Numbers",)]
    QTest.keyClicks(library.field, "one")
    assert heading.isExpanded() and not heading.isHidden() and "toy.one" in library.shown()


def test_examples_open_as_unsaved_copies(desk: Desk, tmp_path: Path) -> None:
    folder = desk.window.files.examples_folder
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "a.png").write_bytes(PNG)
    view = {"title": "A chair", "description": "From one photograph."}
    graph = Graph({"n1": Node("n1", "toy.open_picture", {"path": "samples/a.png"})}, view=view)
    graph_file.save(folder / "starter.graph", graph)
    (folder / "broken.graph").write_text("{")
    desk.window.actions_by_id["examples"].trigger()
    gallery = desk.window.files.gallery
    assert gallery is not None and [card.example.title for card in gallery.cards] == ["A chair"]
    QTest.mouseClick(gallery.cards[0], Qt.MouseButton.LeftButton)
    session = desk.window.desk.session
    assert session.path is None and session.name == "A chair" and not session.unsaved
    stored = desk.editor.graph.nodes["n1"].params["path"]
    assert (session.base / stored).resolve() == folder / "samples" / "a.png"


def test_start_opens_the_starter_or_the_named_file(desk: Desk, tmp_path: Path) -> None:
    graph_file.save(tmp_path / "named.graph", Graph({"n1": Node("n1", "toy.value")}))
    desk.window.start(tmp_path / "named.graph")
    assert desk.window.desk.session.path == tmp_path / "named.graph"
    assert not desk.window.welcome.isVisible()


def test_unsaved_work_of_a_crash_is_offered_at_the_start(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "data" / "journal"
    folder.mkdir(parents=True)
    text = graph_file.dumps(Graph({"n1": Node("n1", "toy.value", {"value": 42.0})}))
    (folder / "x.journal").write_text(json.dumps({"path": None, "graph": text}))
    (folder / "x.lock").write_text("")
    desk = Desk(tmp_path)
    desk.window.show()
    desk.window.start()
    assert desk.answers.asked == ["recover an unsaved graph"]
    assert desk.editor.graph.nodes["n1"].params["value"] == 42.0 and desk.window.isWindowModified()
    desk.close()


def test_layout_is_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    first = Desk(tmp_path)
    with qtbot.waitExposed(first.window):
        first.window.resize(1200, 700)
        first.window.show()
    first.window.docks.docks["Log"].hide()
    first.window.resizeDocks([first.window.docks.docks["Nodes"]], [260], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: first.window.library.width() == 260)
    first.close()
    second = Desk(tmp_path)
    with qtbot.waitExposed(second.window):
        second.window.show()
    qtbot.waitUntil(lambda: second.window.library.width() == 260)
    assert second.window.docks.docks["Log"].isHidden()
    assert (second.window.width(), second.window.height()) == (1200, 700)
    second.window.actions_by_id["layout"].trigger()
    assert not second.window.docks.docks["Log"].isHidden()
    second.close()


def test_a_window_that_was_maximised_comes_back_with_its_bars_in_place(qtbot: QtBot, tmp_path: Path) -> None:
    first = Desk(tmp_path)
    with qtbot.waitExposed(first.window):
        first.window.showMaximized()
        first.window.resize(1920, 1080)
    QTest.qWait(100)
    bar = first.window.bar.geometry()
    first.close()
    second = Desk(tmp_path)
    with qtbot.waitExposed(second.window):
        second.window.showMaximized()
        second.window.resize(1920, 1080)
    qtbot.waitUntil(lambda: second.window.bar.geometry() == bar)
    assert second.window.canvas.geometry().top() > second.window.bar.geometry().bottom()
    second.close()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_everything_fits(desk: Desk, qtbot: QtBot, size: tuple[int, int]) -> None:
    desk.add("everything")
    desk.window.resize(*size)
    desk.window.docks.arrange()
    qtbot.waitUntil(lambda: (desk.window.width(), desk.window.height()) == size)
    QTest.qWait(50)
    whole = desk.window.rect()
    for dock in desk.window.docks.docks.values():
        assert whole.contains(dock.geometry()), dock.windowTitle()
    assert desk.window.canvas.width() >= 0.45 * size[0]
    page, inspector = desk.window.inspector.page, desk.window.inspector
    assert page.width() <= inspector.width(), "no row sticks out to the right"


def test_a_long_name_widens_no_panel(desk: Desk, qtbot: QtBot) -> None:
    id = desk.add("value")
    desk.window.resize(1280, 720)
    desk.window.docks.arrange()
    qtbot.waitUntil(lambda: desk.window.width() == 1280)
    QTest.qWait(50)
    before = {title: dock.geometry() for title, dock in desk.window.docks.docks.items()}
    desk.editor.rename(id, "Ein sehr langer Name " * 20)
    desk.editor.select([id])
    QTest.qWait(100)
    assert {title: dock.geometry() for title, dock in desk.window.docks.docks.items()} == before
    shown = desk.window.watch_bar.text.text()
    assert "…" in shown and "no result yet" in shown


def test_keys_are_unique_and_every_call_exists(desk: Desk) -> None:
    keys = [QKeySequence(key).toString() for action in ACTIONS if not action.local for key in action.keys]
    assert len(keys) == len(set(keys))
    for action in ACTIONS:
        target: object = desk.window
        for part in action.call.split("."):
            target = getattr(target, part)
        assert callable(target)
    wanted = {"Ctrl+N", "Ctrl+O", "Ctrl+S", "Ctrl+Shift+S", "Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+Y", "F5", "Ctrl+R"}
    assert wanted | {"Shift+F5", "F2", "Ctrl+,"} <= set(keys)


def test_problems_of_an_opened_file_are_listed(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    nodes = {"n1": Node("n1", "toy.add"), "n2": Node("n2", "other.thing"), "n3": Node("n3", "toy.value", {"value": -1})}
    graph_file.save(tmp_path / "a.graph", Graph(nodes))
    assert desk.window.files.open_path(tmp_path / "a.graph")
    qtbot.waitUntil(lambda: desk.window.log.tabText(1) == "Problems (3)")
    assert [desk.state(id) for id in nodes] == ["needs", "missing", "invalid"]
    for part in ("The input 'first' is empty", "'other.thing' is not installed", "-1 is outside 0 to 100 m"):
        assert part in desk.window.log.plain()


def test_nothing_of_ours_runs_on_after_closing(desk: Desk) -> None:
    ours = {"window helper", "thumbnails", "graph", "worker events"}
    assert ours & {thread.name for thread in threading.enumerate()}
    desk.close()
    assert not ours & {thread.name for thread in threading.enumerate()}
    assert desk.viewer.closed and not list((desk.settings.data / "journal").glob("*"))


def test_undo_menu_names_the_edit(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.waitActive(desk.window):
        desk.window.activateWindow()
    undo = desk.window.actions_by_id["undo"]
    assert not undo.isEnabled()
    desk.add("value")
    assert undo.isEnabled() and undo.text() == "Undo add Value"
    QTest.keyClick(desk.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not desk.editor.graph.nodes and desk.window.actions_by_id["redo"].isEnabled()


def test_menu_entries_follow_the_selection(desk: Desk) -> None:
    a = desk.add("value")
    made = desk.window.actions_by_id
    assert made["delete"].isEnabled() and made["rename"].isEnabled()
    desk.editor.select([])
    assert not made["delete"].isEnabled() and not made["run_here"].isEnabled()
    desk.editor.select([a])
    made["delete"].trigger()
    assert not made["run"].isEnabled() and desk.window.welcome.isVisible()
    assert all(m.actions() for m in desk.window.menuBar().findChildren(QMenu) if m is not desk.window.recent)


def test_an_unexpected_error_shows_details_and_keeps_the_work(desk: Desk, qtbot: QtBot) -> None:
    before = sys.excepthook
    desk.window.start()
    desk.add("value")

    def fail(_: object) -> None:
        raise RuntimeError("a slot broke")

    desk.editor.selection_changed.connect(fail)
    desk.editor.select([])
    qtbot.waitUntil(lambda: desk.window.crashes.dialog is not None)
    dialog = desk.window.crashes.dialog
    assert dialog is not None and "a slot broke" in dialog.details.toPlainText()
    assert desk.window.desk.session.journal.file.exists() and len(desk.editor.graph.nodes) == 1
    desk.editor.select(["n1"])
    qtbot.waitUntil(lambda: dialog.details.toPlainText().count("a slot broke") > 2)
    dialog.close()
    desk.editor.selection_changed.disconnect(fail)
    desk.close()
    assert sys.excepthook == before


def test_an_error_on_a_helper_thread_is_told_too(desk: Desk, qtbot: QtBot) -> None:
    desk.window.start()

    def fail() -> None:
        raise RuntimeError("the job broke")

    desk.window.desk.helper.submit("x", fail, lambda _: None)
    qtbot.waitUntil(lambda: desk.window.crashes.dialog is not None)
    desk.window.crashes.dialog.close()  # type: ignore[union-attr]


def test_settings_are_kept_and_reload_the_worker(desk: Desk, tmp_path: Path) -> None:
    desk.window.actions_by_id["settings"].trigger()
    dialog = desk.window.help.dialog
    assert isinstance(dialog, SettingsDialog)
    told: list[int] = []
    dialog.changed.connect(lambda: told.append(1))
    desk.answers.path = tmp_path
    dialog._choose_store()
    dialog.limit.setValue(7.5)
    dialog.auto.setChecked(True)
    dialog.accept()
    assert desk.settings.store_folder == tmp_path and desk.settings.store_gb == 7.5 and told == [1]
    assert desk.window.desk.runs.auto and desk.window.actions_by_id["auto"].isChecked()


def test_a_store_that_cannot_be_used_does_not_stop_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    Settings.at(tmp_path / "home").store_folder = tmp_path / "file" / "store"
    desk = Desk(tmp_path)
    assert "The usual folder is used instead" in desk.window.log.plain()
    assert desk.window.desk.store().folder == tmp_path / "store"
    desk.close()


def test_links_in_the_log_lead_to_nodes(desk: Desk) -> None:
    a, _ = desk.add("value"), desk.add("value")
    desk.window.log.say("error", "Look <here>", a, "Value & more")
    assert desk.window.log.plain().endswith("Value & more: Look <here>")
    desk.window.log.text.anchorClicked.emit(QUrl(f"node:{a}"))
    assert desk.editor.selection == (a,)


def test_ctrl_c_in_a_text_field_copies_text_not_nodes(desk: Desk) -> None:
    desk.add("everything")
    field = desk.window.inspector.page.title
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Everything"
    QTest.keyClick(field, Qt.Key.Key_Delete)
    assert len(desk.editor.graph.nodes) == 1


def test_a_library_entry_can_be_dragged_onto_the_canvas(desk: Desk) -> None:
    tree, view = desk.window.library.tree, desk.window.canvas.view
    item = tree.findItems("Add", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)[0]
    data, place = tree.mimeData([item]), QPoint(60, 70)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    view.dropEvent(QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, buttons, keys))
    [node] = desk.editor.graph.nodes.values()
    assert node.type == "toy.add"
    assert not desk.editor.link(Link(desk.add("value"), "out", node.id, "first"))
