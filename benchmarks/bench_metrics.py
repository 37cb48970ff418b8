"""Shape difference: exact nearest points on the surface beside nearest samples, and laying one mesh over another.

pytest benchmarks/bench_metrics.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,min,rounds
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from app.engine import Run
from nodes.mesh import _align
from nodes.mesh._metrics import difference, sample, surface, surface_of
from nodes.mesh.primitives import sphere

APART = 0.01
COUNT = 50_000


@pytest.fixture(scope="module")
def pair():
    """Two spheres of 80,000 triangles, one hundredth of a metre apart."""
    mesh = sphere(style="icosphere", radius=1.0, detail=64)
    inner = surface_of(mesh)
    return inner, surface(inner.vertices * (1 + APART), inner.faces)


def test_exact(benchmark, pair):
    """Both ways, with the tree ready."""
    benchmark.group = f"chamfer distance, {COUNT:,} points on each"
    found = benchmark.pedantic(difference, (*pair, COUNT, 0.02, 0), rounds=5, warmup_rounds=1)
    benchmark.extra_info["chamfer distance, true 0.01"] = found.chamfer
    assert abs(found.chamfer - APART) < 1e-4


def test_between_samples(benchmark, pair):
    """What is often done instead: it takes the gaps between the samples for a distance."""
    benchmark.group = f"chamfer distance, {COUNT:,} points on each"
    one, other = (sample(shape, COUNT, seed).points for seed, shape in enumerate(pair))

    def between() -> float:
        return float(np.mean(cKDTree(other).query(one)[0]) + np.mean(cKDTree(one).query(other)[0])) / 2

    found = benchmark.pedantic(between, rounds=5, warmup_rounds=1)
    benchmark.extra_info["chamfer distance, true 0.01"] = found
    assert found > APART


def test_align(benchmark, pair):
    benchmark.group = "lay one mesh over another"
    benchmark.pedantic(_align.full, (*pair, 0, lambda _: Run().check()), rounds=3, warmup_rounds=1)
