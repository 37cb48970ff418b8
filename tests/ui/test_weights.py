"""Weights in the window: seen on the canvas before a run, got by a click, paused, imported, refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from weight_server import CONTENT, Server, card_at, serving
from window_kit import Desk

from app.engine import Number, graph_file, node, weight_fetch, weight_queue
from app.engine.graph import Graph, Link, Node
from app.engine.weight_files import partial_of, path_of, place_of, state
from app.engine.weights import WeightCard, WeightFile
from app.ui import facts
from app.ui.weight_mark import Mark
from app.ui.weight_words import limits, size_text
from app.ui.weights import Stand

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def cards(server: Server) -> dict[str, WeightCard]:
    plain = replace(card_at(server.url), title="Toy net", weights_licence="CC-BY-NC-4.0", non_commercial=True)
    other = WeightFile("toy.bin", len(CONTENT), "0" * 64)
    return {
        "small": replace(plain, role="small"),
        "wrong": replace(plain, files=(other,), name="wrong", revision="v2", title="Wrong net", role="wrong"),
        "agpl": replace(plain, name="agpl", revision="v3", code_licence="AGPL-3.0", non_commercial=False, role="agpl"),
    }


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path, cards: dict[str, WeightCard], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(weight_fetch, "WAIT_S", 0.0)
    monkeypatch.setattr(weight_fetch, "BLOCK", 50_000)
    monkeypatch.setattr(weight_queue, "TELL_EVERY_S", 0.0)

    @node("toy.net", title="Net", models=tuple(cards.values()), devices=("cpu", "cuda"), vram_gb=4.0)
    def net(number: Number, model: Literal["small", "wrong", "agpl", "none"] = "small") -> Number:
        """A number through a network of one weight."""
        if model != "none":
            path_of(cards[model], "toy.bin")
        return Number(number.value + 1)

    made = Desk(tmp_path, net)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.answers.on_sure = True
    made.close()


def chain(desk: Desk) -> tuple[str, str, str, str]:
    """(value, network, what follows it, what does not need it)."""
    a, n, after, beside = desk.add("value"), desk.add("net"), desk.add("add"), desk.add("add")
    for source, target, input in ((a, n, "number"), (n, after, "first"), (a, beside, "first")):
        desk.editor.link(Link(source, "out", target, input))
    desk.editor.select([])
    return a, n, after, beside


def mark(desk: Desk, id: str) -> Mark | None:
    return desk.window.canvas.items.nodes[id].mark


def until_mark(desk: Desk, qtbot: QtBot, id: str, state: str) -> Mark:
    qtbot.waitUntil(lambda: (found := mark(desk, id)) is not None and found.state == state, timeout=10_000)
    found = mark(desk, id)
    assert found is not None
    return found


def click_mark(desk: Desk, qtbot: QtBot, id: str) -> None:
    view, item = desk.window.canvas.view, desk.window.canvas.items.nodes[id]
    desk.window.canvas.centre_on(id)
    place = QPoint(view.mapFromScene(item.pos() + item.face.mark_box.center()))
    QTest.mouseClick(view.viewport(), LEFT, pos=place)
    qtbot.wait(10)


def run(desk: Desk, qtbot: QtBot) -> str:
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000) as ended:
        desk.window.actions_by_id["run"].trigger()
    return str(ended.args[0])


def test_the_mark_is_there_before_the_run_and_one_click_gets_the_weights(
    desk: Desk, qtbot: QtBot, server: Server, cards: dict[str, WeightCard]
) -> None:
    _, n, after, beside = chain(desk)
    told = until_mark(desk, qtbot, n, "missing")
    assert told.word == "needs weights, 0.8 MB" and mark(desk, after) is None
    assert desk.window.canvas.items.nodes[n].foot_text[0] == told.word
    for text in ("Toy net", "0.8 MB", "CC-BY-NC-4.0", "Not for commercial use", "Click the mark"):
        assert text in told.tooltip
    assert desk.window.run_bar.lacking.text() == "1 node lacks weights"
    desk.answers.on_licence = False
    click_mark(desk, qtbot, n)
    question = desk.answers.asked[-1]
    assert question.startswith("Download 0.8 MB under this licence?") and question.endswith("WARN")
    assert "CC-BY-NC-4.0" in question and "Not for commercial use." in question and server.url in question
    assert "Wrong net" not in question and server.asked == [], "nothing is fetched without a yes"
    desk.answers.on_licence = True
    server.gate.clear()
    click_mark(desk, qtbot, n)
    until_mark(desk, qtbot, n, "running")
    qtbot.waitUntil(lambda: (found := mark(desk, n)) is not None and found.fraction > 0.2, timeout=10_000)
    assert desk.window.models.button.isVisible() and "% of 0.8 MB" in desk.window.models.button.text()
    server.gate.set()
    qtbot.waitUntil(lambda: mark(desk, n) is None, timeout=10_000)
    assert path_of(cards["small"], "toy.bin").read_bytes() == CONTENT
    assert not desk.window.models.button.isVisible() and desk.window.run_bar.lacking.text() == ""
    assert "Toy net is on this machine now." in desk.window.log.plain()
    assert run(desk, qtbot) == "ok" and {desk.state(id) for id in (n, after, beside)} == {"ran"}


def test_a_run_without_the_weights_blocks_only_what_needs_them_and_goes_on_when_they_came(
    desk: Desk, qtbot: QtBot
) -> None:
    _, n, after, beside = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    assert run(desk, qtbot) == "partial"
    assert [desk.state(id) for id in (n, after, beside)] == ["failed", "blocked", "ran"]
    assert desk.now(after).message == "It waits for Net, which gave no result."
    assert mark(desk, n) is not None and desk.window.canvas.items.nodes[n].foot_text[0].startswith("needs")
    click_mark(desk, qtbot, n)
    qtbot.waitUntil(lambda: mark(desk, n) is None, timeout=10_000)
    qtbot.waitUntil(lambda: desk.state(n) == desk.state(after) == "idle", timeout=10_000)
    assert run(desk, qtbot) == "ok" and desk.state(after) == "ran"


def test_the_automatic_run_takes_up_what_the_weights_held_up(desk: Desk, qtbot: QtBot) -> None:
    _, n, _, _ = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    desk.window.running.set_auto(True)
    with qtbot.waitSignal(desk.window.desk.runs.finished, timeout=20_000) as ended:
        click_mark(desk, qtbot, n)
    assert ended.args[0] == "ok" and desk.state(n) == "ran"


def test_the_mark_follows_the_node_s_parameters(desk: Desk, qtbot: QtBot) -> None:
    _, n, _, _ = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    desk.editor.set_param(n, "model", "none")
    assert mark(desk, n) is None
    desk.editor.undo_stack.undo()
    assert mark(desk, n) is not None
    desk.editor.set_bypass([n], True)
    assert mark(desk, n) is None, "a bypassed node needs nothing"
    desk.editor.set_bypass([n], False)
    desk.editor.set_param(n, "model", "agpl")
    assert "AGPL: a program or service built on it" in str(mark(desk, n))


def test_pause_keeps_the_part_and_going_on_fetches_only_the_rest(
    desk: Desk, qtbot: QtBot, server: Server, cards: dict[str, WeightCard]
) -> None:
    _, n, _, _ = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    server.gate.clear()
    desk.editor.select([n])
    (box,) = desk.window.inspector.page.weights.parts
    assert box.get.isVisible() and box.get.text() == "Get…" and "Not for commercial use" in box.limits.text()
    QTest.mouseClick(box.get, LEFT)
    until_mark(desk, qtbot, n, "running")
    qtbot.waitUntil(lambda: box.bar.value() > 200, timeout=10_000)
    QTest.mouseClick(box.pause, LEFT)
    until_mark(desk, qtbot, n, "paused")
    server.gate.set()
    queue = desk.window.desk.weights.queue
    qtbot.waitUntil(lambda: queue._thread is None, timeout=10_000)
    came = partial_of(place_of(cards["small"], "toy.bin")).stat().st_size
    assert came > 0 and box.get.text() == "Go on…" and not box.pause.isVisible()
    QTest.mouseClick(box.get, LEFT)
    qtbot.waitUntil(lambda: mark(desk, n) is None, timeout=10_000)
    assert server.asked == ["GET", f"GET bytes={came}-"]
    assert not box.get.isVisible() and "ready" in box.state.text()


def test_what_is_not_as_published_is_refused_in_words(
    desk: Desk, qtbot: QtBot, cards: dict[str, WeightCard], server: Server
) -> None:
    _, n, _, _ = chain(desk)
    desk.editor.set_param(n, "model", "wrong")
    until_mark(desk, qtbot, n, "missing")
    click_mark(desk, qtbot, n)
    told = until_mark(desk, qtbot, n, "failed")
    assert "not the published file" in told.tooltip
    assert "Wrong net: What came as toy.bin of Wrong net is not the published file" in desk.window.log.plain()
    assert state(cards["wrong"]) == "missing" and run(desk, qtbot) == "partial"
    desk.editor.select([n])
    (box,) = desk.window.inspector.page.weights.parts
    assert "not the published file" in box.about.text() and box.get.text() == "Try again…"


def test_the_dialog_lists_every_card_and_imports_files(
    desk: Desk, qtbot: QtBot, tmp_path: Path, cards: dict[str, WeightCard], server: Server
) -> None:
    _, n, _, _ = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    desk.window.actions_by_id["models"].trigger()
    dialog = desk.window.models.dialog
    assert dialog is not None and dialog.isVisible() and not dialog.isModal()
    assert set(dialog.list.shown()) == {"toy", "wrong", "agpl"}
    dialog.list.field.setText("wrong")
    assert dialog.list.shown() == ["wrong"] and dialog.page.card == cards["wrong"]
    dialog.list.field.setText("net")
    dialog.list.show_box.setCurrentIndex(dialog.list.show_box.findData("graph"))
    assert dialog.list.shown() == ["toy"] and dialog.page.card == cards["small"]
    page = dialog.page
    assert page.facts["Weights"].text() == "CC-BY-NC-4.0" and page.facts["Code"].text() == "MIT"
    assert page.limits.text() == "Not for commercial use." and page.users.text() == "Used by Net"
    assert page.facts["Memory"].text() == "about 0.1 GB in 16 bits, 0.2 GB in 32"
    assert not page.buttons["verify"].isEnabled() and "free" in dialog.place.text()
    assert not dialog.change.isEnabled() and "POLYLOOM_WEIGHTS" in dialog.change.toolTip()
    desk.answers.path = tmp_path / "mine.bin"
    desk.answers.path.write_bytes(CONTENT[::-1])
    QTest.mouseClick(page.buttons["file"], LEFT)
    qtbot.waitUntil(lambda: "mine.bin is no file of Toy net" in desk.window.log.plain(), timeout=10_000)
    assert state(cards["small"]) == "missing"
    desk.answers.path.write_bytes(CONTENT)
    QTest.mouseClick(page.buttons["file"], LEFT)
    qtbot.waitUntil(lambda: mark(desk, n) is None, timeout=10_000)
    assert server.asked == [] and "Ready" in page.state.text() and page.buttons["verify"].isEnabled()
    place = place_of(cards["small"], "toy.bin")
    stat = place.stat()
    place.write_bytes(CONTENT[:-1] + b"?")
    QTest.mouseClick(page.buttons["verify"], LEFT)
    told = until_mark(desk, qtbot, n, "damaged")
    assert told.word == "weights damaged" and place.stat().st_size == stat.st_size
    assert page.buttons["get"].text() == "Get again…"


def test_a_folder_is_imported_by_the_names_in_it(
    desk: Desk, qtbot: QtBot, tmp_path: Path, cards: dict[str, WeightCard]
) -> None:
    (tmp_path / "mine").mkdir()
    desk.answers.path = tmp_path / "mine"
    desk.window.models.do("folder", cards["small"])
    qtbot.waitUntil(lambda: "mine holds no file of Toy net" in desk.window.log.plain(), timeout=10_000)
    (tmp_path / "mine" / "toy.bin").write_bytes(CONTENT)
    with qtbot.waitSignal(desk.window.desk.weights.arrived, timeout=10_000):
        desk.window.models.do("folder", cards["small"])
    assert state(cards["small"]) == "ready"


def test_a_mirror_is_remembered_and_asked(
    desk: Desk, qtbot: QtBot, server: Server, cards: dict[str, WeightCard]
) -> None:
    desk.window.models.open("toy")
    dialog = desk.window.models.dialog
    assert dialog is not None
    QTest.keyClicks(dialog.page.mirror, "nonsense")
    QTest.keyClick(dialog.page.mirror, Qt.Key.Key_Return)
    assert dialog.page.mirror.property("bad") and desk.settings.mirrors == {}
    dialog.page.mirror.setText(f"{server.url}/mirror")
    QTest.keyClick(dialog.page.mirror, Qt.Key.Key_Return)
    assert desk.settings.mirrors == {"toy": f"{server.url}/mirror"}
    with qtbot.waitSignal(desk.window.desk.weights.arrived, timeout=10_000):
        QTest.mouseClick(dialog.page.buttons["get"], LEFT)
    assert server.paths == ["/mirror/toy.bin"] and f"From {server.url}/mirror" in desk.answers.asked[-1]


def test_offline_is_said_and_importing_still_works(
    desk: Desk, qtbot: QtBot, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _, n, _, _ = chain(desk)
    until_mark(desk, qtbot, n, "missing")
    click_mark(desk, qtbot, n)
    assert desk.answers.asked[-1].startswith("Nothing is downloaded: HF_HUB_OFFLINE forbids")
    desk.window.models.open("toy")
    dialog = desk.window.models.dialog
    assert dialog is not None and dialog.banner.isVisible()
    assert "HF_HUB_OFFLINE" in dialog.banner.findChild(QLabel).text()
    assert not dialog.page.buttons["get"].isEnabled() and dialog.page.buttons["file"].isEnabled()
    assert server.asked == []


def test_closing_with_a_download_under_way_asks_and_keeps_what_came(
    desk: Desk, qtbot: QtBot, server: Server, cards: dict[str, WeightCard]
) -> None:
    server.gate.clear()
    desk.window.desk.weights.get([cards["small"]])
    part = partial_of(place_of(cards["small"], "toy.bin"))
    qtbot.waitUntil(lambda: part.is_file() and part.stat().st_size > 0, timeout=10_000)
    desk.window.close()
    assert desk.window.isVisible() and "Toy net is still on its way" in desk.answers.asked[-1]
    desk.answers.on_sure = True
    server.gate.set()
    desk.window.close()
    assert not desk.window.isVisible()
    assert part.is_file() or state(cards["small"]) == "ready"


def test_the_window_can_be_used_while_files_come(
    desk: Desk, qtbot: QtBot, server: Server, cards: dict[str, WeightCard]
) -> None:
    server.gate.clear()
    desk.window.models.open("toy")
    desk.window.desk.weights.get([cards["small"], cards["agpl"]])
    a = desk.add("value")
    b = desk.add("add")
    desk.editor.link(Link(a, "out", b, "first"))
    assert run(desk, qtbot) == "ok" and desk.state(b) == "ran"
    queue = desk.window.desk.weights.queue
    assert [entry.state for entry in queue.entries] == ["running", "waiting"]
    assert "1 more waiting" in desk.window.models.dialog.queue_text.text()
    server.gate.set()
    qtbot.waitUntil(lambda: not queue.pending and not queue.entries, timeout=10_000)
    assert "2 of 3 are on this machine" in desk.window.models.dialog.queue_text.text()


def test_the_folder_is_chosen_in_the_dialog(
    desk: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cards: dict[str, WeightCard]
) -> None:
    monkeypatch.setenv("POLYLOOM_HOME", str(tmp_path / "own home"))
    monkeypatch.delenv("POLYLOOM_WEIGHTS")
    desk.window.models.open("toy")
    dialog = desk.window.models.dialog
    assert (dialog is not None and dialog.change.isEnabled()) or dialog.show_folder() is None
    desk.answers.path = tmp_path / "big disk"
    QTest.mouseClick(dialog.change, LEFT)
    assert "big disk" in dialog.place.text() and (tmp_path / "big disk").is_dir()
    with qtbot.waitSignal(desk.window.desk.weights.arrived, timeout=10_000):
        QTest.mouseClick(dialog.page.buttons["get"], LEFT)
    assert place_of(cards["small"], "toy.bin").is_relative_to(tmp_path / "big disk")


def test_sizes_limits_and_tiers_in_words(cards: dict[str, WeightCard], desk: Desk) -> None:
    assert [size_text(n) for n in (500, 123_456, 4_885_111, 67_040_989, 999_600_000, 1_677_246_742)] == [
        "0.5 kB", "0.1 MB", "4.9 MB", "67 MB", "1.0 GB", "1.7 GB"
    ]  # fmt: skip
    assert limits(cards["small"]) == ("Not for commercial use",) and limits(cards["agpl"])[0].startswith("AGPL")
    spec = desk.editor.registry["toy.net"]
    assert facts.tier(spec) == "GPU memory 4-8 GB · runs on the CPU, slowly"
    assert facts.tier(replace(spec, devices=("cuda",))) == "GPU memory 4-8 GB · not without a GPU"
    assert "Took about" not in facts.about(spec) and "Took about 2 min here of late." in facts.about(spec, 125.0)
    assert "non-commercial" in facts.about(spec) and "0.8 MB" in facts.about(spec)
    assert facts.family_title("segment") == "Cut out" and facts.family_title("control") == "Control maps"
    assert Stand(cards["small"], "").ready is False


def test_the_gallery_tells_what_an_example_asks_for(
    desk: Desk, qtbot: QtBot, cards: dict[str, WeightCard], tmp_path: Path
) -> None:
    folder = desk.window.files.examples_folder
    folder.mkdir(parents=True)
    nodes = {"plain": ("none",), "small": ("small", "small", "none"), "two": ("small", "agpl")}
    for name, models in nodes.items():
        graph = Graph({f"n{i}": Node(f"n{i}", "toy.net", {"model": model}) for i, model in enumerate(models)})
        graph_file.save(folder / f"{name}.graph", graph)

    def feet() -> list[str]:
        desk.window.actions_by_id["examples"].trigger()
        gallery = desk.window.files.gallery
        assert gallery is not None
        gallery.close()
        return [card.foot.text() for card in gallery.cards]

    qtbot.waitUntil(lambda: desk.window.desk.weights.stand("toy").state == "missing")
    size = size_text(len(CONTENT))
    assert feet() == [
        "1 node", f"3 nodes · 1 model, {size} to get", f"2 nodes · 2 models, {size_text(2 * len(CONTENT))} to get",
    ]  # fmt: skip
    (tmp_path / "toy.bin").write_bytes(CONTENT)
    desk.window.desk.weights.bring(cards["small"], tmp_path / "toy.bin")
    qtbot.waitUntil(lambda: desk.window.desk.weights.stand("toy").ready)
    assert feet()[1:] == ["3 nodes · 1 model, all here", f"2 nodes · 2 models, {size} to get"]
