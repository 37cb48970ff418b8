"""Take stray points away."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import BadInput, PointCloud, Run, Setting, Slider, node
from nodes.mesh._topology import weld_rows
from nodes.points._cloud import Array, only, sound
from nodes.points._near import Told, neighbours, spacing, tree_of

Method = Literal["statistical", "radius", "both", "none"]
AT_ONCE = 100_000


@node("points.clean", title="Clean points")
def clean(
    run: Run,
    cloud: PointCloud,
    method: Annotated[
        Method,
        Setting(
            help="statistical: points farther from their neighbours than is usual. radius: points with too few others "
            "around them."
        ),
    ] = "statistical",
    near: Annotated[int, Slider(1, 200, log=True, label="Neighbours", help="For statistical: how many count.")] = 16,
    strictness: Annotated[
        float,
        Slider(0.1, 10, step=0.1, unit="σ", help="For statistical: deviations above the mean. Lower takes more away."),
    ] = 2.0,
    radius: Annotated[
        float, Slider(0, 1000, unit="m", help="For radius: how far around. 0: four times the usual spacing.")
    ] = 0.0,
    fewest: Annotated[int, Slider(1, 200, log=True, help="For radius: so many others must be around.")] = 4,
    duplicates: Annotated[bool, Setting(help="Keep one of several points at the same place.")] = True,
) -> PointCloud:
    """Take stray points away: floating specks of a scan, and points that lie there twice.

    Statistical: the mean distance of a point to its neighbours is compared with that of all (Rusu et al. 2008).
    """
    run.progress(0.0, "checking")
    cloud = sound(run, cloud)
    came = len(cloud.points)
    if duplicates:
        cloud = only(cloud, weld_rows(cloud.points).first)
        run.log.info("%d points lay at the place of another", came - len(cloud.points))
    points = cloud.points - (cloud.points.min(axis=0) + cloud.points.max(axis=0)) / 2
    good = np.ones(len(points), bool)
    if method in ("statistical", "both"):
        good &= usual(points, near, strictness, lambda done: run.progress(0.5 * done, "measuring distances"))
    if method in ("radius", "both"):
        good &= crowded(points, radius, fewest, lambda done: run.progress(0.5 + 0.5 * done, "counting around"))
    if not good.any():
        raise BadInput("No point would be left.", "Choose a larger radius, or fewer points that must be around.")
    run.log.info("%d of %d points stay", int(good.sum()), came)
    return only(cloud, good)


def usual(points: Array, near: int, strictness: float, told: Told) -> Array:
    """(N,) whether the mean distance to the ``near`` nearest others is within ``strictness`` deviations of the mean."""
    if len(points) < 3:
        return np.ones(len(points), bool)
    distance, _ = neighbours(points, min(near, len(points) - 1), told)
    mean = distance[:, 1:].mean(axis=1, dtype=np.float64)
    return np.asarray(mean <= mean.mean() + strictness * mean.std())


def crowded(points: Array, radius: float, fewest: int, told: Told) -> Array:
    """(N,) whether ``fewest`` others lie within ``radius`` metres."""
    if len(points) <= fewest:
        return np.zeros(len(points), bool)
    tree = tree_of(points)
    reach = radius or 4 * spacing(points, tree)
    out = np.empty(len(points), bool)
    for start in range(0, len(points), AT_ONCE):
        told(start / len(points))
        part = slice(start, start + AT_ONCE)
        distance, _ = tree.query(points[part], k=[fewest + 1], workers=-1, distance_upper_bound=reach * (1 + 1e-6))
        out[part] = np.isfinite(distance[:, 0])
    return out
