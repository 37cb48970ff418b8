"""The canvas is a view: whatever happens to the graph, its items say the same."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import shiboken6
from conftest import Hand
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QGraphicsItem
from pytestqt.qtbot import QtBot

from app.engine.graph import Graph, Link, Node
from app.engine.registry import Registry
from app.ui.badges import STATES, Badge, duration
from app.ui.canvas import Canvas
from app.ui.editor import Editor
from app.ui.library import NODE_MIME
from app.ui.link_item import LinkItem
from app.ui.node_item import NodeItem
from app.ui.search import rank


def assert_same(canvas: Canvas) -> None:
    graph, editor = canvas.editor.graph, canvas.editor
    nodes, links = canvas.items.read_back()
    assert nodes == {
        id: {
            "type": node.type,
            "title": editor.title(id),
            "at": node.at,
            "bypass": node.bypass,
            "params": dict(node.params),
        }
        for id, node in graph.nodes.items()
    }
    assert links == set(graph.links)
    in_scene = canvas.view.scene().items()
    assert {item.id for item in in_scene if isinstance(item, NodeItem)} == set(graph.nodes)
    assert {item.link for item in in_scene if isinstance(item, LinkItem)} == links
    for link, item in canvas.items.links.items():
        path = item.path()
        start, end = path.elementAt(0), path.elementAt(path.elementCount() - 1)
        source, target = canvas.items.nodes[link.source], canvas.items.nodes[link.target]
        assert QPointF(start.x, start.y) == source.anchor("out", link.output)
        assert QPointF(end.x, end.y) == target.anchor("in", link.input)
    assert {id for id, item in canvas.items.nodes.items() if item.isSelected()} == set(editor.selection)


class Monkey:
    """Any edit that a person could make, at random."""

    def __init__(self, editor: Editor, seed: int) -> None:
        self.editor, self.dice = editor, random.Random(seed)
        rarer = [self.unlink, self.delete, self.move, self.copy, self.rename, self.bypass, self.select]
        self.acts = [*rarer, self.add, self.add, self.travel, self.travel, *[self.link] * 4]

    def act(self) -> None:
        ids = list(self.editor.graph.nodes)
        some = self.dice.sample(ids, min(len(ids), self.dice.randint(1, 4)))
        if some:
            self.dice.choice(self.acts)(some)
        else:
            self.add(some)

    def place(self) -> tuple[float, float]:
        return self.dice.uniform(-900, 900), self.dice.uniform(-900, 900)

    def add(self, some: list[str]) -> None:
        self.editor.add(self.dice.choice(list(self.editor.registry)), self.place())

    def link(self, some: list[str]) -> None:
        source, target = self.editor.spec(some[0]), self.editor.spec(some[-1])
        takes = (*target.inputs, *target.params)
        if source.outputs and takes:
            output, input = self.dice.choice(source.outputs).name, self.dice.choice(takes).name
            self.editor.link(Link(some[0], output, some[-1], input))

    def unlink(self, some: list[str]) -> None:
        if self.editor.graph.links:
            self.editor.unlink([self.dice.choice(self.editor.graph.links)])

    def delete(self, some: list[str]) -> None:
        self.editor.delete(some)

    def move(self, some: list[str]) -> None:
        self.editor.move({id: self.place() for id in some})

    def copy(self, some: list[str]) -> None:
        if self.dice.random() < 0.5:
            self.editor.paste(self.editor.copy(some), self.place())
        else:
            self.editor.duplicate(some)

    def rename(self, some: list[str]) -> None:
        self.editor.rename(some[0], self.dice.choice(["", "Photo", "A title so long that it must be cut short"]))

    def bypass(self, some: list[str]) -> None:
        self.editor.set_bypass(some, self.dice.random() < 0.5)

    def select(self, some: list[str]) -> None:
        self.editor.select(some)

    def travel(self, some: list[str]) -> None:
        step = self.editor.undo_stack.undo if self.dice.random() < 0.6 else self.editor.undo_stack.redo
        for _ in range(self.dice.randint(1, 6)):
            step()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_random_steps_never_part_view_and_graph(canvas: Canvas, seed: int) -> None:
    editor = canvas.editor
    monkey = Monkey(editor, seed)
    editor.reset(Graph({"n1": Node("n1", "foreign.wobble", {"x": 1}, (0.0, 0.0))}))
    for step in range(1000):
        monkey.act()
        if len(editor.graph.nodes) > 40:
            editor.delete(list(editor.graph.nodes)[:20])
        if step % 10 == 0:
            assert_same(canvas)
    assert_same(canvas)
    assert editor.undo_stack.count() > 100
    while editor.undo_stack.canUndo():
        editor.undo_stack.undo()
    assert_same(canvas)
    assert list(editor.graph.nodes) == ["n1"]


def test_only_what_changed_is_touched(canvas: Canvas) -> None:
    editor = canvas.editor
    ids = [editor.add("mesh.decimate", (0, 100 * i)) for i in range(5)]
    items = dict(canvas.items.nodes)
    touched: list[str] = []
    for item in items.values():
        item.show_node = lambda *_, id=item.id: touched.append(id)  # type: ignore[method-assign, misc]
    editor.set_param(ids[2], "target_faces", 500)
    assert touched == [ids[2]]
    assert canvas.items.nodes == items


def test_an_unknown_type_shows_its_sockets_and_stays_as_it_is(canvas: Canvas) -> None:
    graph = Graph(
        {
            "a": Node("a", "foreign.maker", {"x": 1}, (0, 0)),
            "b": Node("b", "mesh.decimate", {"target_faces": 500}, (300, 0)),
            "c": Node("c", "foreign.eater", {}, (600, 0), extra={"k": [1]}),
        },
        (Link("a", "shape", "b", "mesh"), Link("b", "out", "c", "food"), Link("b", "gone", "c", "other")),
    )
    canvas.editor.reset(graph)
    assert_same(canvas)
    a, b, c = (canvas.items.nodes[id] for id in "abc")
    assert [dot.name for dot in a.face.dots] == ["shape"]
    assert {dot.name for dot in c.face.dots} == {"food", "other"}
    assert next(dot for dot in b.face.dots if dot.name == "gone").kind == "unknown"
    assert (a.missing, b.missing) == (True, False)
    assert a.foot_text[0] == "not installed"
    canvas.editor.move({"a": (5, 5)})
    canvas.editor.undo_stack.undo()
    assert canvas.editor.graph is graph


def test_links_to_nowhere_are_kept_and_not_drawn(canvas: Canvas) -> None:
    lost = Link("gone", "out", "a", "mesh")
    canvas.editor.reset(Graph({"a": Node("a", "mesh.decimate")}, (lost,)))
    assert canvas.items.read_back()[1] == set()
    canvas.editor.move({"a": (9, 9)})
    assert canvas.editor.graph.links == (lost,)


def test_node_types_that_come_later_take_the_stand_ins_place(canvas: Canvas, toys: Registry) -> None:
    canvas.editor.registry = Registry.of([])
    canvas.editor.reset(Graph({"a": Node("a", "mesh.decimate", {}, (7.0, 8.0))}))
    assert canvas.items.nodes["a"].missing
    canvas.editor.registry = toys
    assert not canvas.items.nodes["a"].missing
    assert [dot.name for dot in canvas.items.nodes["a"].face.dots] == ["mesh", "out"]


def test_badges_and_pictures_outlive_edits_and_undo(canvas: Canvas) -> None:
    editor = canvas.editor
    id = editor.add("mesh.decimate", (0, 0))
    other = editor.add("mesh.merge", (300, 0))
    editor.link(Link(id, "out", other, "first"))
    canvas.set_badge(id, Badge("failed", 1.5, "It broke."))
    picture = QImage(96, 96, QImage.Format.Format_RGBA8888)
    picture.fill(QColor("red"))
    low = canvas.items.nodes[id].face.height
    canvas.set_thumbnail(id, picture)
    assert canvas.items.nodes[id].face.height > low
    editor.rename(id, "Renamed")
    editor.delete([id])
    editor.undo_stack.undo()
    item = canvas.items.nodes[id]
    assert item.badge == Badge("failed", 1.5, "It broke.")
    assert item.picture is not None
    assert "It broke." in item.tooltip_at(item.pos() + QPointF(40, item.face.height - 5))
    assert_same(canvas)
    canvas.set_thumbnail(id, None)
    assert item.face.height == low
    editor.reset(editor.graph)
    assert canvas.items.nodes[id].badge == Badge()


def test_what_arrives_for_a_node_that_is_gone_does_no_harm(canvas: Canvas) -> None:
    canvas.set_badge("n99", Badge("ran"))
    canvas.set_progress("n99", 0.5, "half")
    canvas.set_thumbnail("n99", QImage())
    canvas.centre_on("n99")


@pytest.mark.parametrize("zoom", [0.05, 0.4, 1.0, 2.0])
def test_every_look_is_painted_at_every_zoom(canvas: Canvas, zoom: float) -> None:
    """A state draws something of its own, apart from ``idle``; paint errors would be raised by pytest-qt."""
    editor = canvas.editor
    id = editor.add("image_to_3d.inflate", (0, 0))
    editor.select([])
    canvas.view.look_at(QPointF(90, 60), zoom)
    seen = set()
    for state in STATES:
        canvas.set_badge(id, Badge(state, 2.5, "why", ("note",)))
        canvas.set_progress(id, 0.4, "step 4 of 10")
        image = canvas.view.grab().toImage()
        seen.add(bytes(image.constBits()))
    assert len(seen) >= 6
    before = canvas.view.grab().toImage()
    editor.select([id])
    assert canvas.view.grab().toImage() != before
    editor.select([])
    editor.set_bypass([id], True)
    assert canvas.view.grab().toImage() != before


def test_fit_shows_every_node_and_never_magnifies(canvas: Canvas) -> None:
    editor = canvas.editor
    for i in range(30):
        editor.add("mesh.decimate", (400 * i, 90 * (i % 7)))
    editor.select([])
    canvas.fit()
    seen = canvas.view.mapToScene(canvas.view.viewport().rect()).boundingRect()
    assert all(seen.contains(item.sceneBoundingRect()) for item in canvas.items.nodes.values())
    editor.reset(Graph({"a": Node("a", "mesh.decimate")}))
    canvas.fit()
    assert canvas.view.zoom == pytest.approx(1.0)


def test_arrange_puts_what_feeds_left_of_what_is_fed_and_nothing_overlaps(canvas: Canvas) -> None:
    editor = canvas.editor
    dice = random.Random(3)
    ids = [editor.add("mesh.merge", (dice.randint(0, 500), dice.randint(0, 500))) for _ in range(40)]
    for target in ids[2:]:
        for socket in ("first", "second"):
            editor.link(Link(dice.choice(ids[: ids.index(target)]), "out", target, socket))
    editor.select([])
    count = editor.undo_stack.count()
    canvas.arrange()
    assert editor.undo_stack.count() == count + 1
    nodes = editor.graph.nodes
    assert all(nodes[link.source].at[0] < nodes[link.target].at[0] for link in editor.graph.links)
    items = list(canvas.items.nodes.values())
    boxes = [item.mapRectToScene(item.face.body.boundingRect()) for item in items]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert_same(canvas)


def test_arrange_survives_a_circle_and_an_empty_canvas(canvas: Canvas) -> None:
    canvas.arrange()
    ring = Graph(
        {id: Node(id, "mesh.decimate") for id in "ab"}, (Link("a", "out", "b", "mesh"), Link("b", "out", "a", "mesh"))
    )
    canvas.editor.reset(ring)
    canvas.arrange()
    assert_same(canvas)


def drop(canvas: Canvas, data: QMimeData, at: QPoint) -> None:
    event = QDropEvent(
        QPointF(at), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    canvas.view.dropEvent(event)


def test_files_dropped_are_told_with_their_place(canvas: Canvas) -> None:
    spy = QSignalSpy(canvas.dropped)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/tmp/mug.png"), QUrl("https://example.org/x.png")])
    drop(canvas, data, QPoint(10, 20))
    paths, place = spy.at(0)
    assert paths == ["/tmp/mug.png"]
    assert place == canvas.view.mapToScene(QPoint(10, 20))


def test_a_type_dropped_from_the_library_is_added_there(canvas: Canvas, hand: Hand) -> None:
    data = QMimeData()
    data.setData(NODE_MIME, b"mesh.decimate")
    drop(canvas, data, QPoint(400, 300))
    (id,) = canvas.editor.graph.nodes
    assert abs(hand.body(id).y() - 300) <= 1
    data.setData(NODE_MIME, b"no.such")
    said = QSignalSpy(canvas.said)
    drop(canvas, data, QPoint(400, 300))
    assert said.count() == 1


def test_an_edit_from_elsewhere_ends_a_link_being_drawn(canvas: Canvas, hand: Hand) -> None:
    id = canvas.editor.add("mesh.decimate", (300, 300))
    item = canvas.items.nodes[id]
    canvas.view.dot_pressed.emit(item, item.face.dots[1], item.anchor("out", "out"))
    assert canvas.view.drag is not None
    canvas.editor.delete([id])
    assert canvas.view.drag is None
    assert_same(canvas)


def test_items_hold_no_pixmap_cache(canvas: Canvas) -> None:
    canvas.editor.add("mesh.decimate", (0, 0))
    kinds = {item.cacheMode() for item in canvas.view.scene().items() if isinstance(item, NodeItem | LinkItem)}
    assert kinds == {QGraphicsItem.CacheMode.NoCache}


def test_a_closed_canvas_leaves_no_timer_running(qtbot: QtBot, toys: Registry) -> None:
    editor = Editor(toys)
    canvas = Canvas(editor)
    canvas.show()
    canvas.refuse("no", QPoint(5, 5))
    assert [t for t in canvas.findChildren(QTimer) if t.isActive()]
    canvas.close()
    canvas.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(canvas)
    editor.add("mesh.decimate", (0, 0))
    editor.registry = toys


def test_durations_in_words() -> None:
    times = {0.0: "0 ms", 0.0124: "12 ms", 0.5: "0.5 s", 9.94: "9.9 s", 59.6: "1 min 00 s", 185: "3 min 05 s"}
    assert {s: duration(s) for s in times} == times


def test_replace_keeps_frames(canvas: Canvas) -> None:
    canvas.editor.reset(replace(Graph({"a": Node("a", "mesh.decimate")}), frames=({"any": 1},)))
    canvas.editor.move({"a": (3, 4)})
    assert canvas.editor.graph.frames == ({"any": 1},)


def test_sixty_diamonds_in_a_row_are_no_trap(canvas: Canvas, hand: Hand) -> None:
    """2**60 paths from end to end: arranging, linking and refusing a circle must not walk them all."""
    count = 60
    nodes = {f"n{i}": Node(f"n{i}", "mesh.merge", {}, (float(i), 0.0)) for i in range(count)}
    links = [Link(f"n{i}", "out", f"n{i + 1}", socket) for i in range(count - 1) for socket in ("first", "second")]
    canvas.editor.reset(Graph(nodes, tuple(links)))
    canvas.arrange()
    columns = [node.at[0] for node in canvas.editor.graph.nodes.values()]
    assert columns == sorted(columns)
    assert len(set(columns)) == count
    assert "circle" in canvas.editor.link(Link(f"n{count - 1}", "out", "n0", "first"))
    last = canvas.items.nodes[f"n{count - 1}"]
    canvas.view.dot_pressed.emit(last, last.face.dots[-1], last.anchor("out", "out"))
    assert not any(item.glow for item in canvas.items.nodes.values())
    canvas.view.cancel_drag()
    assert_same(canvas)


def test_a_file_with_impossible_links_is_shown_as_it_is(canvas: Canvas) -> None:
    loop, twice = Link("a", "out", "a", "mesh"), Link("b", "out", "a", "mesh")
    graph = Graph(
        {id: Node(id, "mesh.decimate", {}, (300.0 * x, 0.0)) for x, id in enumerate("ab")}, (loop, twice, twice)
    )
    canvas.editor.reset(graph)
    assert_same(canvas)
    canvas.editor.delete(["a"])
    assert_same(canvas)
    canvas.editor.undo_stack.undo()
    assert canvas.editor.graph is graph
    canvas.arrange()
    assert_same(canvas)


def test_search_puts_titles_before_letters_in_order_before_help_texts(toys: Registry) -> None:
    def found(query: str) -> list[str]:
        ranked = [(rank(query, spec), spec.id) for spec in toys.values()]
        return [id for score, id in sorted((s, i) for s, i in ranked if s is not None)]

    assert found("merge") == ["mesh.merge"]
    assert found("mesh")[:2] == ["mesh.decimate", "mesh.merge"]
    assert found("dcm") == ["mesh.decimate"]
    assert found("triangles") == ["mesh.decimate"]
    assert found("load img") == ["io.picture"]
    assert found("") == list(toys)
    assert found("qqq") == []
