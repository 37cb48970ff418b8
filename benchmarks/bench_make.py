"""Deforming, text and scattering against other tools on the same input in the same run.

``pytest benchmarks/bench_make.py --benchmark-timer=time.process_time`` counts the processor's seconds of all threads.
Loops are compiled before the clock starts. Blender's own clock is under ``seconds`` and ``cpu_s``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import trimesh
from peers import ask, note_time
from scipy.spatial import cKDTree

from app.engine import Mesh, Run
from nodes.mesh._font import bundled
from nodes.mesh.array import array
from nodes.mesh.bend import bend
from nodes.mesh.primitives import box, sphere, torus
from nodes.mesh.scatter import scatter
from nodes.mesh.text import text

pytestmark = pytest.mark.timeout(0)
LETTERS = "\n".join("The quick brown fox jumps over the lazy dog 0123456789" for _ in range(40))
TINY = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])


@cache
def ring() -> Mesh:
    return torus(0.5, 0.2, 700, 700)


def test_bend_a_million_triangles(benchmark: Any) -> None:
    made = benchmark.pedantic(lambda: bend(Run(), ring(), 90, "z"), rounds=5, warmup_rounds=1)
    assert len(made.faces) == 980_000


def test_bend_a_million_triangles_in_blender(benchmark: Any) -> None:
    mesh = ring()
    made = benchmark.pedantic(lambda: ask("blender_bend", vertices=mesh.vertices, faces=mesh.faces), rounds=1)
    note_time(benchmark, made)
    assert len(made["faces"]) == 980_000


def test_two_thousand_letters_with_round_edges(benchmark: Any) -> None:
    made = benchmark.pedantic(lambda: text(Run(), text=LETTERS, bevel=0.02), rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(faces=len(made.faces), **soundness(made.vertices, made.faces))


def test_two_thousand_letters_with_round_edges_in_blender(benchmark: Any) -> None:
    given = {"text": LETTERS, "font": str(bundled("sans bold")), "depth": 0.25, "bevel": 0.02, "steps": 4}
    made = benchmark.pedantic(lambda: ask("blender_text", **given), rounds=1)
    note_time(benchmark, made)
    benchmark.extra_info.update(faces=len(made["faces"]), **soundness(made["vertices"], made["faces"]))


def soundness(vertices: np.ndarray, faces: np.ndarray) -> dict[str, int]:
    """Edges without exactly two faces, equal positions counted as one."""
    points, number = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    ends = np.sort(number.reshape(-1)[faces][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, uses = np.unique(ends @ np.array([len(points), 1]), return_counts=True)
    return {"open_or_crowded_edges": int((uses != 2).sum())}


def test_ten_thousand_evenly_on_a_sphere(benchmark: Any) -> None:
    ball = sphere(1.0, segments=256)
    made = benchmark.pedantic(lambda: scatter(Run(), ball, TINY, count=10_000), rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(spread(made.points.points))


def test_ten_thousand_evenly_on_a_sphere_by_trimesh(benchmark: Any) -> None:
    ball = sphere(1.0, segments=256)
    shape = trimesh.Trimesh(ball.vertices, ball.faces, process=False)
    made = benchmark.pedantic(lambda: trimesh.sample.sample_surface_even(shape, 10_000, seed=0), rounds=3)
    benchmark.extra_info.update(spread(made[0]))


def spread(points: np.ndarray) -> dict[str, float]:
    """``least``, ``mean``: distance to the nearest, as a share of the largest that this many could all have."""
    apart = cKDTree(points).query(points, 2)[0][:, 1] / (2 * np.sqrt(4 * np.pi / (2 * np.sqrt(3) * len(points))))
    return {"points": len(points), "least": round(float(apart.min()), 3), "mean": round(float(apart.mean()), 3)}


def test_a_thousand_boxes_in_one_solid(benchmark: Any) -> None:
    made = benchmark.pedantic(lambda: array(Run(), box(pieces=10), 1000, 1.0, merge=1e-3), rounds=3, warmup_rounds=1)
    assert len(made.faces) == 1000 * 800 + 400
