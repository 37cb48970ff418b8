from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from viewer_samples import picture, sphere

from app.engine.params import Rectangle, Stroke, Strokes
from app.engine.payloads import Depth, Image, Mask
from viewer.adapters import adapt
from viewer.picture import value_text
from viewer.tones import screen_bytes

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def drawing(qtbot):
    """A panel (no 3D, so any display will do) and the values that it emits."""
    from viewer.panel import ViewerPanel

    panel = ViewerPanel()
    qtbot.addWidget(panel)
    panel.resize(500, 450)
    panel.show()
    qtbot.waitExposed(panel)
    drawn: list[tuple[str, object]] = []
    panel.drawn.connect(lambda kind, value: drawn.append((kind, value)))
    yield panel, drawn
    panel.shutdown()


def _send(view, kind, at, button, buttons):
    place = view.to_screen(*at)
    event = QMouseEvent(
        kind, place, view.viewport().mapToGlobal(place), button, buttons, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(view.viewport(), event)


def drag(view, points, button=LEFT):
    """Presses at the first of the (x, y) in 0..1, moves through the others, lets go at the last."""
    _send(view, QEvent.Type.MouseButtonPress, points[0], button, button)
    for at in points[1:]:
        _send(view, QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, button)
    _send(view, QEvent.Type.MouseButtonRelease, points[-1], button, Qt.MouseButton.NoButton)


def test_a_rectangle_is_drawn_where_the_mouse_went(drawing):
    panel, drawn = drawing
    panel.edit_rectangle(picture(400, 300), None)
    drag(panel.picture, [(0.25, 0.2), (0.5, 0.3), (0.75, 0.9)])
    assert len(drawn) == 1
    kind, value = drawn[0]
    assert kind == "rectangle"
    assert value == pytest.approx((0.25, 0.2, 0.75, 0.9), abs=1e-9)
    assert Rectangle().check(Rectangle().encode(value)) == value


def test_a_rectangle_drawn_backwards_and_beyond_the_border_is_set_right(drawing):
    panel, drawn = drawing
    panel.edit_rectangle(picture(400, 300), None)
    drag(panel.picture, [(0.5, 0.5), (-0.3, 0.1), (-0.2, 1.4)])
    assert drawn[-1][1] == pytest.approx((0, 0.5, 0.5, 1), abs=1e-9)


def test_a_rectangle_is_moved_inside_and_adjusted_at_its_borders(drawing):
    panel, drawn = drawing
    panel.edit_rectangle(picture(400, 300), (0.2, 0.2, 0.6, 0.6))
    drag(panel.picture, [(0.4, 0.4), (0.5, 0.45)])
    assert drawn[-1][1] == pytest.approx((0.3, 0.25, 0.7, 0.65), abs=1e-9)
    drag(panel.picture, [(0.7, 0.45), (0.9, 0.5)])
    assert drawn[-1][1] == pytest.approx((0.3, 0.25, 0.9, 0.65), abs=1e-9)
    drag(panel.picture, [(0.3, 0.25), (0.1, 0.05)])
    assert drawn[-1][1] == pytest.approx((0.1, 0.05, 0.9, 0.65), abs=1e-9)


def test_a_click_changes_no_rectangle(drawing):
    panel, drawn = drawing
    panel.edit_rectangle(picture(400, 300), (0.2, 0.2, 0.6, 0.6))
    drag(panel.picture, [(0.9, 0.9)])
    assert drawn == []
    assert panel.picture.tool.value == (0.2, 0.2, 0.6, 0.6)


def test_strokes_are_painted_where_the_mouse_went(drawing):
    panel, drawn = drawing
    panel.edit_strokes(picture(400, 300), ())
    first, second = [(0.1, 0.2), (0.4, 0.5), (0.8, 0.5)], [(0.6, 0.9), (0.2, 0.8)]
    drag(panel.picture, first)
    drag(panel.picture, second, RIGHT)
    drag(panel.picture, [(0.5, 0.5)])
    assert [kind for kind, _ in drawn] == ["strokes"] * 3
    strokes = drawn[-1][1]
    assert [s.keep for s in strokes] == [True, False, True]
    assert np.allclose(strokes[0].points, first, atol=1e-9)
    assert np.allclose(strokes[1].points, second, atol=1e-9)
    assert len(strokes[2].points) == 1
    assert Strokes().check(Strokes().encode(strokes)) == strokes


def test_strokes_follow_zoom_and_pan(drawing):
    panel, drawn = drawing
    panel.edit_strokes(picture(400, 300), ())
    panel.picture.actual_size()
    panel.picture.translate(37, -21)
    drag(panel.picture, [(0.5, 0.5), (0.6, 0.55)])
    assert np.allclose(drawn[-1][1][0].points, [(0.5, 0.5), (0.6, 0.55)], atol=1e-9)


def test_undo_clear_radius_and_brush_buttons(drawing):
    panel, drawn = drawing
    old = (Stroke(True, 0.02, ((0.1, 0.1),)), Stroke(False, 0.03, ((0.2, 0.2), (0.3, 0.3))))
    panel.edit_strokes(picture(400, 300), old)
    bar, tool = panel._desk.bar, panel.picture.tool
    buttons = {b.text(): b for b in bar.findChildren(type(bar.button("probe", "")))}
    QTest.mouseClick(buttons["Drop"], LEFT)
    tool.radius = 0.05
    drag(panel.picture, [(0.5, 0.5)])
    assert drawn[-1][1][2] == Stroke(False, 0.05, drawn[-1][1][2].points)
    QTest.mouseClick(buttons["Undo"], LEFT)
    assert drawn[-1][1] == old
    QTest.mouseClick(buttons["Clear"], LEFT)
    assert drawn[-1][1] == ()


def test_a_value_set_from_outside_keeps_brush_and_zoom(drawing):
    panel, drawn = drawing
    image = picture(400, 300)
    panel.edit_strokes(image, ())
    tool = panel.picture.tool
    tool.radius = 0.07
    panel.picture.actual_size()
    panel.edit_strokes(image, (Stroke(True, 0.02, ((0.1, 0.1),)),))
    assert panel.picture.tool is tool
    assert (tool.radius, panel.picture.zoom, len(tool.value)) == (0.07, 1.0, 1)
    assert drawn == []


def test_results_wait_until_the_tool_is_put_away(drawing):
    panel, _ = drawing
    image, later = picture(400, 300), picture(80, 60)
    panel.edit_rectangle(image, None)
    panel.show_payload(later, "n1")
    assert panel.picture.picture.values is image.pixels
    panel.stop_editing()
    assert panel.picture.picture.values is later.pixels
    assert panel.picture.tool is None


def test_channels_are_shown_as_grey(drawing):
    panel, _ = drawing
    panel.show_payload(picture(), "a")
    panel.picture.set_channel("alpha")
    shown = panel.picture.image()
    assert shown.pixelColor(5, 5).getRgb()[:3] == (0, 0, 0)
    assert shown.pixelColor(35, 5).getRgb()[:3] == (255, 255, 255)
    panel.picture.set_channel("red")
    assert shown.size() == panel.picture.image().size()
    assert panel.picture.image().pixelColor(20, 5).getRgb()[:3] == (128, 128, 128)


def test_wheel_zooms_at_the_pointer_and_fit_comes_back(drawing):
    panel, _ = drawing
    panel.show_payload(picture(400, 300), "a")
    view = panel.picture
    fitted, at = view.zoom, view.to_screen(0.3, 0.6)
    QTest.qWait(1)
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QWheelEvent

    wheel = QWheelEvent(
        at, view.viewport().mapToGlobal(at), QPoint(), QPoint(0, 240), LEFT & RIGHT, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), wheel)
    assert view.zoom == pytest.approx(fitted * 1.44)
    after = view.to_screen(0.3, 0.6)
    assert abs(after.x() - at.x()) < 1
    assert abs(after.y() - at.y()) < 1
    view.fit()
    assert view.zoom == pytest.approx(fitted)


def test_the_value_under_the_pointer_is_told(drawing):
    panel, _ = drawing
    panel.show_payload(picture(), "a")
    _send(
        panel.picture, QEvent.Type.MouseMove, (20.5 / 40, 15.5 / 30), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton
    )
    assert panel._foot.text().endswith("(20, 15)  R 0.500  G 0.500  B 0.500  A 1.000")


def test_depth_tells_metres_and_holes_are_transparent():
    metres = np.array([[1.0, 2.0], [np.nan, 3.0]], np.float32)
    shown = adapt(Depth(metres, np.eye(3, dtype=np.float32)))
    assert value_text(shown, 1, 0) == "2.000 m"
    assert value_text(shown, 0, 1) == "unknown"
    assert screen_bytes(shown)[..., 3].tolist() == [[255, 255], [0, 255]]
    nothing = adapt(Depth(np.full((2, 2), np.nan, np.float32), np.eye(3, dtype=np.float32)))
    assert not screen_bytes(nothing).any()


def test_a_huge_picture_is_reduced_for_the_screen_but_not_for_the_readout(drawing):
    panel, _ = drawing
    wide = np.zeros((40, 20_000), np.float32)
    wide[:, 10_000:] = 1
    panel.show_payload(Mask(wide), "a")
    assert panel.picture._sheet.pixmap().width() <= 8192
    assert panel.picture.to_screen(1, 1).x() - panel.picture.to_screen(0, 0).x() == pytest.approx(
        20_000 * panel.picture.zoom
    )
    assert value_text(panel.picture.picture, 19_999, 0) == "1.000"


def test_pages_show_titles_rows_and_text_as_words(drawing):
    from app.engine.payloads import Report, Text

    panel, _ = drawing
    panel.show_payload(Report("Mesh <1>", (("Faces", 1234), ("Closed", False)), "Not closed."), "a")
    words = panel.page.toPlainText()
    assert words.index("Mesh <1>") < words.index("Not closed.") < words.index("1,234") < words.index("no")
    panel.show_payload(Text("<b>as typed</b>\n  indented"), "b")
    assert panel.page.toPlainText() == "<b>as typed</b>\n  indented"


def test_points_beyond_the_picture_are_kept_on_its_border(drawing):
    panel, drawn = drawing
    panel.edit_strokes(Image(picture(400, 300).pixels), ())
    drag(panel.picture, [(0.5, 0.5), (1.2, -0.3)])
    assert drawn[-1][1][0].points[-1] == (1, 0)
    assert isinstance(panel.picture.to_screen(0, 0), QPointF)


def test_without_opengl_a_mesh_is_shown_as_a_picture_that_says_so(drawing, monkeypatch):
    from viewer import gl
    from viewer.panel import NO_OPENGL

    panel, _ = drawing
    monkeypatch.setattr(gl, "on_screen", gl.OpenGL)
    panel.show_payload(sphere(), "a")
    assert panel.viewport is None
    assert NO_OPENGL in panel._foot.text()
    assert panel.picture.image().pixelColor(panel.picture.image().rect().center()).alpha() == 255


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("side", [1000, 3001])
def test_every_pixel_counts_in_a_picture_that_is_shown_small(drawing, side: int, transparent: bool):
    """Lines one pixel wide, every other one white, are an even grey, wherever the screen's pixels fall."""
    pixels = np.ones((side, side, 4), np.float32)
    pixels[::2, :, :3] = 0
    if transparent:
        pixels[0, 0, 3] = 0
    panel, _ = drawing
    panel.show_payload(Image(pixels), "lines")
    view = panel.picture
    low, high = view.to_screen(0.1, 0.1).toPoint(), view.to_screen(0.9, 0.9).toPoint()
    seen = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grey = np.frombuffer(seen.constBits(), np.uint8).reshape(seen.height(), -1)[:, : seen.width()]
    inside = grey[low.y() : high.y(), low.x() : high.x()].astype(int)
    assert inside.size > 10_000 and abs(inside - 128).max() <= 3
