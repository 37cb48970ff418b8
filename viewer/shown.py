"""The five forms in which a result can be seen. Adapters make them; the viewport, the picture view, the page and the
thumbnails draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.engine.payloads import Float32, Mesh, PointCloud, Splats

Box = tuple[Float32, Float32]


@dataclass(frozen=True, eq=False)
class Solid:
    """A surface. ``outline``: lowest and highest corner of a box drawn around it, metres. ``facts``: replaces the
    statistics line when the mesh is not the result itself but stands for it. ``modes``: the only looks that make
    sense, best first; empty: all that the mesh can take. ``pieces``: the same surface cut by material, its vertices in
    the same order, each with UVs and colours of its own; ``objects``: how many things of a scene it is."""

    mesh: Mesh
    outline: Box | None = None
    facts: str = ""
    modes: tuple[str, ...] = ()
    pieces: tuple[Mesh, ...] = ()
    objects: int = 0

    @property
    def surfaces(self) -> tuple[Mesh, ...]:
        """What is drawn, each with one material."""
        return self.pieces or (self.mesh,)

    @property
    def bounds(self) -> Box:
        return self.outline if self.outline is not None else finite_bounds(self.mesh.vertices)


@dataclass(frozen=True, eq=False)
class Dots:
    """A point cloud."""

    cloud: PointCloud

    @property
    def bounds(self) -> Box:
        return finite_bounds(self.cloud.points)


@dataclass(frozen=True, eq=False)
class Gaussians:
    """3D Gaussians, drawn back to front."""

    splats: Splats

    @property
    def bounds(self) -> Box:
        return finite_bounds(self.splats.means)


@dataclass(frozen=True, eq=False)
class Picture:
    """``values``: (H, W, 4) colours 0..1 for ``"colour"``, else (H, W). ``"depth"`` values are metres with NaN holes.

    ``note``: what the readout line says beside the size. ``pages``: the pictures that ``values`` is a sheet of, each
    (H, W, 4) at its full size; they can be looked at one by one.
    """

    values: Float32
    kind: Literal["colour", "grey", "depth"] = "colour"
    note: str = ""
    pages: tuple[Float32, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.values.shape[1], self.values.shape[0]


@dataclass(frozen=True)
class Page:
    """Words: an optional title and verdict, then a table, then running text."""

    title: str = ""
    verdict: str = ""
    rows: tuple[tuple[str, str], ...] = field(default=())
    text: str = ""


Scenery = Solid | Dots | Gaussians
Shown = Scenery | Picture | Page


def finite_bounds(points: NDArray[np.float32]) -> Box:
    """(lowest, highest) corner over the finite rows of (N, 3) ``points``; zeros when there are none."""
    box = _bounds(points)
    if not np.isfinite(box).all():
        box = _bounds(points[np.isfinite(points).all(axis=1)])
    return box[0], box[1]


def _bounds(points: NDArray[np.float32]) -> Float32:
    """(2, 3); column by column, which numpy does ten times faster than along axis 0 of a narrow array."""
    if not len(points):
        return np.zeros((2, 3), np.float32)
    return np.array([[points[:, k].min() for k in range(3)], [points[:, k].max() for k in range(3)]], np.float32)
