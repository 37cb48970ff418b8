"""Surfaces from points beside VTK's, and beside Open3D's where it is installed: time and error together.

``pytest benchmarks/bench_points.py --benchmark-timer=time.process_time`` counts the processor's seconds of all threads.
The cloud: 139,122 vertices with normals of the Stanford bunny, split and displaced by noise as in ``bench_reduce``,
from the folder of real inputs beside the checkout; without it the benchmarks skip. VTK gets a quarter of them, without
normals. Loops are compiled before the clock starts. Columns: ``mean``: from points of the
true surface to the result, in millionths of the diagonal; ``open``: edges with one face; ``bad``: non-manifold edges
and vertices.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvista
from bench_reduce import MESHES, finer

from app.engine import Mesh, PointCloud, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, sample, surface_of
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import weld_points
from nodes.points.from_mesh import from_mesh
from nodes.points.normals import normals
from nodes.points.thin import thin
from nodes.points.to_mesh import to_mesh

pytestmark = [
    pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout"),
    pytest.mark.timeout(0),
]


@cache
def truth() -> Mesh:
    scan = load_mesh(Run(), MESHES / "stanford-bunny.obj")
    weld = weld_points(scan.vertices)
    used, faces = np.unique(weld.ids[scan.faces], return_inverse=True)
    return finer(Mesh.of(scan.vertices[weld.first[used]], faces.reshape(-1, 3)), 1, 0.004)


@cache
def cloud() -> PointCloud:
    return PointCloud(truth().vertices, None, smooth_normals(truth().vertices, truth().faces))


def poisson(detail: int) -> Callable[[], Mesh]:
    return lambda: to_mesh(Run(), cloud(), detail=detail)


def pivot() -> Mesh:
    return to_mesh(Run(), cloud(), method="ball pivot")


def by_vtk() -> Mesh:
    found = pyvista.PolyData(cloud().points[::4]).reconstruct_surface(nbr_sz=20)
    return Mesh.of(found.points, found.regular_faces)


def open3d_cloud() -> Any:
    import open3d

    points = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(cloud().points.astype(np.float64)))
    points.normals = open3d.utility.Vector3dVector(np.asarray(cloud().normals, np.float64))
    return points


def open3d_poisson(depth: int) -> Callable[[], Mesh]:
    def made() -> Mesh:
        import open3d

        found, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(open3d_cloud(), depth=depth)
        return Mesh.of(np.asarray(found.vertices), np.asarray(found.triangles))

    return made


def open3d_pivot() -> Mesh:
    import open3d

    area = float(surface_of(truth()).areas.sum())
    radii = open3d.utility.DoubleVector(np.sqrt(area / len(cloud().points)) * np.array([1.2, 2.0, 3.5]))
    found = open3d.geometry.TriangleMesh.create_from_point_cloud_ball_pivoting(open3d_cloud(), radii)
    return Mesh.of(np.asarray(found.vertices), np.asarray(found.triangles))


WAYS: dict[str, Callable[[], Mesh]] = {
    "poisson 256": poisson(256),
    "poisson 512": poisson(512),
    "ball pivot": pivot,
    "vtk on a quarter": by_vtk,
    "open3d poisson depth 8": open3d_poisson(8),
    "open3d poisson depth 9": open3d_poisson(9),
    "open3d ball pivot": open3d_pivot,
}


@pytest.mark.parametrize("way", WAYS)
def test_surface(benchmark: Any, way: str) -> None:
    if way.startswith("open3d") and importlib.util.find_spec("open3d") is None:
        pytest.skip("Open3D is not installed")
    small = from_mesh(Run(), truth(), count=2000)
    to_mesh(Run(), small), to_mesh(Run(), small, method="ball pivot")
    benchmark.group = "139k points to a mesh"
    mesh = benchmark.pedantic(WAYS[way], rounds=1 if way.startswith("vtk") else 3, iterations=1)
    shape, surface = measure(mesh), surface_of(mesh)
    away = nearest_on(surface, sample(surface_of(truth()), 200_000, 0).points).distance
    benchmark.extra_info.update(
        faces=len(mesh.faces),
        mean=round(float(away.mean()) / surface.diagonal * 1e6, 1),
        open=shape.boundary_edges,
        bad=shape.non_manifold_edges + shape.non_manifold_vertices,
    )


STEPS: dict[str, Callable[[PointCloud], PointCloud]] = {
    "normals": lambda many: normals(Run(), PointCloud(many.points)),
    "voxel grid": lambda many: thin(Run(), many, spacing=0.01),
    "poisson disk": lambda many: thin(Run(), many, method="poisson disk", spacing=0.01),
    "count": lambda many: thin(Run(), many, method="count", count=100_000),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_million_points(benchmark: Any, step: str) -> None:
    many = from_mesh(Run(), truth(), method="random", count=1_000_000)
    STEPS[step](PointCloud(many.points[:5000], None, many.normals[:5000] if many.normals is not None else None))
    benchmark.group = "a million points"
    benchmark.extra_info["points"] = len(benchmark.pedantic(STEPS[step], args=(many,), rounds=1, iterations=1).points)
