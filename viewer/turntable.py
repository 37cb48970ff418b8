"""Mouse and wheel move the camera as in Blender and Maya: a turntable that keeps +Y up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera

ROTATING = 1
WHEEL_STEP = 0.87
STEEPEST = np.radians(89.5)


class Turntable(vtkInteractorStyleTrackballCamera):
    """Left drag orbits, middle or Shift + left drag pans, right drag and wheel zoom.

    ``began`` is called before the camera moves, ``moved`` after each step, ``rested`` when the button is let go.
    """

    def __init__(self, began: Callable[[], None], moved: Callable[[], None], rested: Callable[[], None]) -> None:
        self._moved = moved
        self._began = began
        self.SetMotionFactor(8)
        self.AddObserver("MouseMoveEvent", self._on_move)
        self.AddObserver("MouseWheelForwardEvent", lambda *_: self._wheel(WHEEL_STEP))
        self.AddObserver("MouseWheelBackwardEvent", lambda *_: self._wheel(1 / WHEEL_STEP))
        self.AddObserver("StartInteractionEvent", lambda *_: began())
        self.AddObserver("EndInteractionEvent", lambda *_: rested())
        for unused in ("CharEvent", "KeyPressEvent", "KeyReleaseEvent"):
            self.AddObserver(unused, lambda *_: None)

    def _on_move(self, *_: Any) -> None:
        interactor = self.GetInteractor()
        self.FindPokedRenderer(*interactor.GetEventPosition())
        if self.GetState() == ROTATING:
            x, y = interactor.GetEventPosition()
            before_x, before_y = interactor.GetLastEventPosition()
            width, height = interactor.GetRenderWindow().GetSize()
            turn(self._camera(), -2 * np.pi * (x - before_x) / max(width, 1), -np.pi * (y - before_y) / max(height, 1))
            self._moved()
            interactor.Render()
        elif self.GetState():
            self._moved()
            self.OnMouseMove()

    def _wheel(self, factor: float) -> None:
        interactor = self.GetInteractor()
        self.FindPokedRenderer(*interactor.GetEventPosition())
        self._began()
        dolly(self._camera(), factor)
        self._moved()
        interactor.Render()

    def _camera(self) -> Any:
        return self.GetCurrentRenderer().GetActiveCamera()


def turn(camera: Any, yaw: float, pitch: float) -> None:
    """Orbits ``camera`` about its focal point by radians: around the y axis, and up or down short of the poles."""
    focus = np.array(camera.GetFocalPoint())
    arm = np.array(camera.GetPosition()) - focus
    distance = max(float(np.linalg.norm(arm)), 1e-12)
    level = float(np.hypot(arm[0], arm[2]))
    heading = np.arctan2(arm[0], arm[2]) if level > 1e-6 * distance else _heading_of_up(camera, arm[1])
    rise = np.clip(np.arcsin(np.clip(arm[1] / distance, -1, 1)) + pitch, -STEEPEST, STEEPEST)
    heading += yaw
    direction = np.array([np.cos(rise) * np.sin(heading), np.sin(rise), np.cos(rise) * np.cos(heading)])
    camera.SetPosition(*(focus + direction * distance))
    camera.SetViewUp(0, 1, 0)


def orbit_of(camera: Any) -> dict[str, Any]:
    """Where a camera stands and looks: ``azimuth`` and ``elevation`` in degrees (0, 0: in front, on +Z; azimuth 90: on
    +X), ``distance`` in metres to the point ``aim_x``, ``aim_y``, ``aim_z``, and ``fov``, degrees from the lower to the
    upper border."""
    focus = np.array(camera.GetFocalPoint())
    arm = np.array(camera.GetPosition()) - focus
    distance = max(float(np.linalg.norm(arm)), 1e-12)
    level = float(np.hypot(arm[0], arm[2]))
    heading = float(np.arctan2(arm[0], arm[2])) if level > 1e-6 * distance else _heading_of_up(camera, arm[1])
    rise = float(np.arcsin(np.clip(arm[1] / distance, -1, 1)))
    found = {"azimuth": np.degrees(heading), "elevation": np.degrees(rise), "distance": distance}
    aims = dict(zip(("aim_x", "aim_y", "aim_z"), focus, strict=True))
    return {"aim": "point", **{k: float(v) for k, v in {**found, **aims, "fov": camera.GetViewAngle()}.items()}}


def _heading_of_up(camera: Any, height: float) -> float:
    """Seen straight from above or below, the picture's top tells which way the camera faces."""
    up = np.array(camera.GetViewUp()) * (-1 if height > 0 else 1)
    return float(np.arctan2(up[0], up[2]))


def dolly(camera: Any, factor: float) -> None:
    """Scales the distance to the focal point by ``factor``."""
    focus, position = np.array(camera.GetFocalPoint()), np.array(camera.GetPosition())
    camera.SetPosition(*(focus + (position - focus) * factor))
