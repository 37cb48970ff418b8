"""3D Gaussians and points as VTK actors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkActor
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPointGaussianMapper

from app.engine.payloads import PointCloud
from viewer.raster import GREY, as_bytes, splat_colours
from viewer.shown import Gaussians

MOST_BALLS = 50_000


def dots_actor(cloud: PointCloud) -> Any:
    """Dots, smaller the more there are; little balls as long as they are few."""
    data = pv.PolyData(cloud.points)
    mapper = pv.DataSetMapper(data)
    actor = pv.Actor(mapper=mapper)
    few = len(cloud.points) <= MOST_BALLS
    actor.prop.style = "points"
    actor.prop.point_size = float(np.clip(900 / np.sqrt(max(len(cloud.points), 1)), 2, 7))
    actor.prop.lighting = cloud.normals is not None or few
    actor.prop.render_points_as_spheres = few
    mapper.scalar_visibility = cloud.colours is not None
    if cloud.normals is not None:
        data.point_data["Normals"] = cloud.normals
        data.point_data.active_normals_name = "Normals"
    if cloud.colours is not None:
        data.point_data.set_array(as_bytes(cloud.colours), "colours")
        mapper.SetColorModeToDirectScalars()
        mapper.SetScalarModeToUsePointFieldData()
        mapper.SelectColorArray("colours")
    else:
        actor.prop.color = tuple(GREY[:3])
    return actor


class SortedSplats:
    """Anisotropic Gaussians; VTK blends them in the order given, so :meth:`sort` puts the farthest first."""

    def __init__(self, shown: Gaussians) -> None:
        splats = shown.splats
        self._means = splats.means
        self._arrays: dict[str, np.ndarray] = {
            "scale": splats.scales,
            "rotation": splats.rotations,
            "rgba": as_bytes(splat_colours(shown)),
        }
        self._mapper = vtkOpenGLPointGaussianMapper()
        self._mapper.EmissiveOff()
        self._mapper.AnisotropicOn()
        self._mapper.SetScaleArray("scale")
        self._mapper.SetRotationArray("rotation")
        self._mapper.SetScaleFactor(1.0)
        self._mapper.SetScalarModeToUsePointFieldData()
        self._mapper.SetColorModeToDirectScalars()
        self._mapper.SelectColorArray("rgba")
        self.actor = vtkActor()
        self.actor.SetMapper(self._mapper)
        self.actor.ForceTranslucentOn()
        self.sort(np.array([0.0, 0.0, -1.0]))

    def sort(self, direction: np.ndarray) -> None:
        """``direction``: (3,) the way the camera looks. A 16-bit key lets numpy use its radix sort."""
        along = self._means @ direction.astype(np.float32)
        low, high = (float(along.min()), float(along.max())) if len(along) else (0.0, 1.0)
        key = ((high - along) * np.float32(65535 / max(high - low, 1e-9))).astype(np.uint16)
        order = np.argsort(key, kind="stable")
        data = pv.PolyData(self._means[order])
        for name, values in self._arrays.items():
            data.point_data.set_array(values[order], name)
        self._mapper.SetInputData(data)
