from __future__ import annotations

import numpy as np
import pytest
from vtkmodules.vtkRenderingCore import vtkCamera

from viewer.turntable import dolly, orbit_of, turn


def _camera(position=(0.0, 1.0, 3.0)) -> vtkCamera:
    camera = vtkCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(*position)
    camera.SetViewUp(0, 1, 0)
    return camera


def test_orbiting_keeps_distance_focus_and_up():
    camera = _camera()
    before = camera.GetDistance()
    for _ in range(50):
        turn(camera, 0.3, 0.05)
    assert camera.GetDistance() == pytest.approx(before)
    assert camera.GetFocalPoint() == (0, 0, 0)
    assert camera.GetViewUp() == (0, 1, 0)


def test_a_full_turn_comes_back():
    camera = _camera()
    for _ in range(8):
        turn(camera, np.pi / 4, 0)
    assert camera.GetPosition() == pytest.approx((0, 1, 3), abs=1e-9)


def test_the_pole_is_never_crossed():
    camera = _camera()
    for _ in range(20):
        turn(camera, 0, 0.4)
    x, y, z = camera.GetPosition()
    assert y > 0
    assert z > 0
    assert abs(x) < 1e-9


def test_from_straight_above_the_picture_turns_on_the_spot():
    camera = _camera((0, 3, 0))
    camera.SetViewUp(0, 0, -1)
    turn(camera, 0, -0.5)
    x, _, z = camera.GetPosition()
    assert abs(x) < 1e-6
    assert z > 0


def test_dolly_scales_the_distance():
    camera = _camera()
    dolly(camera, 0.5)
    assert camera.GetPosition() == pytest.approx((0, 0.5, 1.5))


@pytest.mark.parametrize(
    ("position", "azimuth", "elevation"),
    [((0, 0, 2), 0, 0), ((2, 0, 0), 90, 0), ((0, 0, -2), 180, 0), ((0, 2, 2), 0, 45), ((-1, 0, 1), -45, 0)],
)
def test_a_camera_tells_where_it_stands(position, azimuth, elevation):
    camera = _camera(position)
    camera.SetViewAngle(35)
    told = orbit_of(camera)
    assert (told["azimuth"], told["elevation"]) == pytest.approx((azimuth, elevation))
    assert told["distance"] == pytest.approx(np.linalg.norm(position)) and told["fov"] == pytest.approx(35)
    camera.SetFocalPoint(1, 2, 3)
    camera.SetPosition(*np.add(position, (1, 2, 3)))
    moved = orbit_of(camera)
    assert (moved["aim"], moved["aim_x"], moved["aim_y"], moved["aim_z"]) == ("point", 1, 2, 3)
    assert {k: v for k, v in moved.items() if "aim" not in k} == pytest.approx(
        {k: v for k, v in told.items() if "aim" not in k}
    )


def test_seen_from_straight_above_the_top_of_the_picture_tells_the_azimuth():
    camera = _camera((0, 3, 0))
    camera.SetViewUp(0, 0, -1)
    told = orbit_of(camera)
    assert told["azimuth"] == pytest.approx(0) and told["elevation"] == pytest.approx(90)
