"""Opening and repainting a graph of 1,000 nodes. Targets on two cores: open 2 s, repaint 50 ms.

``QT_QPA_PLATFORM=offscreen pytest benchmarks/bench_canvas.py``; ``--stock`` in a plain run
(``python benchmarks/bench_canvas.py --stock``) times NodeGraphQt's own ``NodeGraph`` on a graph of the same shape.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from app.engine import Image, Mask, Mesh, node
from app.engine.graph import Graph, Link, Node
from app.engine.registry import Registry
from app.ui.badges import Badge
from app.ui.canvas import Canvas
from app.ui.editor import Editor

COUNT = 1000


@node("image.blend", title="Blend")
def blend(first: Image, second: Image | None, mask: Mask | None, amount: float = 0.5) -> Image:
    """Two pictures as one."""
    raise NotImplementedError


@node("mesh.join", title="Join")
def join(first: Mesh, second: Mesh | None, size: float = 0.5) -> Mesh:
    """Two meshes as one."""
    raise NotImplementedError


def big_graph(count: int = COUNT) -> Graph:
    """Two links into each node, from nodes a little before it, laid out in columns of 25."""
    dice = random.Random(7)
    nodes = {
        f"n{i}": Node(f"n{i}", "mesh.join", {"size": 0.5}, (i // 25 * 260.0, i % 25 * 140.0)) for i in range(count)
    }
    links = [
        Link(f"n{dice.randint(max(0, i - 60), i - 1)}", "out", f"n{i}", socket)
        for i in range(1, count)
        for socket in ("first", "second")
    ]
    return Graph(nodes, tuple(links))


@pytest.fixture
def canvas(qtbot: Any) -> Canvas:
    made = Canvas(Editor(Registry.of([]).with_functions(blend, join)))
    qtbot.addWidget(made)
    made.resize(1920, 1080)
    made.show()
    QApplication.processEvents()
    return made


def opened(canvas: Canvas) -> None:
    canvas.editor.reset(big_graph())
    for i in range(0, COUNT, 3):
        canvas.set_badge(f"n{i}", Badge("ran", 1.5))


def look(canvas: Canvas, zoom: float) -> None:
    canvas.view.look_at(QPointF(2600, 1000), zoom)
    canvas.view.viewport().repaint()


def test_open(benchmark: Any, canvas: Canvas) -> None:
    def run() -> None:
        canvas.editor.reset(big_graph())
        canvas.fit()
        canvas.view.viewport().repaint()

    benchmark.pedantic(run, setup=lambda: canvas.editor.reset(Graph()), rounds=5)


def test_repaint_all(benchmark: Any, canvas: Canvas) -> None:
    opened(canvas)
    canvas.fit()
    benchmark(canvas.view.viewport().repaint)


@pytest.mark.parametrize("zoom", [0.29, 0.31, 0.56, 1.0, 2.0])
def test_repaint(benchmark: Any, canvas: Canvas, zoom: float) -> None:
    opened(canvas)
    look(canvas, zoom)
    benchmark(canvas.view.viewport().repaint)


def test_one_edit(benchmark: Any, canvas: Canvas) -> None:
    opened(canvas)
    canvas.fit()
    steps = iter(range(1_000_000))
    benchmark(lambda: canvas.editor.set_param("n500", "size", float(next(steps))))


def test_move_all(benchmark: Any, canvas: Canvas) -> None:
    opened(canvas)
    steps = iter(range(1_000_000))

    def run() -> None:
        step = float(next(steps))
        canvas.editor.move({id: (n.at[0] + step, n.at[1]) for id, n in canvas.editor.graph.nodes.items()})

    benchmark(run)


def test_start_a_link(benchmark: Any, canvas: Canvas) -> None:
    opened(canvas)
    look(canvas, 1.0)
    item = canvas.items.nodes["n500"]

    def run() -> None:
        canvas.view.dot_pressed.emit(item, item.face.dots[-1], item.anchor("out", "out"))
        canvas.view.cancel_drag()

    benchmark(run)


def test_arrange(benchmark: Any, canvas: Canvas) -> None:
    opened(canvas)
    benchmark.pedantic(canvas.arrange, rounds=3)


def stock(count: int) -> None:
    """The same graph in NodeGraphQt's own NodeGraph, its undo stack switched off."""
    from NodeGraphQt import BaseNode, NodeGraph

    class Join(BaseNode):  # type: ignore[misc]
        __identifier__ = "stock"
        NODE_NAME = "Join"

        def __init__(self) -> None:
            super().__init__()
            self.add_input("first")
            self.add_input("second")
            self.add_output("out")

    QApplication.instance() or QApplication([])
    graph = NodeGraph()
    graph.register_node(Join)
    graph.widget.resize(1920, 1080)
    graph.widget.show()
    start = time.perf_counter()
    made = {}
    source = big_graph(count)
    for id, n in source.nodes.items():
        made[id] = graph.create_node("stock.Join", name=id, pos=n.at, selected=False, push_undo=False)
    for link in source.links:
        made[link.source].output(0).connect_to(made[link.target].inputs()[link.input], push_undo=False)
    print(f"stock, {count} nodes: open {time.perf_counter() - start:.2f} s", end="")
    viewer = graph.viewer()
    viewer.resize(1920, 1080)
    viewer.show()
    QApplication.processEvents()
    for label, act in (("all", lambda: viewer.zoom_to_nodes(viewer.all_nodes())), ("1:1", viewer.reset_zoom)):
        act()
        viewer.viewport().repaint()
        start = time.perf_counter()
        for _ in range(3):
            viewer.viewport().repaint()
        print(f", repaint {label} {(time.perf_counter() - start) / 3 * 1000:.0f} ms", end="")
    print()


if __name__ == "__main__" and "--stock" in sys.argv:
    stock(COUNT)
