"""A real canvas driven with mouse and keys."""

from __future__ import annotations

import pytest
from conftest import Hand
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.engine import graph_file
from app.engine.graph import Link
from app.ui.canvas import Canvas
from app.ui.canvas_overlays import RenameField

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def wire(hand: Hand, *types: str) -> list[str]:
    """Nodes in a row, not linked."""
    ids = [hand.editor.add(type_id, (60 + 270 * i, 200)) for i, type_id in enumerate(types)]
    hand.editor.select(())
    return ids


def open_menu(hand: Hand, at: QPoint) -> QMenu:
    hand.view.menu_wanted.emit(at, hand.ground.mapToGlobal(at))
    menus = [menu for menu in hand.canvas.findChildren(QMenu) if menu.isVisible()]
    return menus[0]


def choose(menu: QMenu, label: str) -> None:
    action = next(action for action in menu.actions() if action.text() == label)
    action.trigger()
    menu.hide()


def test_two_nodes_through_search_and_a_link_between_them(hand: Hand) -> None:
    hand.double_click(QPoint(150, 200))
    hand.search_for("cut o")
    hand.double_click(QPoint(600, 200))
    hand.search_for("infl")
    first, second = hand.editor.graph.nodes
    assert [node.type for node in hand.editor.graph.nodes.values()] == ["segment.cut", "image_to_3d.inflate"]
    assert hand.body(first).y() == 200, "the title bar lies under the cursor"
    hand.drag(hand.dot(first, "out", "cutout"), hand.dot(second, "in", "image"))
    hand.drag(hand.dot(second, "in", "mask"), hand.dot(first, "out", "mask"))
    assert set(hand.editor.graph.links) == {
        Link(first, "cutout", second, "image"),
        Link(first, "mask", second, "mask"),
    }
    assert hand.editor.undo_stack.count() == 4


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Space])
def test_tab_and_space_search_and_escape_leaves(hand: Hand, key: Qt.Key) -> None:
    hand.key(key)
    popup = hand.canvas.adding.popup
    assert popup.isVisible()
    assert len(popup.shown()) == 7
    QTest.keyClicks(popup.field, "mesh")
    assert popup.shown()[:2] == ["mesh.decimate", "mesh.merge"]
    QTest.keyClick(popup.field, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    assert not hand.editor.graph.nodes


def test_the_arrow_keys_choose_another_offer(hand: Hand) -> None:
    hand.key(Qt.Key.Key_Tab)
    QTest.keyClicks(hand.canvas.adding.popup.field, "mesh")
    QTest.keyClick(hand.canvas.adding.popup.field, Qt.Key.Key_Down)
    QTest.keyClick(hand.canvas.adding.popup.field, Qt.Key.Key_Return)
    assert [node.type for node in hand.editor.graph.nodes.values()] == ["mesh.merge"]


def test_a_wrong_type_is_refused_and_the_reason_shown(hand: Hand) -> None:
    cut, mesh = wire(hand, "segment.cut", "mesh.decimate")
    said = QSignalSpy(hand.canvas.said)
    before = hand.editor.graph
    hand.drag(hand.dot(cut, "out", "mask"), hand.dot(mesh, "in", "mesh"))
    assert hand.editor.graph is before
    assert said.count() == 1
    assert "Mask" in said.at(0)[0]
    assert hand.canvas.bubble.isVisible()
    assert hand.canvas.bubble.text() == said.at(0)[0]


def test_a_circle_is_refused_and_the_reason_shown(hand: Hand) -> None:
    first, second = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(first, "out", "out"), hand.dot(second, "in", "first"))
    said = QSignalSpy(hand.canvas.said)
    hand.drag(hand.dot(second, "out", "out"), hand.dot(first, "in", "mesh"))
    assert len(hand.editor.graph.links) == 1
    assert "circle" in said.at(0)[0]


def test_while_a_link_is_drawn_what_fits_glows_and_the_rest_stands_back(hand: Hand) -> None:
    cut, solid, mesh = wire(hand, "segment.cut", "image_to_3d.inflate", "mesh.decimate")
    start = hand.dot(cut, "out", "mask")
    QTest.mousePress(hand.ground, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    hand.move(start + QPoint(60, 60))
    nodes = hand.canvas.items.nodes
    assert nodes[solid].glow == {("in", "mask")}
    assert (nodes[solid].dim, nodes[mesh].dim) == (False, True)
    hand.move(hand.dot(mesh, "in", "mesh"))
    assert "Mask" in hand.canvas.bubble.text()
    hand.key(Qt.Key.Key_Escape)
    assert hand.view.drag is None
    assert not any(item.dim or item.glow for item in nodes.values())
    QTest.mouseRelease(hand.ground, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert not hand.editor.graph.links


def test_a_link_dropped_on_the_ground_offers_what_fits_and_links_it(hand: Hand) -> None:
    (solid,) = wire(hand, "image_to_3d.inflate")
    hand.drag(hand.dot(solid, "out", "out"), QPoint(700, 500))
    assert sorted(hand.canvas.adding.popup.shown()) == ["mesh.decimate", "mesh.merge"]
    count = hand.editor.undo_stack.count()
    hand.search_for("dec")
    new = hand.editor.selection[0]
    assert hand.editor.graph.links == (Link(solid, "out", new, "mesh"),)
    assert hand.editor.undo_stack.count() == count + 1
    assert (hand.dot(new, "in", "mesh") - QPoint(700, 500)).manhattanLength() <= 2


def test_a_link_from_an_input_dropped_on_the_ground_offers_what_gives_it(hand: Hand) -> None:
    ids = wire(hand, "value.number", "image_to_3d.inflate")
    hand.drag(hand.dot(ids[1], "in", "mask"), QPoint(200, 500))
    assert hand.canvas.adding.popup.shown() == ["segment.cut"]
    hand.search_for("")
    assert hand.editor.graph.links == (Link(hand.editor.selection[0], "mask", ids[1], "mask"),)


def test_the_end_of_a_link_is_taken_off_and_put_elsewhere_in_one_step(hand: Hand) -> None:
    mesh, merge = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(mesh, "out", "out"), hand.dot(merge, "in", "first"))
    count = hand.editor.undo_stack.count()
    hand.drag(hand.dot(merge, "in", "first"), hand.dot(merge, "in", "second"))
    assert hand.editor.graph.links == (Link(mesh, "out", merge, "second"),)
    hand.drag(hand.dot(merge, "in", "second"), QPoint(600, 550))
    assert hand.editor.graph.links == ()
    assert not hand.canvas.adding.popup.isVisible()
    assert hand.editor.undo_stack.count() == count + 2


def test_a_click_on_a_linked_input_changes_nothing(hand: Hand) -> None:
    mesh, merge = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(mesh, "out", "out"), hand.dot(merge, "in", "first"))
    before = hand.editor.graph
    hand.click(hand.dot(merge, "in", "first"))
    assert hand.editor.graph is before
    assert hand.canvas.items.links[before.links[0]].isVisible()


def test_a_number_dropped_on_a_node_asks_which_parameter(hand: Hand) -> None:
    value, solid = wire(hand, "value.number", "image_to_3d.inflate")
    hand.drag(hand.dot(value, "out", "out"), hand.body(solid))
    menu = next(menu for menu in hand.canvas.findChildren(QMenu) if menu.isVisible())
    assert [action.text() for action in menu.actions()] == ["Thickness", "Steps"]
    choose(menu, "Steps")
    assert hand.editor.graph.links == (Link(value, "out", solid, "steps"),)
    dots = {dot.name: dot.kind for dot in hand.canvas.items.nodes[solid].face.dots}
    assert dots["steps"] == "param"
    assert "thickness" not in dots


def test_a_mesh_dropped_on_a_node_goes_to_its_only_input_that_fits(hand: Hand) -> None:
    solid, mesh = wire(hand, "image_to_3d.inflate", "mesh.decimate")
    hand.drag(hand.dot(solid, "out", "out"), hand.body(mesh))
    assert hand.editor.graph.links == (Link(solid, "out", mesh, "mesh"),)
    said = QSignalSpy(hand.canvas.said)
    hand.drag(hand.dot(mesh, "out", "out"), hand.body(solid))
    assert "circle" in said.at(0)[0]


def test_drive_parameter_from_the_menu_ends_with_a_click(hand: Hand) -> None:
    value, solid = wire(hand, "value.number", "image_to_3d.inflate")
    menu = open_menu(hand, hand.body(solid))
    drive = next(action.menu() for action in menu.actions() if action.text() == "Drive parameter")
    assert isinstance(drive, QMenu)
    assert [action.text() for action in drive.actions()] == ["Thickness", "Steps", "Style"]
    choose(drive, "Thickness")
    menu.hide()
    hand.move(QPoint(300, 400))
    hand.click(hand.dot(value, "out", "out"))
    assert hand.editor.graph.links == (Link(value, "out", solid, "thickness"),)


def test_dragging_several_nodes_is_one_step(hand: Hand) -> None:
    ids = wire(hand, "mesh.decimate", "mesh.merge", "value.text")
    hand.click(hand.body(ids[0]))
    hand.click(hand.body(ids[1]), SHIFT)
    assert set(hand.editor.selection) == set(ids[:2])
    count, before = hand.editor.undo_stack.count(), hand.editor.graph
    hand.drag(hand.body(ids[1]), hand.body(ids[1]) + QPoint(40, 70))
    moved = {id: hand.editor.graph.nodes[id].at for id in ids}
    assert moved == {ids[0]: (100.0, 270.0), ids[1]: (370.0, 270.0), ids[2]: (600.0, 200.0)}
    assert hand.editor.undo_stack.count() == count + 1
    assert hand.editor.undo_stack.undoText() == "Move 2 nodes"
    hand.key(Qt.Key.Key_Z, CTRL)
    assert hand.editor.graph is before
    assert [hand.canvas.items.nodes[id].y() for id in ids] == [200, 200, 200]
    hand.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert hand.canvas.items.nodes[ids[0]].pos() == QPointF(100, 270)


def test_a_click_on_a_node_is_no_step(hand: Hand) -> None:
    ids = wire(hand, "mesh.decimate", "mesh.merge")
    count = hand.editor.undo_stack.count()
    hand.click(hand.body(ids[0]))
    hand.click(hand.body(ids[1]))
    assert hand.editor.selection == (ids[1],)
    hand.click(QPoint(700, 600))
    assert hand.editor.selection == ()
    assert hand.editor.undo_stack.count() == count


def test_a_band_around_nodes_selects_them(hand: Hand) -> None:
    ids = wire(hand, "mesh.decimate", "mesh.merge", "value.text")
    hand.drag(QPoint(20, 120), QPoint(500, 400))
    assert set(hand.editor.selection) == set(ids[:2])
    hand.drag(QPoint(560, 120), QPoint(900, 400), CTRL)
    assert set(hand.editor.selection) == set(ids), "with Ctrl the band adds"


def test_delete_and_undo_bring_back_links_and_ids(hand: Hand) -> None:
    first, second, third = wire(hand, "mesh.decimate", "mesh.merge", "mesh.decimate")
    hand.drag(hand.dot(first, "out", "out"), hand.dot(second, "in", "first"))
    hand.drag(hand.dot(second, "out", "out"), hand.dot(third, "in", "mesh"))
    before = hand.editor.graph
    hand.click(hand.body(second))
    hand.key(Qt.Key.Key_Delete)
    assert list(hand.editor.graph.nodes) == [first, third]
    assert hand.canvas.items.read_back()[1] == set()
    hand.key(Qt.Key.Key_Z, CTRL)
    assert hand.editor.graph is before
    assert hand.canvas.items.read_back()[1] == set(before.links)


def test_a_clicked_link_is_deleted_alone(hand: Hand) -> None:
    mesh, merge = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(mesh, "out", "out"), hand.dot(merge, "in", "first"))
    (item,) = hand.canvas.items.links.values()
    hand.click(hand.at(item.path().pointAtPercent(0.5)))
    assert item.picked
    hand.key(Qt.Key.Key_Delete)
    assert len(hand.editor.graph.nodes) == 2
    assert hand.editor.graph.links == ()


def test_a_node_is_put_into_a_link_by_a_double_click_on_the_link(hand: Hand) -> None:
    solid, merge = wire(hand, "image_to_3d.inflate", "mesh.merge")
    hand.editor.move({merge: (700, 350)})
    hand.drag(hand.dot(solid, "out", "out"), hand.dot(merge, "in", "second"))
    (item,) = hand.canvas.items.links.values()
    hand.double_click(hand.at(item.path().pointAtPercent(0.5)))
    assert sorted(hand.canvas.adding.popup.shown()) == ["mesh.decimate", "mesh.merge"]
    count = hand.editor.undo_stack.count()
    hand.search_for("dec")
    new = hand.editor.selection[0]
    assert set(hand.editor.graph.links) == {Link(solid, "out", new, "mesh"), Link(new, "out", merge, "second")}
    assert hand.editor.undo_stack.count() == count + 1


def test_a_free_node_dropped_on_a_link_is_put_into_it_in_one_step(hand: Hand) -> None:
    solid, merge, free, number = wire(hand, "image_to_3d.inflate", "mesh.merge", "mesh.decimate", "value.number")
    hand.editor.move({merge: (700, 350), free: (60, 450), number: (400, 550)})
    hand.drag(hand.dot(solid, "out", "out"), hand.dot(merge, "in", "first"))
    (item,) = hand.canvas.items.links.values()
    middle = hand.at(item.path().pointAtPercent(0.5))
    before, count = hand.editor.graph, hand.editor.undo_stack.count()
    hand.drag(hand.body(number), middle - QPoint(0, 22))
    assert hand.editor.graph.links == before.links, "a number cannot stand in it"
    hand.editor.undo_stack.undo()
    hand.drag(hand.body(free), middle - QPoint(0, 25))
    assert set(hand.editor.graph.links) == {Link(solid, "out", free, "mesh"), Link(free, "out", merge, "first")}
    assert hand.editor.undo_stack.count() == count + 1
    assert hand.editor.undo_stack.undoText() == "Insert Decimate"
    hand.key(Qt.Key.Key_Z, CTRL)
    assert hand.editor.graph is before
    assert hand.canvas.items.nodes[free].pos() == QPointF(60, 450)


def test_alt_and_shift_cut_links(hand: Hand) -> None:
    mesh, merge = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(mesh, "out", "out"), hand.dot(merge, "in", "first"))
    hand.drag(hand.dot(mesh, "out", "out"), hand.dot(merge, "in", "second"))
    x = (hand.dot(mesh, "out", "out").x() + hand.dot(merge, "in", "first").x()) // 2
    keys = Qt.KeyboardModifier.AltModifier | SHIFT
    count = hand.editor.undo_stack.count()
    hand.drag(QPoint(x, 120), QPoint(x, 420), keys)
    assert hand.editor.graph.links == ()
    assert hand.editor.undo_stack.count() == count + 1


def test_copy_cut_paste_and_duplicate_with_keys(hand: Hand) -> None:
    ids = wire(hand, "mesh.decimate", "mesh.merge")
    hand.drag(hand.dot(ids[0], "out", "out"), hand.dot(ids[1], "in", "first"))
    hand.key(Qt.Key.Key_A, CTRL)
    hand.key(Qt.Key.Key_C, CTRL)
    piece = graph_file.loads(QGuiApplication.clipboard().text())
    assert [node.type for node in piece.nodes.values()] == ["mesh.decimate", "mesh.merge"]
    assert len(piece.links) == 1
    hand.key(Qt.Key.Key_V, CTRL)
    assert len(hand.editor.graph.nodes) == 4
    assert len(hand.editor.graph.links) == 2
    hand.key(Qt.Key.Key_D, CTRL)
    assert len(hand.editor.graph.nodes) == 6
    hand.key(Qt.Key.Key_X, CTRL)
    assert len(hand.editor.graph.nodes) == 4
    assert hand.editor.undo_stack.undoText() == "Delete 2 nodes"
    QGuiApplication.clipboard().setText("not a graph")
    said = QSignalSpy(hand.canvas.said)
    hand.key(Qt.Key.Key_V, CTRL)
    assert len(hand.editor.graph.nodes) == 4
    assert said.count() == 1


def test_bypass_key_toggles_all_selected(hand: Hand) -> None:
    ids = wire(hand, "mesh.decimate", "mesh.merge")
    hand.editor.set_bypass([ids[0]], True)
    hand.key(Qt.Key.Key_A, CTRL)
    hand.key(Qt.Key.Key_B)
    assert all(node.bypass for node in hand.editor.graph.nodes.values())
    hand.key(Qt.Key.Key_M)
    assert not any(node.bypass for node in hand.editor.graph.nodes.values())


def test_rename_by_key_and_by_double_click(hand: Hand) -> None:
    (id,) = wire(hand, "mesh.decimate")
    hand.click(hand.body(id))
    hand.key(Qt.Key.Key_F2)
    (field,) = hand.canvas.findChildren(RenameField)
    QTest.keyClicks(field, "Low poly")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert hand.editor.graph.nodes[id].title == "Low poly"
    QApplication.sendPostedEvents(None, 0)
    QApplication.processEvents()
    hand.double_click(hand.body(id))
    field = next(field for field in hand.canvas.findChildren(RenameField) if field.isVisible())
    QTest.keyClicks(field, "Other")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert hand.editor.graph.nodes[id].title == "Low poly"


def test_menus_emit_what_the_window_does(hand: Hand) -> None:
    (id,) = wire(hand, "mesh.decimate")
    for label, signal in (
        ("Run to here", hand.canvas.run_to_requested),
        ("Pin in viewer", hand.canvas.pin_requested),
        ("Show help", hand.canvas.help_requested),
    ):
        spy = QSignalSpy(signal)
        choose(open_menu(hand, hand.body(id)), label)
        assert spy.at(0) == [id]
    assert hand.editor.selection == (id,), "a right click selects"
    choose(open_menu(hand, QPoint(900, 600)), "Add node…")
    assert hand.canvas.adding.popup.isVisible()


def test_wheel_zooms_at_the_cursor_within_limits(canvas: Canvas, hand: Hand) -> None:
    at = QPoint(300, 200)
    held = hand.view.mapToScene(at)
    canvas.view.zoom_by(0.5, at)
    assert (hand.view.mapToScene(at) - held).manhattanLength() < 4
    for _ in range(100):
        canvas.view.zoom_by(0.5, at)
    assert canvas.view.zoom == pytest.approx(0.02)
    for _ in range(100):
        canvas.view.zoom_by(2.0, at)
    assert canvas.view.zoom == pytest.approx(3.0)


def test_resizing_keeps_the_zoom(canvas: Canvas, hand: Hand) -> None:
    canvas.view.look_at(QPointF(100, 100), 0.8)
    canvas.resize(700, 500)
    QApplication.processEvents()
    assert canvas.view.zoom == pytest.approx(0.8)
