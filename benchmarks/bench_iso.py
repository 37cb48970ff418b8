"""Iso-surfaces against VTK's flying edges and scikit-image on the same samples in the same run.

``pytest benchmarks/bench_iso.py --benchmark-timer=time.process_time`` counts the processor's seconds of all threads;
without it, wall time. Compare minima. Normals are left out everywhere but in scikit-image, which always makes them.
Column ``megabytes``: the highest memory use of arrays above the start, where tracemalloc sees it.
"""

from __future__ import annotations

import tracemalloc
from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvista
from skimage.measure import marching_cubes

from nodes.mesh._iso import surface


@cache
def waves(side: int) -> np.ndarray:
    """A gyroid with a smooth ripple: 1.84 million triangles at 256 samples a side."""
    line = np.linspace(-9, 9, side, dtype=np.float32)
    x, y, z = np.meshgrid(line, line, line, indexing="ij")
    return np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)


@cache
def image(side: int) -> pyvista.ImageData:
    """The same samples as VTK wants them, made outside the clock."""
    grid = pyvista.ImageData(dimensions=(side,) * 3)
    grid.point_data["value"] = waves(side).ravel(order="F")
    grid.set_active_scalars("value")
    return grid


def by_vtk(values: np.ndarray) -> int:
    found = image(len(values)).contour([0.0], method="flying_edges", compute_normals=False, compute_scalars=False)
    return int(found.n_cells)


WAYS = {
    "polyloom": lambda values: len(surface(values, 0.0)[1]),
    "vtk": by_vtk,
    "skimage": lambda values: len(marching_cubes(values, 0.0)[1]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("side", [128, 256])
def test_iso_surface(benchmark: Any, side: int, way: str) -> None:
    values = waves(side)
    rounds = 2 if way == "skimage" else 10
    benchmark.extra_info["triangles"] = benchmark.pedantic(lambda: WAYS[way](values), rounds=rounds, warmup_rounds=1)
    if way == "polyloom":
        tracemalloc.start()
        surface(values, 0.0)
        benchmark.extra_info["megabytes"] = round(tracemalloc.get_traced_memory()[1] / 1e6)
        benchmark.extra_info["data_megabytes"] = round(values.nbytes / 1e6)
        tracemalloc.stop()
