"""What stands before the camera: one result, the ground, the light. Knows PyVista plotters, no Qt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyvista as pv

from app.engine.payloads import Mesh
from viewer.dots import DepthEdges, Dots3D
from viewer.looks import LOOKS, modes, natural_mode, surface_actor, surface_data
from viewer.shown import Box, Dots, Gaussians, Scenery, Solid
from viewer.splats import SortedSplats
from viewer.studio import furnish, grid_step, ground, surround
from viewer.style import ACCENT

VIEWS: dict[str, tuple[float, float, float]] = {
    "front": (0, 0, 1),
    "back": (0, 0, -1),
    "right": (1, 0, 0),
    "left": (-1, 0, 0),
    "top": (0, 1, 0),
    "bottom": (0, -1, 0),
    "three-quarter": (0.53, 0.36, 0.77),
}


class Scene:
    """Draws one :data:`Scenery` on a plotter. ``mode`` and ``edges`` persist from one result to the next."""

    def __init__(self, plotter: Any) -> None:
        self.plotter = plotter
        self.shown: Scenery | None = None
        self.wanted = ""
        self.edges = False
        self.grid = True
        self._actors: list[Any] = []
        self._ground: Any = None
        self._data: list[Any] = []
        self._splats: SortedSplats | None = None
        self._dots: Dots3D | None = None
        self._depth_edges = DepthEdges(plotter.renderer)
        self._coarse: list[tuple[Mesh, Any]] = []
        self._full_actors: list[Any] = []
        self._coarse_actors: list[Any] = []
        plotter.renderer.camera_set = True  # else PyVista frames and draws on the first look at its camera
        furnish(plotter)

    @property
    def modes(self) -> tuple[str, ...]:
        return (self.shown.modes or modes(*self.shown.surfaces)) if isinstance(self.shown, Solid) else ()

    @property
    def mode(self) -> str:
        """The look in use: the wanted one where the mesh can take it, else the natural one."""
        if not isinstance(self.shown, Solid):
            return ""
        if self.shown.modes:
            return self.wanted if self.wanted in self.shown.modes[1:] else self.shown.modes[0]
        return self.wanted if self.wanted in self.modes else natural_mode(*self.shown.surfaces)

    @property
    def step(self) -> float:
        """Metres between grid lines."""
        return grid_step(self.bounds)

    @property
    def bounds(self) -> Box:
        if self.shown is None:
            return np.full(3, -0.5, np.float32), np.full(3, 0.5, np.float32)
        return self.shown.bounds

    def show(self, shown: Scenery | None) -> None:
        """Replaces what is shown; the camera stays."""
        self.clear()
        self.shown = shown
        if isinstance(shown, Solid):
            self._data = [surface_data(mesh) for mesh in shown.surfaces] if len(shown.mesh.faces) else []
        elif isinstance(shown, Gaussians):
            self._splats = SortedSplats(shown)
        elif isinstance(shown, Dots):
            self._dots = Dots3D(shown.cloud)
            self._depth_edges.use(self._dots.plain and len(shown.cloud.points) > 0)
        self.dress()

    def clear(self) -> None:
        """Takes everything away and lets go of its memory."""
        self._drop_actors()
        self.shown = self._splats = self._dots = None
        self._depth_edges.use(False)
        self._data, self._coarse = [], []

    def dress(self) -> None:
        """Makes the actors anew, after the result, the mode, the edges or the grid changed."""
        self._drop_actors()
        if self.mode == "textured":
            surround(self.plotter)
        for actor in self._made():
            self._add(actor)
        if self.grid and self.shown is not None:
            self._add(ground(self.bounds))

    def _made(self) -> list[Any]:
        if isinstance(self.shown, Solid):
            return self._solid(self.shown)
        if self._splats is not None:
            self.sort()
            return [self._splats.actor]
        if self._dots is not None:
            self.sort()
            return self._dots.actors
        return []

    def _solid(self, shown: Solid) -> list[Any]:
        self._full_actors = [
            surface_actor(data, mesh, self.mode, self.edges)
            for data, mesh in zip(self._data, shown.surfaces, strict=False)
        ]
        self._coarse_actors = [surface_actor(data, mesh, self.mode, self.edges) for mesh, data in self._coarse]
        for actor in self._coarse_actors:
            actor.visibility = False
            actor.SetBackfaceProperty(None)
        made = [*self._full_actors, *self._coarse_actors]
        if shown.outline is not None:
            made.append(_box(shown.outline))
        return made

    def _add(self, actor: Any) -> None:
        self.plotter.renderer.AddActor(actor)
        self._actors.append(actor)

    def _drop_actors(self) -> None:
        for actor in self._actors:
            self.plotter.renderer.RemoveActor(actor)
        self._actors.clear()
        self._full_actors, self._coarse_actors = [], []

    def smooth_meshes(self) -> list[Mesh]:
        """The meshes shown, with the normals they are drawn with."""
        if not isinstance(self.shown, Solid):
            return []
        return [
            replace(mesh, normals=np.asarray(data.point_data["Normals"], np.float32))
            for data, mesh in zip(self._data, self.shown.surfaces, strict=False)
        ]

    def use_coarse(self, meshes: list[Mesh]) -> None:
        """Takes coarse stand-ins for the meshes shown; :meth:`moving` draws them."""
        self._coarse = [(mesh, surface_data(mesh)) for mesh in meshes]
        self.dress()

    def moving(self, on: bool) -> None:
        """While the camera moves, the coarse stand-in is drawn in place of the result, where there is one."""
        if self._dots is not None:
            self._dots.moving(on)
        if self._full_actors and self._coarse_actors:
            for actor in self._full_actors:
                actor.visibility = not on
            for actor in self._coarse_actors:
                actor.visibility = on

    def sort(self) -> None:
        """Puts Gaussians in drawing order, and points to their size, for the present camera."""
        if self._dots is not None:
            self._dots.fit(self.plotter.renderer.camera, self.plotter.render_window.GetSize()[1])
        if self._splats is not None:
            camera = self.plotter.renderer.camera
            self._splats.sort(np.array(camera.focal_point) - np.array(camera.position))

    def look_from(self, view: str) -> None:
        """Turns the camera to one of :data:`VIEWS` and frames what is shown."""
        low, high = (np.asarray(c, float) for c in self.bounds)
        centre, radius = (low + high) / 2, max(float(np.linalg.norm(high - low)) / 2, 1e-6)
        direction = np.array(VIEWS[view], float)
        direction /= np.linalg.norm(direction)
        camera = self.plotter.renderer.camera
        camera.focal_point = tuple(centre)
        camera.position = tuple(centre + direction * radius * 3)
        camera.up = (0, 0, -1) if direction[1] > 0.99 else (0, 0, 1) if direction[1] < -0.99 else (0, 1, 0)
        self.frame()

    def frame(self) -> None:
        """Moves the camera so that what is shown fills the view; the direction stays."""
        low, high = self.bounds
        camera = self.plotter.renderer.camera
        centre = (np.asarray(low, float) + np.asarray(high, float)) / 2
        radius = max(float(np.linalg.norm(high - low)) / 2, 1e-6)
        width, height = self.plotter.render_window.GetSize()
        angle = np.radians(camera.view_angle) / 2
        narrow = np.arctan(np.tan(angle) * min(1.0, width / max(height, 1)))
        away = np.array(camera.position) - np.array(camera.focal_point)
        away /= max(float(np.linalg.norm(away)), 1e-9)
        camera.focal_point = tuple(centre)
        camera.position = tuple(centre + away * radius / np.sin(narrow) * 0.95)
        self.sort()
        self.reclip()

    def in_view(self) -> bool:
        """Whether what is shown lies near the middle of the view and is neither a speck nor far too large."""
        low, high = (np.asarray(c, float) for c in self.bounds)
        camera = self.plotter.renderer.camera
        position, focus = np.array(camera.position), np.array(camera.focal_point)
        ahead = (focus - position) / max(float(np.linalg.norm(focus - position)), 1e-9)
        to = (low + high) / 2 - position
        depth = float(to @ ahead)
        if depth <= 0:
            return False
        half = depth * np.tan(np.radians(camera.view_angle) / 2)
        aside = float(np.linalg.norm(to - depth * ahead))
        return bool(aside < half and 0.15 < float(np.linalg.norm(high - low)) / 2 / half < 2.0)

    def reclip(self) -> None:
        """Fits the clipping planes around the result and its ground."""
        low, high = self.bounds
        reach = 2 * float(np.linalg.norm(high - low)) + 12 * self.step
        camera = self.plotter.renderer.camera
        distance = float(np.linalg.norm(np.array(camera.position) - (low + high) / 2))
        far = distance + reach
        camera.clipping_range = (max(distance - reach, far * 5e-4), far)


def _box(outline: Box) -> Any:
    low, high = outline
    corners = (low[0], high[0], low[1], high[1], low[2], high[2])
    actor = pv.Actor(mapper=pv.DataSetMapper(pv.Box(corners).extract_all_edges()))
    actor.prop.color = ACCENT
    actor.prop.lighting = False
    return actor


def mode_label(mode: str) -> str:
    """The words for a mode."""
    return LOOKS[mode].label
