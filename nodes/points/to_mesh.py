"""A surface through a point cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Mesh, PointCloud, Run, Setting, Slider, node
from nodes.mesh._topology import weld_rows
from nodes.points._cloud import only, sound, unit
from nodes.points._near import nearest, neighbours, tree_of
from nodes.points._orient import estimated, one_side

Array = NDArray[Any]
Method = Literal["poisson", "ball pivot"]
NEIGHBOURS = 12
MOST_VOXELS = 512
MOST_AREA = 100.0
COLOURS_FROM = 4
BALLS = (1.2, 2.0, 3.5)
LARGEST_BALL = 16
MANY = 2_000_000


@dataclass(frozen=True)
class Ready:
    """``cloud``: with normals, no two points at one place. ``middle``: taken off its ``points``. ``area``: (N,) m²."""

    cloud: PointCloud
    points: Array
    middle: Array
    area: Array

    @property
    def spacing(self) -> float:
        return float(np.sqrt(np.median(self.area)))


@node("points.to_mesh", title="Points to mesh")
def to_mesh(
    run: Run,
    cloud: PointCloud,
    method: Annotated[
        Method,
        Setting(
            help="poisson: a smooth closed surface near the points, which evens out noise. ball pivot: triangles "
            "between the points themselves, with holes where there are none."
        ),
    ] = "poisson",
    detail: Annotated[
        int,
        Slider(
            0, MOST_VOXELS, unit="voxels", help="Poisson: along the longest side. 0: as fine as the points are dense."
        ),
    ] = 0,
    fit: Annotated[
        float, Slider(0, 100, step=0.1, help="Poisson: how firmly it passes through the points. 0: the smoothest.")
    ] = 4.0,
    trim: Annotated[
        float,
        Slider(0, 50, step=0.1, unit="spacings", help="Poisson: cut away what is farther from points. 0: stay closed."),
    ] = 0.0,
    radius: Annotated[
        float, Slider(0, 1000, unit="m", help="Ball pivot: of the ball. 0: three sizes after the spacing.")
    ] = 0.0,
    colours: Annotated[bool, Setting(help="Give the mesh the colours of the points.")] = True,
) -> Mesh:
    """A surface through a point cloud. Its normals say where outside is; missing ones are found first.

    Poisson is the screened method of Kazhdan and Hoppe (2013), ball pivot that of Bernardini et al. (1999).
    """
    run.progress(0.0, "checking")
    cloud = sound(run, cloud, 4)
    if method == "poisson" and len(cloud.points) > MANY:
        cloud = _lighter(run, cloud, detail or MOST_VOXELS)
    ready = _ready(run, cloud)
    if method == "ball pivot":
        return _pivoted(run, ready, radius, colours)
    points, faces = _poisson(run, ready, detail, fit)
    return _finished(run, ready, points, faces, trim, colours)


def _lighter(run: Run, cloud: PointCloud, voxels: int) -> PointCloud:
    """Points that lie within half a voxel of each other say no more than their mean."""
    from nodes.points.thin import averaged, cells

    low, high = cloud.points.min(axis=0), cloud.points.max(axis=0)
    if cloud.normals is None or not float((high - low).max()) > 0:
        return cloud
    found = averaged(cloud, cells(cloud.points - low, float((high - low).max()) / (2 * voxels)))
    run.log.info("%d points stand for %d", len(found.points), len(cloud.points))
    return found


def _ready(run: Run, cloud: PointCloud) -> Ready:
    cloud = only(cloud, weld_rows(cloud.points).first)
    low, high = cloud.points.min(axis=0), cloud.points.max(axis=0)
    size = float((high - low).max())
    if len(cloud.points) < 4 or size <= 0:
        raise BadInput("The points lie at fewer than four places.", "Check the step before this one.")
    middle = (low + high) / 2
    points = cloud.points - middle
    distance, index = neighbours(points, NEIGHBOURS, lambda done: run.progress(0.1 * done, "measuring spacing"))
    area = np.pi * distance[:, -1].astype(np.float64) ** 2 / NEIGHBOURS
    area = area[index].mean(axis=1)
    area = np.clip(area, (1e-6 * size) ** 2, MOST_AREA * float(np.median(area)))
    if cloud.normals is None:
        run.warn("The cloud has no normals; they were found from its shape. Point normals gives more control.")
        found = one_side(
            points, estimated(points, index), index, lambda done: run.progress(0.1 + 0.1 * done, "normals")
        )
    else:
        found = unit(cloud.normals)
    return Ready(PointCloud(cloud.points, cloud.colours, found), points, middle, area)


def _poisson(run: Run, ready: Ready, detail: int, fit: float) -> tuple[Array, Array]:
    """((V, 3), (M, 3)) about the middle."""
    from nodes.mesh._iso import surface
    from nodes.points._poisson import solve

    size = float(np.ptp(ready.points, axis=0).max())
    voxels = detail or int(np.clip(size / ready.spacing, 24, MOST_VOXELS))
    normals = np.asarray(ready.cloud.normals)
    at = ready.points.astype(np.float64)
    solved = solve(at, normals, ready.area, max(voxels, 8), fit, lambda done: run.progress(0.2 + 0.5 * done, "solving"))
    run.progress(0.75, "surface")
    if solved.inward:
        run.warn("The normals look into the shape, and so does the mesh. Point normals can turn them.")
    points, faces = surface(solved.values, solved.level, solved.low, solved.step)
    if not len(faces):
        raise BadInput("The points enclose nothing.", "Check that the normals look to one side: Point normals.")
    return points, faces


def _finished(run: Run, ready: Ready, points: Array, faces: Array, trim: float, colours: bool) -> Mesh:
    """Trimmed, coloured, and put back in place."""
    from nodes.mesh._iso import normals
    from nodes.points._trim import clipped

    tree = tree_of(ready.points) if trim or (colours and ready.cloud.colours is not None) else None
    if trim:
        distance, index = nearest(tree, points, COLOURS_FROM, lambda done: run.progress(0.8 + 0.1 * done, "trimming"))
        spacing = np.sqrt(ready.area)[index].mean(axis=1)
        points, faces = clipped(points, faces, distance[:, 0] / spacing, trim)
        if not len(faces):
            raise BadInput("Nothing is left.", "Raise 'trim', or set it to 0.")
    paint = None
    if colours and ready.cloud.colours is not None:
        distance, index = nearest(tree, points, COLOURS_FROM, lambda done: run.progress(0.9 + 0.1 * done, "colours"))
        paint = blended(ready.cloud.colours, distance, index)
    return Mesh(points + ready.middle, faces, normals(points, faces), colours=paint, name="surface")


def blended(colours: Array, distance: Array, index: Array) -> Array:
    """(V, 4) float32: the colours of the nearest points, weighted by one over the square of their distance."""
    weight = 1 / (distance.astype(np.float64) ** 2 + 1e-6 * float(np.median(distance)) ** 2 + 1e-30)
    weight /= weight.sum(axis=1, keepdims=True)
    total = np.zeros((len(index), 4))
    for k in range(index.shape[1]):
        total += weight[:, k : k + 1] * colours[index[:, k]]
    return np.asarray(total.clip(0, 1), np.float32)


def _pivoted(run: Run, ready: Ready, radius: float, colours: bool) -> Mesh:
    from nodes.points._pivot import pivoted

    if radius > LARGEST_BALL * ready.spacing:
        raise BadInput(
            f"A ball of {radius:g} m covers too many points at once.",
            f"Choose a radius of at most {LARGEST_BALL * ready.spacing:.3g} m, or 0.",
        )
    radii = [radius] if radius else [ready.spacing * size for size in BALLS]
    at, normals = ready.points.astype(np.float64), np.asarray(ready.cloud.normals)
    faces = pivoted(at, normals, radii, lambda done: run.progress(0.2 + 0.7 * done, "rolling the ball"))
    if not len(faces):
        raise BadInput("The ball rests on no three points.", "Choose a larger radius, or 0.")
    rows, flat = np.unique(faces, return_inverse=True)
    faces = flat.reshape(-1, 3).astype(np.int32)
    if len(rows) < len(at):
        run.warn(f"{len(at) - len(rows):,} of {len(at):,} points are in no triangle.")
    paint = ready.cloud.colours[rows] if colours and ready.cloud.colours is not None else None
    return Mesh(ready.cloud.points[rows], faces, normals[rows], colours=paint, name="surface")
