"""Times of the viewer: a million triangles from payload to first frame, frames while looking around, thumbnails.

Run under a display: ``pytest benchmarks/bench_viewer.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine.payloads import Image, Material, Mesh
from viewer.facts import closed
from viewer.preview_ball import preview_ball
from viewer.proxy import coarse
from viewer.thumbnails import thumbnail
from viewer.turntable import turn

ROUNDS = {"rounds": 5, "iterations": 1, "warmup_rounds": 1}


def _ball(rings: int, sectors: int, material: Material | None = None) -> Mesh:
    return replace(preview_ball(Material(), rings, sectors), material=material)


@pytest.fixture(scope="module")
def million() -> Mesh:
    made = _ball(720, 720)
    assert len(made.faces) > 1_000_000
    return made


@pytest.fixture(scope="module")
def textured() -> Mesh:
    noise = np.random.default_rng(0).integers(0, 255, (1024, 1024, 3), np.uint8)
    return _ball(70, 140, Material(base_colour=Image.of(noise)))


@pytest.fixture
def panel(qtbot):
    from viewer import gl
    from viewer.panel import ViewerPanel

    if not gl.on_screen().works:
        pytest.skip("no display with OpenGL")
    made = ViewerPanel()
    made.resize(1024, 768)
    made.show()
    qtbot.waitExposed(made)
    made.show_payload(_ball(8, 8), "warm up")
    yield made
    made.shutdown()
    made.close()


def _wait(panel) -> None:
    panel.viewport.plotter.render_window.WaitForCompletion()


def _step(panel) -> None:
    turn(panel.viewport.plotter.renderer.camera, 0.1, 0)
    panel.viewport.plotter.render_window.Render()
    _wait(panel)


def test_a_million_triangles_from_payload_to_first_frame(benchmark, panel, million):
    turns = iter(range(100))

    def show() -> None:
        panel.show_payload(million, f"n{next(turns)}")
        _wait(panel)

    benchmark.pedantic(show, **ROUNDS)


@pytest.mark.parametrize("edges", [False, True], ids=["shaded", "wireframe"])
def test_frame_of_a_million_triangles_at_rest(benchmark, panel, million, edges):
    panel.viewport.set_edges(edges)
    panel.show_payload(million, "a")
    benchmark.pedantic(lambda: _step(panel), **ROUNDS)


def test_frame_of_a_million_triangles_while_moving(benchmark, panel, million, qtbot):
    panel.show_payload(million, "a")
    if panel.viewport.software:
        qtbot.waitUntil(lambda: bool(panel.viewport.scene._coarse_actors), timeout=60_000)
    panel.viewport._began()
    benchmark.pedantic(lambda: _step(panel), **ROUNDS)


@pytest.mark.parametrize("mode", ["shaded", "textured", "uv"])
def test_frame_of_twenty_thousand_triangles(benchmark, panel, textured, mode):
    panel.show_payload(textured, "a")
    panel.viewport.set_mode(mode)
    benchmark.pedantic(lambda: _step(panel), **ROUNDS)


def test_first_textured_frame_of_a_new_window(benchmark, panel, textured):
    def show() -> None:
        panel.show_payload(textured, "a")
        _wait(panel)

    benchmark.pedantic(show, rounds=1, iterations=1)


def test_stand_in_for_a_million_triangles(benchmark, million):
    benchmark.pedantic(lambda: coarse(million), **ROUNDS)


def test_is_a_million_triangles_closed(benchmark, million):
    benchmark.pedantic(lambda: closed(million), **ROUNDS)


@pytest.mark.parametrize("faces", ["20k", "1M"])
def test_thumbnail_of_a_mesh(benchmark, million, textured, faces):
    mesh = million if faces == "1M" else textured
    benchmark.pedantic(lambda: thumbnail(mesh), **ROUNDS)


def test_thumbnail_of_a_picture_of_twelve_megapixels(benchmark):
    pixels = np.random.default_rng(0).random((3000, 4000, 4), np.float32)
    image = Image(pixels)
    benchmark.pedantic(lambda: thumbnail(image), **ROUNDS)
