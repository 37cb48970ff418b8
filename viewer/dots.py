"""Points as VTK draws them: as large as they are apart, shaded by their normals, else by what lies before what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingOpenGL2 import vtkEDLShading, vtkRenderStepsPass

from app.engine.payloads import PointCloud
from viewer.raster import COVER, GREY, as_bytes, spacing

MOST_BALLS = 50_000
MOST_MOVING = 100_000
SMALLEST_PX, LARGEST_PX = 3.0, 24.0
BALL_PX = 6.0


class Dots3D:
    """``actors``: all points, and a part of them that stands in while the camera moves where they are many."""

    def __init__(self, cloud: PointCloud) -> None:
        self._cloud, self._spacing = cloud, spacing(cloud.points)
        self._all = _actor(cloud)
        self.actors = [self._all]
        self._few: Any = None
        if len(cloud.points) > 2 * MOST_MOVING:
            self._few = _actor(_part(cloud, MOST_MOVING))
            self._few.visibility = False
            self.actors.append(self._few)

    @property
    def plain(self) -> bool:
        """Whether there are no normals to shade by."""
        return self._cloud.normals is None

    def moving(self, on: bool) -> None:
        """While the camera moves, fewer points are drawn, and larger."""
        if self._few is not None:
            self._few.visibility, self._all.visibility = on, not on

    def fit(self, camera: Any, height: int) -> None:
        """Draws each point so large that neighbours touch at the camera's focus. ``height``: of the view, pixels."""
        away = float(np.linalg.norm(np.subtract(camera.position, camera.focal_point)))
        pixels = self._spacing * height / max(2 * away * np.tan(np.radians(camera.view_angle) / 2), 1e-12)
        for actor, share in ((self._all, 1), (self._few, len(self._cloud.points) / MOST_MOVING)):
            if actor is not None:
                size = float(np.clip(COVER * pixels * np.sqrt(share), SMALLEST_PX, LARGEST_PX))
                actor.prop.point_size = size
                actor.prop.render_points_as_spheres = size >= BALL_PX and len(self._cloud.points) <= MOST_BALLS


def _part(cloud: PointCloud, count: int) -> PointCloud:
    which = np.sort(np.random.default_rng(0).choice(len(cloud.points), count, replace=False))
    return PointCloud(
        cloud.points[which],
        None if cloud.colours is None else cloud.colours[which],
        None if cloud.normals is None else cloud.normals[which],
    )


def _actor(cloud: PointCloud) -> Any:
    data = pv.PolyData(cloud.points)
    mapper = pv.DataSetMapper(data)
    actor = pv.Actor(mapper=mapper)
    actor.prop.style = "points"
    actor.prop.interpolation = "gouraud"
    actor.prop.lighting = cloud.normals is not None
    mapper.scalar_visibility = cloud.colours is not None
    if cloud.normals is not None:
        data.point_data["Normals"] = cloud.normals
        data.point_data.active_normals_name = "Normals"
        actor.prop.ambient, actor.prop.diffuse = 0.25, 0.85
    if cloud.colours is not None:
        data.point_data.set_array(as_bytes(cloud.colours), "colours")
        mapper.SetColorModeToDirectScalars()
        mapper.SetScalarModeToUsePointFieldData()
        mapper.SelectColorArray("colours")
    else:
        actor.prop.color = tuple(GREY[:3])
    return actor


class DepthEdges:
    """Darkens a pixel the more its neighbours lie before it (eye-dome lighting, Boucheny 2009)."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._pass: Any = None

    def use(self, on: bool) -> None:
        """Switch it on or off; off gives its textures back to OpenGL."""
        if on and self._pass is None:
            self._pass = vtkEDLShading()
            self._pass.SetDelegatePass(vtkRenderStepsPass())
            self._renderer.SetPass(self._pass)
        elif not on and self._pass is not None:
            self._renderer.SetPass(None)
            self._pass.ReleaseGraphicsResources(self._renderer.GetRenderWindow())
            self._pass = None
