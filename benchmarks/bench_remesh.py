"""Remeshing 100,000 triangles beside peers: time, evenness, distance and topology together.

``pytest benchmarks/bench_remesh.py --benchmark-timer=time.process_time`` counts the processor's seconds of all threads.
Peers on the same mesh: pyacvd, MeshLab's isotropic remeshing and Blender's voxel remesh (``make peers`` brings the last
two, and their rows hold the start of a process: see ``cpu_s``). Loops are compiled before the clock starts. Columns:
``quality``, mean of 4 sqrt(3) area / squared sides; ``even``, share of edges within 4/5 and 4/3 of the mean; ``mean``,
``most``: the worse of both ways, in millionths of the diagonal; ``bad``: open, crowded or crossed edges.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvista
from bench_mesh import dense
from bench_reduce import peak
from peers import ask, note_time

from app.engine import Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh._within import Gauge
from nodes.mesh.remesh import remesh
from nodes.mesh.wrap import wrap

pytestmark = pytest.mark.timeout(0)
COUNT = 20_000


@cache
def gauge() -> Gauge:
    return Gauge(dense())


@cache
def edge() -> float:
    """Of the wanted triangles, metres."""
    return float(np.sqrt(measure(dense()).area * 4 / np.sqrt(3) / COUNT))


def note(benchmark: Any, vertices: np.ndarray, faces: np.ndarray) -> None:
    mesh = Mesh.of(vertices, faces)
    at = mesh.vertices[mesh.faces].astype(np.float64)
    sides = np.linalg.norm(np.roll(at, -1, axis=1) - at, axis=2)
    area = np.linalg.norm(np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]), axis=1) / 2
    share, shape, apart = sides / sides.mean(), measure(mesh), gauge()(mesh)
    benchmark.extra_info.update(
        faces=len(faces),
        quality=round(float((4 * np.sqrt(3) * area / np.maximum((sides**2).sum(axis=1), 1e-30)).mean()), 3),
        even=round(float(((share > 4 / 5) & (share < 4 / 3)).mean()), 3),
        mean=round(apart.mean * 1e6, 1),
        most=round(apart.most * 1e6),
        bad=shape.boundary_edges + shape.non_manifold_edges + shape.crossed,
    )


def by_acvd(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    import pyacvd

    clusters = pyacvd.Clustering(pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces))
    clusters.cluster(COUNT // 2)
    found = clusters.create_mesh()
    return np.asarray(found.points), np.asarray(found.regular_faces)


@pytest.mark.parametrize("method", ["triangles", "quads", "voxels"])
def test_remesh(benchmark: Any, method: str) -> None:
    mesh = dense()
    new = benchmark.pedantic(lambda: remesh(Run(), mesh, method=method, target_faces=COUNT), rounds=3, warmup_rounds=1)
    note(benchmark, new.vertices, new.faces)
    benchmark.extra_info["megabytes"] = peak(lambda: remesh(Run(), mesh, method=method, target_faces=COUNT))


def test_pyacvd(benchmark: Any) -> None:
    note(benchmark, *benchmark.pedantic(lambda: by_acvd(dense()), rounds=1))


def test_meshlab(benchmark: Any) -> None:
    mesh = dense()
    made = benchmark.pedantic(
        lambda: ask("meshlab_remesh", vertices=mesh.vertices, faces=mesh.faces, size=edge()), rounds=1
    )
    note(benchmark, made["vertices"], made["faces"])
    note_time(benchmark, made)


def test_blender_voxels(benchmark: Any) -> None:
    mesh = dense()
    made = benchmark.pedantic(
        lambda: ask("blender_voxel_remesh", vertices=mesh.vertices, faces=mesh.faces, size=edge()), rounds=1
    )
    note(benchmark, made["vertices"], made["faces"])
    note_time(benchmark, made)


def test_wrap(benchmark: Any) -> None:
    """No peer: CGAL's alpha wrap is under the GPL and has no wheel."""
    new = benchmark.pedantic(lambda: wrap(Run(), dense(), gap=10, offset=2), rounds=1, warmup_rounds=1)
    note(benchmark, new.vertices, new.faces)
