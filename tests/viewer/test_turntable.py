from __future__ import annotations

import numpy as np
import pytest
from vtkmodules.vtkRenderingCore import vtkCamera

from viewer.turntable import dolly, turn


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
