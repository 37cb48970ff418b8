"""Fewer points."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import PointCloud, Run, Seed, Setting, Slider, node
from nodes.points._cloud import Array, only, sound, unit
from nodes.points._near import spacing as usual_spacing

Method = Literal["voxel grid", "poisson disk", "count", "random"]


@node("points.thin", title="Thin points")
def thin(
    run: Run,
    cloud: PointCloud,
    method: Annotated[
        Method,
        Setting(
            help="voxel grid: the mean of each cell. poisson disk: no two closer than the spacing. count: so many, as "
            "evenly as they go. random: so many, any."
        ),
    ] = "voxel grid",
    spacing: Annotated[
        float, Slider(0, 1000, unit="m", help="For voxel grid and poisson disk. 0: twice the usual spacing.")
    ] = 0.0,
    count: Annotated[int, Slider(1, 10_000_000, log=True, unit="points", help="For count and random.")] = 20_000,
    seed: Annotated[int, Seed(help="Another choice of points; not for voxel grid.")] = 0,
) -> PointCloud:
    """Fewer points, spread evenly.

    Count leaves out the most crowded point again and again (sample elimination, Yuksel 2015).
    """
    run.progress(0.0, "checking")
    cloud = sound(run, cloud)
    points = cloud.points - (cloud.points.min(axis=0) + cloud.points.max(axis=0)) / 2
    if method in ("count", "random"):
        if count >= len(points):
            return cloud
        if method == "random":
            return only(cloud, np.sort(np.random.default_rng(seed).permutation(len(points))[:count]))
        from nodes.points._disk import eliminated

        return only(cloud, eliminated(points, count, 0.0, seed, lambda done: run.progress(done, "leaving points out")))
    step = spacing or 2 * usual_spacing(points)
    run.progress(0.3, "thinning")
    if step <= 0:
        return only(cloud, np.zeros(1, np.int64))
    if method == "voxel grid":
        return averaged(cloud, cells(points, step))
    from nodes.points._disk import apart

    return only(cloud, apart(points, step, seed))


def cells(points: Array, step: float) -> Array:
    """(N,) int32: the number of the cell of a grid with sides of ``step`` metres that each point lies in."""
    from nodes.mesh._topology import weld_bits

    low = points.min(axis=0).astype(np.float64)
    return np.asarray(weld_bits(np.floor((points - low) / step).astype(np.int64)).ids)


def averaged(cloud: PointCloud, cell: Array) -> PointCloud:
    """One point for each cell, at the mean place, with the mean colour and normal."""
    share = np.bincount(cell)

    def mean(values: Array) -> Array:
        base = values[0].astype(np.float64)
        sums = [np.bincount(cell, values[:, k] - base[k]) for k in range(values.shape[1])]
        return np.asarray(np.stack(sums, axis=1) / share[:, None] + base, np.float32)

    return PointCloud(
        mean(cloud.points),
        None if cloud.colours is None else mean(cloud.colours),
        None if cloud.normals is None else unit(mean(cloud.normals)),
    )
