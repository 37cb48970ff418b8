"""3D Gaussians as a VTK actor."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkActor
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPointGaussianMapper

from viewer.raster import as_bytes, splat_colours
from viewer.shown import Gaussians


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
