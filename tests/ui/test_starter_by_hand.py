"""The real window with the real nodes, worker process and viewer, built up and used with mouse and keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from person import CTRL, SHIFT, Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import Answers

from app.engine.worker import Setup
from app.ui.settings import Settings
from app.ui.start import make_window
from app.ui.window import MainWindow
from viewer import gl
from viewer.panel import ViewerPanel
from viewer.thumbnails import thumbnail

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "resources" / "samples" / "toy_rocket.jpg"
TOYS = ROOT / "tests" / "toys"
PLACES = {
    "photo": ("load image", 60, 60),
    "cut_out": ("cut out", 300, 60),
    "inflate": ("inflate", 540, 60),
    "decimate": ("decimate", 60, 320),
    "unwrap": ("unwrap", 300, 320),
    "bake": ("bake", 540, 320),
    "export": ("export glb", 300, 500),
}
LINKS = (
    ("photo", "out", "cut_out", "image"),
    ("cut_out", "image", "inflate", "image"),
    ("inflate", "out", "decimate", "mesh"),
    ("decimate", "out", "unwrap", "mesh"),
    ("inflate", "out", "bake", "source"),
    ("unwrap", "out", "bake", "target"),
    ("bake", "out", "export", "mesh"),
)
SETTINGS = (
    ("photo", "path", str(PHOTO)),
    ("photo", "longest_side", "200"),
    ("inflate", "faces", "4000"),
    ("inflate", "resolution", "96"),
    ("inflate", "texture_size", "256"),
    ("decimate", "target_faces", "600"),
    ("unwrap", "texture_size", "256"),
    ("bake", "size", "128"),
)


class RealDesk:
    """As ``main.py`` puts it together. ``folder``: everything that is remembered or written lies in there."""

    def __init__(self, folder: Path, *node_folders: Path) -> None:
        settings = Settings.at(folder / "home")
        self.answers = Answers(settings)
        self.viewer = ViewerPanel()
        setup = Setup(folder / "store", ("nodes",), node_folders)
        self.window: MainWindow = make_window(setup, settings, self.viewer, thumbnail, self.answers)  # type: ignore[arg-type]
        self.editor = self.window.desk.editor

    def state(self, id: str) -> str:
        return self.window.canvas.badge(id).state

    def close(self) -> None:
        self.answers.on_unsaved = "discard"
        self.window.close()


@pytest.fixture
def start(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    opened: list[RealDesk] = []

    def start(*node_folders: Path) -> Person:
        desk = RealDesk(tmp_path, *node_folders)
        opened.append(desk)
        desk.window.resize(1500, 940)
        with qtbot.waitActive(desk.window):
            desk.window.show()
            desk.window.activateWindow()
        QTest.qWait(50)
        return Person(desk)

    yield start
    for desk in opened:
        desk.close()


def build(person: Person) -> dict[str, str]:
    ids = {name: person.add(*place) for name, place in PLACES.items()}
    for source, output, target, input in LINKS:
        person.link(ids[source], output, ids[target], input)
    for name, param, text in SETTINGS:
        person.click(ids[name])
        person.type_into(param, text)
    return ids


def run(person: Person, qtbot: QtBot) -> str:
    with qtbot.waitSignal(person.window.desk.runs.finished, timeout=90_000) as ended:
        person.key(Qt.Key.Key_F5)
    return str(ended.args[0])


@pytest.mark.timeout(180)
def test_the_starter_by_hand(start: Callable[..., Person], qtbot: QtBot, tmp_path: Path) -> None:
    person = start()
    desk, editor = person.desk, person.desk.editor
    ids = build(person)
    assert len(editor.graph.links) == len(LINKS)
    qtbot.waitUntil(lambda: {desk.state(id) for id in ids.values()} == {"idle"})
    steps = editor.undo_stack.count()
    assert steps == len(PLACES) + len(LINKS) + len(SETTINGS)

    desk.answers.path = tmp_path / "made by hand.graph"
    person.key(Qt.Key.Key_S, CTRL)
    assert not desk.window.isWindowModified()
    assert run(person, qtbot) == "ok"
    assert [desk.state(id) for id in ids.values()] == ["ran"] * len(ids)
    items = person.window.canvas.items.nodes
    qtbot.waitUntil(lambda: all(items[id].picture is not None for id in ids.values()))
    [glb] = (tmp_path / "out").glob("*.glb")
    assert glb.read_bytes()[:4] == b"glTF"
    person.click(ids["bake"])
    if gl.on_screen().works:
        qtbot.waitUntil(lambda: "600 triangles" in desk.viewer._foot.text(), timeout=20_000)
        assert desk.viewer.viewport.scene.mode == "textured"

    assert run(person, qtbot) == "ok"
    assert [desk.state(id) for id in ids.values()] == ["reused"] * len(ids)

    built = editor.graph
    person.view.setFocus()
    while editor.undo_stack.canUndo():
        person.key(Qt.Key.Key_Z, CTRL)
    assert not editor.graph.nodes
    while editor.undo_stack.canRedo():
        person.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert editor.graph == built and not desk.window.isWindowModified()

    person.click(ids["bake"])
    person.type_into("size", "4096")
    person.key(Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: desk.state(ids["bake"]) == "running", timeout=20_000)
    with qtbot.waitSignal(person.window.desk.runs.finished, timeout=20_000) as ended:
        person.key(Qt.Key.Key_F5, SHIFT)
    assert ended.args[0] == "cancelled"
    assert desk.state(ids["bake"]) == "cancelled" and desk.state(ids["unwrap"]) == "reused"
    desk.close()

    person = start()
    desk = person.desk
    desk.answers.path = tmp_path / "made by hand.graph"
    person.key(Qt.Key.Key_O, CTRL)
    assert desk.editor.graph.nodes == built.nodes and desk.editor.graph.links == built.links
    qtbot.waitUntil(lambda: {desk.state(id) for id in ids.values()} == {"reused"}, timeout=20_000)
    qtbot.waitUntil(lambda: person.window.canvas.items.nodes[ids["bake"]].picture is not None, timeout=20_000)
    person.click(ids["bake"])
    if gl.on_screen().works:
        qtbot.waitUntil(lambda: "600 triangles" in desk.viewer._foot.text(), timeout=20_000)


@pytest.mark.timeout(120)
def test_a_node_that_kills_the_worker_leaves_the_window_alive(start: Callable[..., Person], qtbot: QtBot) -> None:
    person = start(TOYS)
    desk = person.desk
    number = person.add("number", 60, 60)
    bad = person.add("crash", 300, 60)
    person.link(number, "out", bad, "a")
    assert run(person, qtbot) == "partial"
    assert (desk.state(number), desk.state(bad)) in (("ran", "failed"), ("reused", "failed"))
    said = desk.window.canvas.badge(bad).message
    assert said and said in desk.window.log.plain()
    person.click(bad)
    qtbot.waitUntil(lambda: desk.window.inspector.page.card.text.isVisible())
    assert said in desk.window.inspector.page.card.text.text()

    person.key(Qt.Key.Key_Delete)
    assert set(desk.editor.graph.nodes) == {number}
    person.click(number)
    person.type_into("value", "7")
    assert run(person, qtbot) == "ok"
    assert desk.state(number) == "ran"
