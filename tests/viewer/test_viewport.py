from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from viewer_samples import FOUR_COLOURS, field, one_of_each, picture, quad, sphere

from app.engine.errors import CannotWrite
from app.engine.payloads import Image, Material, Mesh, PointCloud, Text
from viewer.thumbnails import thumbnail

pytestmark = pytest.mark.display


def _camera(panel) -> tuple:
    camera = panel.viewport.plotter.camera
    return camera.position, camera.focal_point, camera.up


def _drag(widget, button, start, end, modifier=Qt.KeyboardModifier.NoModifier):
    def send(kind, at, which, held):
        place = QPointF(*at)
        event = QMouseEvent(kind, place, widget.mapToGlobal(place), which, held, modifier)
        QApplication.sendEvent(widget, event)

    send(QEvent.Type.MouseButtonPress, start, button, button)
    for k in range(1, 5):
        at = [a + (b - a) * k / 4 for a, b in zip(start, end, strict=True)]
        send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, button)
    send(QEvent.Type.MouseButtonRelease, end, button, Qt.MouseButton.NoButton)


def test_the_camera_stays_while_the_source_is_the_same(panel):
    panel.show_payload(sphere(), "a")
    before = _camera(panel)
    panel.show_payload(replace(sphere(), vertices=sphere().vertices * np.float32(3)), "a")
    assert _camera(panel) == before
    panel.show_payload(picture(), "b")
    panel.show_payload(sphere(), "a")
    assert _camera(panel) == before


def test_another_source_is_framed_from_the_same_side(panel):
    panel.show_payload(sphere(), "a")
    (position, focus, _) = _camera(panel)
    panel.show_payload(replace(sphere(), vertices=sphere().vertices * np.float32(100)), "b")
    (far, centre, _) = _camera(panel)
    way, other = np.subtract(position, focus), np.subtract(far, centre)
    assert np.linalg.norm(other) == pytest.approx(100 * np.linalg.norm(way), rel=1e-3)
    assert np.allclose(way / np.linalg.norm(way), other / np.linalg.norm(other))


def test_a_view_set_by_hand_outlives_a_change_of_source(panel):
    panel.show_payload(sphere(), "a")
    _drag(panel.viewport.plotter, Qt.MouseButton.LeftButton, (200, 200), (260, 230))
    before = _camera(panel)
    panel.show_payload(replace(sphere(), vertices=sphere().vertices * np.float32(1.2)), "b")
    assert _camera(panel) == before


def test_left_orbits_middle_and_shift_pan_wheel_zooms(panel):
    panel.show_payload(sphere(), "a")
    plotter, (position, focus, _) = panel.viewport.plotter, _camera(panel)
    reach = np.linalg.norm(np.subtract(position, focus))
    _drag(plotter, Qt.MouseButton.LeftButton, (200, 200), (260, 200))
    turned, same_focus, up = _camera(panel)
    assert same_focus == pytest.approx(focus)
    assert up == (0, 1, 0)
    assert turned[1] == pytest.approx(position[1])
    assert np.linalg.norm(np.subtract(turned, focus)) == pytest.approx(reach)
    assert not np.allclose(turned, position)
    for button, modifier in (
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier),
    ):
        position, focus, _ = _camera(panel)
        _drag(plotter, button, (200, 200), (240, 200), modifier)
        moved, aim, _ = _camera(panel)
        assert not np.allclose(aim, focus)
        assert np.allclose(np.subtract(moved, aim), np.subtract(position, focus))
    panel.viewport._style.InvokeEvent("MouseWheelForwardEvent")
    moved, aim, _ = _camera(panel)
    assert np.linalg.norm(np.subtract(moved, aim)) < 0.95 * reach


def test_keys_look_from_the_sides_and_frame(panel):
    panel.show_payload(sphere(), "a")
    for key, axis in ((Qt.Key.Key_1, 2), (Qt.Key.Key_3, 0), (Qt.Key.Key_7, 1)):
        QTest.keyClick(panel.viewport, key)
        position, focus, _ = _camera(panel)
        way = np.subtract(position, focus)
        assert np.argmax(way) == axis
        assert way[axis] == pytest.approx(np.linalg.norm(way))
        QTest.keyClick(panel.viewport, key, Qt.KeyboardModifier.ControlModifier)
        assert np.subtract(*_camera(panel)[:2])[axis] < 0
    panel.viewport.plotter.camera.focal_point = (50, 50, 50)
    QTest.keyClick(panel.viewport, Qt.Key.Key_F)
    assert _camera(panel)[1] == pytest.approx((0, 0.5, 0), abs=1e-5)


def test_a_textured_quad_has_the_colours_of_its_texture(panel):
    panel.show_payload(quad(), "a")
    panel.viewport.set_grid(False)
    panel.viewport.set_mode("base")
    panel.viewport.look_from("front")
    shot = panel.viewport.pixels().astype(int)
    height, width = shot.shape[:2]
    step = min(height, width) // 6
    for row, y in ((0, height // 2 - step), (1, height // 2 + step)):
        for column, x in ((0, width // 2 - step), (1, width // 2 + step)):
            assert np.abs(shot[y, x] - FOUR_COLOURS[row, column]).max() <= 1


def test_modes_follow_what_the_mesh_carries(panel):
    panel.show_payload(quad(), "a")
    scene = panel.viewport.scene
    assert scene.modes == ("shaded", "textured", "base", "normals", "uv")
    assert scene.mode == "textured"
    plain = Mesh.of(quad().vertices, quad().faces)
    panel.show_payload(plain, "b")
    assert scene.modes == ("shaded", "normals")
    assert scene.mode == "shaded"
    many = replace(
        plain, colours=np.full((4, 4), 0.5, np.float32), face_groups=np.array([0, 1], np.int32), uv=quad().uv
    )
    panel.show_payload(many, "c")
    assert scene.mode == "colours"
    assert set(scene.modes) == {"shaded", "base", "colours", "normals", "uv", "parts"}


def test_each_mode_and_the_wireframe_draw_something_else(panel):
    mesh = replace(
        sphere(12, 24), material=quad().material, face_groups=np.arange(len(sphere(12, 24).faces), dtype=np.int32) // 60
    )
    mesh = replace(mesh, colours=np.tile(np.array([0.9, 0.3, 0.1, 1], np.float32), (len(mesh.vertices), 1)))
    panel.show_payload(mesh, "a")
    panel.viewport.set_grid(False)
    shots = {}
    for mode in panel.viewport.scene.modes:
        panel.viewport.set_mode(mode)
        assert panel.viewport.scene.mode == mode
        shots[mode] = panel.viewport.pixels().astype(int)
    panel.viewport.set_mode("shaded")
    panel.viewport.set_edges(True)
    shots["edges"] = panel.viewport.pixels().astype(int)
    names = list(shots)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert (np.abs(shots[one] - shots[other]).max(axis=-1) > 24).mean() > 0.02, (one, other)
    assert len(np.unique(shots["uv"].reshape(-1, 3) // 16, axis=0)) > 40


def test_normals_are_shown_as_colours(panel):
    panel.show_payload(sphere(), "a")
    panel.viewport.set_grid(False)
    panel.viewport.set_mode("normals")
    panel.viewport.look_from("front")
    shot = panel.viewport.pixels()
    height, width = shot.shape[:2]
    assert np.abs(shot[height // 2, width // 2].astype(int) - [127, 127, 255]).max() <= 3


def test_a_mode_chosen_by_hand_comes_back_with_a_mesh_that_can_take_it(panel):
    panel.show_payload(quad(), "a")
    panel.viewport.set_mode("uv")
    panel.show_payload(Mesh.of(quad().vertices, quad().faces), "b")
    assert panel.viewport.scene.mode == "shaded"
    panel.show_payload(quad(), "a")
    assert panel.viewport.scene.mode == "uv"


def test_a_million_faces_are_shown_with_a_stand_in_for_moving(panel, qtbot):
    big = sphere(720, 720)
    assert len(big.faces) > 1_000_000
    panel.show_payload(big, "a")
    scene, viewport = panel.viewport.scene, panel.viewport
    assert viewport.pixels().std() > 5
    if viewport.software:
        qtbot.waitUntil(lambda: bool(scene._coarse_actors), timeout=60_000)
        viewport._began()
        assert (scene._full_actors[0].visibility, scene._coarse_actors[0].visibility) == (False, True)
        viewport._rested()
        assert (scene._full_actors[0].visibility, scene._coarse_actors[0].visibility) == (True, False)
    qtbot.waitUntil(lambda: "· watertight" in panel._foot.text(), timeout=60_000)
    assert panel._foot.text().startswith(f"{len(big.faces):,} triangles")


def test_a_replaced_mesh_is_let_go(panel, qtbot):
    first = sphere(100, 100)
    arrays = weakref.ref(first), weakref.ref(first.vertices)
    panel.show_payload(first, "a")
    qtbot.waitUntil(lambda: "watertight" in panel._foot.text(), timeout=60_000)
    data = weakref.ref(panel.viewport.scene._data[0])
    del first
    panel.show_payload(sphere(), "a")
    qtbot.waitUntil(lambda: "watertight" in panel._foot.text(), timeout=60_000)
    gc.collect()
    assert [ref() for ref in (*arrays, data)] == [None, None, None]


def test_positions_are_shared_with_the_payload(panel):
    mesh = sphere()
    panel.show_payload(mesh, "a")
    assert np.shares_memory(np.asarray(panel.viewport.scene._data[0].points), mesh.vertices)


@pytest.mark.parametrize("payload", one_of_each().values(), ids=lambda p: type(p).__name__)
def test_each_payload_is_shown_and_saved(panel, payload, tmp_path):
    from PIL import Image as Pillow

    panel.show_payload(payload, "a")
    panel.screenshot(tmp_path / "shot.png")
    with Pillow.open(tmp_path / "shot.png") as shot:
        assert len(np.unique(np.asarray(shot.convert("RGB")).reshape(-1, 3), axis=0)) >= 2


@pytest.mark.parametrize(
    "payload",
    [
        Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))),
        Mesh.of(np.full((3, 3), np.nan), [[0, 1, 2]]),
        Mesh.of([[0, 0, 0]] * 3, [[0, 1, 2]]),
        Mesh.of(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]) * 1e-7, [[0, 1, 2]]),
        Mesh.of(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]) * 1e7, [[0, 1, 2]]),
        PointCloud(np.zeros((0, 3), np.float32)),
        Image(np.zeros((1, 1, 4), np.float32)),
        Text(""),
    ],
    ids=["no faces", "no numbers", "one point", "tiny", "huge", "no points", "one pixel", "no text"],
)
def test_odd_payloads_do_no_harm(panel, payload):
    panel.show_payload(payload, "a")
    panel.show_payload(None)
    panel.show_payload(sphere(), "b")
    assert panel.viewport.pixels().std() > 5


def test_a_material_with_every_map_is_drawn(panel):
    grey = Image.of(np.full((8, 8), 128, np.uint8), "data")
    flat = Image.of(np.tile(np.array([128, 128, 255], np.uint8), (8, 8, 1)), "data")
    colour = quad().material.base_colour
    maps = {"metallic": grey, "roughness": grey, "occlusion": grey, "height": grey}
    for mode in ("opaque", "mask", "blend"):
        material = Material(
            base_colour=colour, normal=flat, emissive=colour, emissive_factor=(1, 1, 1), alpha_mode=mode, **maps
        )
        panel.show_payload(replace(sphere(), material=material), "a")
        assert panel.viewport.scene.mode == "textured"
        assert panel.viewport.pixels().std() > 10


def test_nothing_selected_gives_a_hint(panel):
    from viewer.panel import HINT, NO_RESULT

    panel.show_payload(field(), "a")
    panel.show_payload(None)
    assert panel._stack.currentWidget().text() == HINT
    panel.show_payload(None, "a")
    assert panel._stack.currentWidget().text() == NO_RESULT
    assert panel._foot.text() == ""


def test_a_screenshot_that_cannot_be_written_says_so(panel, tmp_path):
    for payload in (sphere(), picture(), Text("x")):
        panel.show_payload(payload, "a")
        with pytest.raises(CannotWrite):
            panel.screenshot(tmp_path / "nowhere" / "shot.png")


def test_shutdown_twice_and_late_answers_are_harmless(panel, qtbot):
    panel.show_payload(sphere(300, 300), "a")
    panel.shutdown()
    panel.shutdown()
    qtbot.wait(50)


def _middle(pixels: np.ndarray) -> float:
    height, width = pixels.shape[:2]
    cut = (slice(height * 2 // 5, height * 3 // 5), slice(width * 9 // 20, width * 11 // 20))
    return float(pixels[cut][..., :3].mean())


@pytest.mark.parametrize("open_sky", [1.0, 0.6, 0.0])
def test_a_textured_mesh_is_about_as_bright_as_its_thumbnail(panel, open_sky):
    flat = Image.of(np.tile(np.array([128, 128, 255], np.uint8), (8, 8, 1)), "data")
    shade = Image(np.full((8, 8, 4), open_sky, np.float32), "data")
    clay = Image.of(np.tile(np.array([205, 160, 110], np.uint8), (8, 8, 1)))
    ball = replace(sphere(), material=Material(base_colour=clay, normal=flat, occlusion=shade))
    panel.show_payload(ball, "a")
    panel.viewport.set_grid(False)
    wanted = _middle(thumbnail(ball))
    for mode in ("textured", "shaded", "textured"):
        panel.viewport.set_mode(mode)
    assert (0.75 if open_sky else 0.3) * wanted < _middle(panel.viewport.pixels()) < 1.4 * wanted


def test_baked_maps_do_not_darken_a_mesh(panel):
    from app.engine import Run
    from nodes.texture.bake import bake

    ball = sphere(24, 48)
    bumps = 1 + 0.02 * np.sin(40 * ball.vertices[:, :1]).astype(np.float32)
    colours = np.tile(np.array([0.8, 0.6, 0.4, 1], np.float32), (len(ball.vertices), 1))
    source = replace(ball, vertices=ball.vertices * bumps, normals=None, colours=colours)
    baked = bake(Run(), source, ball, size=64, ambient_occlusion=True, rays=8, margin=2)
    panel.show_payload(baked, "a")
    panel.viewport.set_grid(False)
    assert panel.viewport.scene.mode == "textured"
    wanted = _middle(thumbnail(baked))
    assert 0.7 * wanted < _middle(panel.viewport.pixels()) < 1.4 * wanted


@pytest.mark.parametrize("width", [700, 396, 300, 240])
def test_no_button_of_the_tool_bar_is_cut_off(panel, qtbot, width):
    panel.resize(width, 450)
    panel.show_payload(replace(sphere(), material=Material()), "a")
    bar = panel._bars[panel.viewport]
    qtbot.waitUntil(lambda: bar.width() == panel.width() and bar.modes.width() >= bar.modes.sizeHint().width())
    for control in (bar.modes, *bar._buttons, bar._more):
        if control.isVisible():
            assert control.width() >= control.sizeHint().width(), control.toolTip()
            assert bar.rect().contains(control.geometry())
    bar._fill()
    named = {action.text() for action in bar._menu.actions()}
    assert named == {b.text() for b in bar._buttons if not b.isVisible()}
    assert bar._more.isVisible() == bool(named)


def test_a_folded_button_works_from_the_menu(panel, qtbot):
    panel.resize(240, 450)
    panel.show_payload(sphere(), "a")
    bar = panel._bars[panel.viewport]
    qtbot.waitUntil(lambda: not bar.grid.isVisible())
    bar._fill()
    action = next(a for a in bar._menu.actions() if a.text() == "Grid")
    assert action.isChecked()
    action.trigger()
    assert not panel.viewport.scene.grid


def test_the_window_does_not_wait_for_the_3d_view_to_load(panel, qtbot):
    from viewer.panel import LOADING

    gate = Event()
    panel._loader = Thread(target=gate.wait, daemon=True)
    panel._loader.start()
    panel.show_payload(sphere(), "a")
    assert panel._stack.currentWidget().text() == LOADING
    panel.show_payload(picture(), "b")
    panel.show_payload(sphere(), "a")
    gate.set()
    panel._loaded.emit()
    assert panel._stack.currentWidget() is panel.viewport
    panel.show_payload(None)
    assert panel._stack.currentWidget() is not panel.viewport


def test_a_software_camera_sees_what_the_viewport_sees(panel):
    """The silhouette of the 3D view is that of the node's camera at the same place."""
    from nodes.mesh._camera import camera
    from nodes.mesh._render import render

    assert panel.camera() is None
    mesh = Mesh.of([[-0.5, -0.4, 0.3], [0.6, -0.3, 0], [0.1, 0.7, -0.2]], [[0, 1, 2]])
    panel.show_payload(mesh, "a")
    viewport = panel.viewport
    viewport.set_grid(False)
    from viewer.turntable import turn

    turn(viewport.plotter.camera, 0.5, 0.2)
    viewport.plotter.camera.focal_point = (0.1, 0.05, 0)
    viewport.plotter.camera.up = (0, 1, 0)
    viewport.redraw()
    shown = viewport.pixels().astype(int)
    panel.show_payload(None, "a")
    empty = viewport.pixels().astype(int)
    told = panel.camera()
    height, width = shown.shape[:2]
    aim = tuple(told[name] for name in ("aim_x", "aim_y", "aim_z"))
    seen = render(
        mesh,
        *camera(told["azimuth"], told["elevation"], told["distance"], told["fov"], (width, height), aim),
        (width, height),
    )
    corner = np.s_[: int(height * 0.78), int(width * 0.18) :]
    mine, theirs = (seen.face >= 0)[corner], (np.abs(shown - empty).max(axis=-1) > 24)[corner]
    both, either = (mine & theirs).sum(), (mine | theirs).sum()
    assert mine.sum() > 1000 and both / either > 0.97


def ball_of_points(count: int, normals: bool, colours: bool = False) -> PointCloud:
    """Evenly on a spiral from pole to pole."""
    rank = np.arange(count) + 0.5
    height, turn = 1 - 2 * rank / count, rank * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - height**2)
    way = np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1).astype(np.float32)
    paint = np.tile(np.array([0.9, 0.2, 0.1, 1], np.float32), (count, 1))
    return PointCloud(way, paint if colours else None, way if normals else None)


@pytest.mark.parametrize("normals", [True, False])
def test_points_are_shaded_and_leave_no_gaps(panel, normals):
    panel.show_payload(ball_of_points(20_000, normals), "a")
    panel.viewport.set_grid(False)
    panel.viewport.look_from("front")
    pixels = panel.viewport.pixels().astype(float)
    middle = tuple(n // 2 for n in pixels.shape[:2])
    inner = pixels[middle[0] - 60 : middle[0] + 60, middle[1] - 60 : middle[1] + 60].mean(axis=2)
    assert np.percentile(inner, 5) > 90, "the ground shows through"
    half = 0.5 * pixels.shape[0] * 0.9
    rim = pixels[int(middle[0] + 0.93 * half) - 8 : int(middle[0] + 0.93 * half), middle[1]].mean()
    assert rim < inner.mean() - (15 if normals else 5), "it looks flat"


def test_points_grow_with_the_zoom_and_are_fewer_while_the_camera_moves(panel):
    panel.show_payload(ball_of_points(300_000, True, True), "a")
    full, few = panel.viewport.scene._dots.actors
    assert (full.visibility, few.visibility) == (True, False)
    before = full.prop.point_size
    panel.viewport.scene.moving(True)
    assert (full.visibility, few.visibility) == (False, True) and few.prop.point_size >= before
    panel.viewport.scene.moving(False)
    panel.viewport.plotter.camera.zoom(40)
    panel.viewport.scene.sort()
    assert full.prop.point_size > before
    red, green, _ = panel.viewport.pixels()[200:250, 200:250].reshape(-1, 3).mean(axis=0)
    assert red > 2 * green


def test_the_shading_of_bare_points_goes_with_them(panel):
    panel.show_payload(ball_of_points(500, False), "a")
    renderer = panel.viewport.plotter.renderer
    assert renderer.GetPass() is not None
    panel.viewport.pixels()
    panel.show_payload(sphere(), "b")
    assert renderer.GetPass() is None and panel.viewport.pixels().std() > 5
