"""Light, sky and ground of the 3D view."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkLight

from app.engine.payloads import Float32, UInt8
from viewer.shown import Box
from viewer.style import SKY_BOTTOM, SKY_TOP

# direction from the object in camera axes (right, up, towards the viewer), colour, strength
LAMPS = (
    ((-0.55, 0.75, 0.80), (1.00, 0.98, 0.95), 0.92),
    ((0.95, -0.10, 0.45), (0.80, 0.88, 1.00), 0.24),
    ((0.25, -0.90, 0.30), (1.00, 0.93, 0.85), 0.10),
    ((0.30, 0.60, -0.90), (0.90, 0.95, 1.00), 0.30),
)
GRID_CELLS = 10
X_AXIS, Z_AXIS = (0.82, 0.33, 0.36), (0.36, 0.55, 0.87)


def furnish(plotter: Any) -> None:
    """Graded background and lamps that move with the camera."""
    plotter.set_background(SKY_BOTTOM, top=SKY_TOP)
    renderer = plotter.renderer
    renderer.RemoveAllLights()
    renderer.AutomaticLightCreationOff()
    for direction, colour, strength in LAMPS:
        lamp = vtkLight()
        lamp.SetLightTypeToCameraLight()
        lamp.SetPosition(*direction)
        lamp.SetFocalPoint(0, 0, 0)
        lamp.SetColor(*colour)
        lamp.SetIntensity(strength)
        renderer.AddLight(lamp)


def surround(plotter: Any) -> None:
    """Image-based light for physically based materials. What VTK prepares for it is sized for a processor that draws:
    its defaults (a table of 1024 x 1024 by 1024 samples) take seconds there and cannot be told apart."""
    renderer = plotter.renderer
    if renderer.GetUseImageBasedLighting():
        return
    renderer.GetEnvMapLookupTable().SetLUTSize(64)
    renderer.GetEnvMapLookupTable().SetLUTSamples(128)
    renderer.GetEnvMapPrefiltered().SetPrefilterMaxSamples(96)
    renderer.UseSphericalHarmonicsOn()
    renderer.SetEnvironmentTexture(_surroundings(), False)
    renderer.SetUseImageBasedLighting(True)


@cache
def _surroundings() -> Any:
    texture = pv.Texture(studio_sky())
    texture.SetColorModeToDirectScalars()
    texture.MipmapOn()
    texture.InterpolateOn()
    return texture


def studio_sky(height: int = 64) -> Float32:
    """(height, 2 height, 3) linear radiance, equirectangular, row 0 at the zenith: a dim room with three soft boxes.

    Small on purpose: the filtered reflections are as large as this map, and a software renderer computes them too.
    """
    v, u = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, 2 * height, endpoint=False), indexing="ij")
    rise = np.cos(np.pi * v)[..., None]
    sky = np.where(rise > 0, 0.30 + 0.35 * rise, 0.30 + 0.16 * rise) * np.array([0.96, 0.99, 1.05])
    boxes = (((0.10, 0.26), (0.10, 0.10), 7.0), ((0.42, 0.38), (0.07, 0.14), 3.0), ((0.74, 0.22), (0.13, 0.08), 4.5))
    for (turn, fall), (wide, high), strength in boxes:
        away = np.abs((u - turn + 0.5) % 1 - 0.5)
        edge = np.clip((wide / 2 - away) * 60, 0, 1) * np.clip((high / 2 - np.abs(v - fall)) * 40, 0, 1)
        sky = sky + strength * edge[..., None]
    radiance: Float32 = sky.astype(np.float32)
    return radiance


def grid_step(bounds: Box) -> float:
    """Metres between two grid lines: the power of ten that gives the object a few cells."""
    size = float(np.max(bounds[1] - bounds[0]))
    return 10.0 ** math.floor(math.log10(max(size, 1e-6) * 0.7))


def ground(bounds: Box) -> Any:
    """Actor of a square grid on y = 0 that fades out; red lies along x, blue along z. Picking and framing ignore it."""
    step = grid_step(bounds)
    size = float(np.max(bounds[1] - bounds[0]))
    reach = step * max(GRID_CELLS, math.ceil(1.6 * size / step))
    points, colours = _grid_lines(step, reach)
    data = pv.PolyData(points, lines=np.column_stack([np.full(len(points) // 2, 2), *_pairs(len(points))]).ravel())
    data.point_data["rgba"] = colours
    mapper = pv.DataSetMapper(data)
    mapper.SetColorModeToDirectScalars()
    mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray("rgba")
    actor = pv.Actor(mapper=mapper)
    actor.prop.lighting = False
    actor.UseBoundsOff()
    actor.PickableOff()
    actor.ForceTranslucentOn()
    return actor


def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(0, count, 2), np.arange(1, count, 2)


def _grid_lines(step: float, reach: float, pieces: int = 16) -> tuple[Float32, UInt8]:
    """Each line is cut into pieces so that its ends can fade."""
    count = round(reach / step)
    at = np.arange(-count, count + 1) * step
    cuts = np.linspace(-reach, reach, pieces + 1)
    along = np.stack([cuts[:-1], cuts[1:]], 1).ravel()
    across, run = (a.ravel() for a in np.meshgrid(at, along, indexing="ij"))
    zero = np.zeros_like(run)
    points = np.concatenate([np.stack([run, zero, across], 1), np.stack([across, zero, run], 1)]).astype(np.float32)
    tens = np.tile(np.abs(np.round(across / step)) % 10 == 0, 2)
    axis = np.tile(across == 0, 2)
    fade = np.clip(1 - np.linalg.norm(points, axis=1) / reach, 0, 1) ** 1.2
    colours = np.empty((len(points), 4))
    colours[:, :3] = np.where(tens[:, None], 0.62, 0.5)
    half = len(across)
    colours[:half][axis[:half], :3] = X_AXIS
    colours[half:][axis[half:], :3] = Z_AXIS
    colours[:, 3] = fade * np.where(axis, 0.9, np.where(tens, 0.7, 0.42))
    return points, (colours * 255).astype(np.uint8)
