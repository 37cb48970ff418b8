"""Booleans, cuts and shells beside the peers on the same meshes in the same run: time, volume, what is left open.

``pytest benchmarks/bench_boolean.py --benchmark-timer=time.process_time`` counts the processor's seconds of all
threads, which a busy machine blurs less; without it, wall time. Compare minima. Two bumpy balls with normals and UVs
run through each other. Ours takes attributes along and numbers parts; trimesh hands positions alone to the same
library; VTK's own filter takes the small pair only, the large one lasts minutes. Columns: ``triangles``: of the result;
``open``: edges without exactly two faces; ``off``: by how much union and intersection together miss the volume of both,
in millionths. Loops are compiled before the clock starts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvista
import trimesh

from app.engine import Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import weld_points
from nodes.mesh.boolean import boolean
from nodes.mesh.hollow import hollow
from nodes.mesh.primitives import sphere
from nodes.mesh.slice import slice_mesh
from nodes.mesh.thicken import thicken
from nodes.mesh.transform import transform

SIZES = {"10k": 22, "100k": 71}
pytestmark = pytest.mark.timeout(0)


@cache
def pair(size: str) -> tuple[Mesh, Mesh]:
    ball = sphere(1.0, style="icosphere", detail=SIZES[size])
    bumps = 1 + 0.06 * np.sin(7 * ball.vertices).prod(axis=1, keepdims=True)
    at = (ball.vertices * bumps).astype(np.float32)
    a = Mesh.of(at, ball.faces, uv=ball.uv, normals=smooth_normals(at, ball.faces))
    return a, transform(Run(), a, turn_x=25, turn_z=70, move_x=0.7, move_y=0.1)


def plain(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    weld = weld_points(mesh.vertices)
    return mesh.vertices[weld.first].astype(np.float64), weld.ids[mesh.faces]


def ours(size: str) -> Any:
    a, b = pair(size)
    return lambda operation: boolean(Run(), a, b, operation=operation)


def by_trimesh(size: str) -> Any:
    a, b = (trimesh.Trimesh(*plain(mesh), process=False) for mesh in pair(size))
    calls = {"union": trimesh.boolean.union, "intersection": trimesh.boolean.intersection}

    def run(operation: str) -> Mesh:
        result = calls[operation]([a, b], engine="manifold", check_volume=False)
        return Mesh.of(result.vertices, result.faces)

    return run


def by_vtk(size: str) -> Any:
    a, b = (pyvista.PolyData.from_regular_faces(*plain(mesh)) for mesh in pair(size))

    def run(operation: str) -> Mesh:
        result = a.boolean_union(b) if operation == "union" else a.boolean_intersection(b)
        return Mesh.of(result.points, result.regular_faces)

    return run


def by_plane(shape: pyvista.PolyData) -> Mesh:
    result = shape.clip_closed_surface([0, 0.94, 0.342], [0, 0, 0]).triangulate()
    return Mesh.of(result.points, result.regular_faces)


CASES = [("polyloom", "10k"), ("trimesh", "10k"), ("vtk", "10k"), ("polyloom", "100k"), ("trimesh", "100k")]
TOOLS = {"polyloom": ours, "trimesh": by_trimesh, "vtk": by_vtk}


@pytest.mark.parametrize(("tool", "size"), CASES)
def test_union(benchmark: Any, tool: str, size: str) -> None:
    run = TOOLS[tool](size)
    rounds = 1 if tool == "vtk" else 3
    union = benchmark.pedantic(run, args=("union",), rounds=rounds, warmup_rounds=0 if tool == "vtk" else 1)
    one, other = measure(union), measure(run("intersection"))
    both = sum(measure(mesh).volume for mesh in pair(size))
    benchmark.group = f"union, 2 x {size}"
    benchmark.extra_info["triangles"] = len(union.faces)
    benchmark.extra_info["open"] = one.boundary_edges + one.non_manifold_edges
    benchmark.extra_info["off"] = round(1e6 * abs(one.volume + other.volume - both) / both, 2)


@pytest.mark.parametrize("what", ["slice", "slice, vtk", "thicken", "hollow"])
def test_solid(benchmark: Any, what: str) -> None:
    mesh, _ = pair("100k")
    shape = pyvista.PolyData.from_regular_faces(*plain(mesh))
    calls = {
        "slice": lambda: slice_mesh(Run(), mesh, tilt_x=20).above,
        "slice, vtk": lambda: by_plane(shape),
        "thicken": lambda: thicken(Run(), mesh, 0.02),
        "hollow": lambda: hollow(Run(), mesh, wall=60.0).mesh,
    }
    result = benchmark.pedantic(calls[what], rounds=2, warmup_rounds=1)
    benchmark.group = "solids, 100k"
    seen = measure(Mesh.of(result.vertices, result.faces))
    benchmark.extra_info["triangles"] = len(result.faces)
    benchmark.extra_info["open"] = seen.boundary_edges + seen.non_manifold_edges
