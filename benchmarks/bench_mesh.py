"""Mesh steps on a closed mesh of 100,000 triangles, against the peers that can be installed beside them.

``pytest benchmarks/bench_mesh.py``; on a busy machine add ``--benchmark-timer=time.process_time``, which counts the
processor's seconds of all threads. Each row's extra columns say what came out: faces, watertight, charts, rays a
second. Loops are compiled before the clock starts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import fast_simplification
import numpy as np
import pytest
import trimesh

from app.engine import Mesh, Run
from nodes.mesh._measure import measure, measure_uv
from nodes.mesh._shading import smooth_normals
from nodes.mesh.analyse import analyse
from nodes.mesh.decimate import decimate
from nodes.mesh.repair import repair
from nodes.mesh.smooth import smooth
from nodes.mesh.unwrap import unwrap
from nodes.texture.bake import bake

TARGET = 5_000


@cache
def dense() -> Mesh:
    """A bumpy torus of 100,352 triangles with vertex colours."""
    shape = trimesh.creation.torus(1.0, 0.4, major_sections=224, minor_sections=224)
    v = shape.vertices
    bump = 0.03 * np.sin(9 * v[:, 0]) * np.cos(8 * v[:, 1]) + 0.006 * np.sin(41 * v).sum(axis=1)
    at = (v + shape.vertex_normals * bump[:, None]).astype(np.float32)
    colours = np.concatenate([0.5 + 0.5 * np.sin(5 * at), np.ones((len(at), 1))], axis=1)
    return Mesh.of(at, shape.faces, colours=colours.astype(np.float32))


@cache
def damaged() -> Mesh:
    """The dense mesh with 60 holes, one face in a hundred turned, duplicates, fins and loose triangles."""
    mesh, rng = dense(), np.random.default_rng(1)
    centre = mesh.vertices[mesh.faces].mean(axis=1)
    keep = np.ones(len(mesh.faces), bool)
    for c in rng.choice(len(centre), 60, replace=False):
        keep[np.linalg.norm(centre - centre[c], axis=1) < 0.02] = False
    faces = mesh.faces[keep].copy()
    turned = rng.random(len(faces)) < 0.01
    faces[turned] = faces[turned][:, ::-1]
    fins = np.stack([faces[1000:1100, 0], faces[1000:1100, 1], rng.integers(0, len(mesh.vertices), 100)], axis=1)
    loose = np.arange(12).reshape(4, 3) + len(mesh.vertices)
    far = (mesh.vertices[mesh.faces[:4]] + 3).reshape(-1, 3)
    return Mesh.of(np.concatenate([mesh.vertices, far]), np.concatenate([faces, faces[:500], fins, loose]))


@cache
def laid_out(faces: int) -> Mesh:
    return unwrap(Run(), decimate(Run(), replace(dense(), colours=None), faces), method="fast")


def timed(benchmark: Any, step: Any, rounds: int = 3) -> Any:
    return benchmark.pedantic(step, rounds=rounds, warmup_rounds=1)


def note_shape(benchmark: Any, mesh: Mesh) -> None:
    shape = measure(mesh)
    benchmark.extra_info.update(faces=len(mesh.faces), watertight=shape.watertight, manifold=shape.manifold)


def test_analyse(benchmark: Any) -> None:
    timed(benchmark, lambda: analyse(Run(), dense()))


def test_vertex_normals(benchmark: Any) -> None:
    timed(benchmark, lambda: smooth_normals(dense().vertices, dense().faces))


def test_smooth(benchmark: Any) -> None:
    timed(benchmark, lambda: smooth(Run(), dense()))


def test_decimate(benchmark: Any) -> None:
    bare = replace(dense(), colours=None)
    note_shape(benchmark, timed(benchmark, lambda: decimate(Run(), bare, TARGET)))


def test_decimate_with_colours(benchmark: Any) -> None:
    note_shape(benchmark, timed(benchmark, lambda: decimate(Run(), dense(), TARGET)))


def test_decimate_keeping_uv(benchmark: Any) -> None:
    mesh = laid_out(200_000)
    note_shape(benchmark, timed(benchmark, lambda: decimate(Run(), mesh, TARGET)))


def test_decimate_peer_fast_simplification(benchmark: Any) -> None:
    at, faces = dense().vertices.astype(np.float64), dense().faces.copy()
    result = timed(benchmark, lambda: fast_simplification.simplify(at, faces, target_count=TARGET))
    note_shape(benchmark, Mesh.of(*result))


def test_repair(benchmark: Any) -> None:
    note_shape(benchmark, timed(benchmark, lambda: repair(Run(), damaged())).mesh)


def test_repair_peer_trimesh(benchmark: Any) -> None:
    def mend() -> trimesh.Trimesh:
        shape = trimesh.Trimesh(damaged().vertices, damaged().faces, process=True)
        shape.update_faces(shape.unique_faces())
        shape.update_faces(shape.nondegenerate_faces())
        trimesh.repair.fix_normals(shape)
        trimesh.repair.fill_holes(shape)
        return shape

    shape = benchmark.pedantic(mend, rounds=1)
    note_shape(benchmark, Mesh.of(shape.vertices, shape.faces))


@pytest.mark.parametrize(
    ("method", "faces"), [("fast", 200_000), ("fast", 10_000), ("xatlas", 10_000), ("box", 200_000)]
)
def test_unwrap(benchmark: Any, method: str, faces: int) -> None:
    mesh = replace(decimate(Run(), replace(dense(), colours=None), faces))
    laid = timed(benchmark, lambda: unwrap(Run(), mesh, method=method), rounds=3)
    layout = measure_uv(laid, 1.0)
    benchmark.extra_info.update(
        faces=len(mesh.faces), charts=layout.charts, coverage=round(layout.coverage, 3), mirrored=layout.mirrored
    )


@pytest.mark.parametrize("occlusion", [False, True])
def test_bake_1024(benchmark: Any, occlusion: bool) -> None:
    low = laid_out(TARGET)
    baked = timed(
        benchmark, lambda: bake(Run(), dense(), low, 1024, antialias="off", ambient_occlusion=occlusion), rounds=2
    )
    texels = measure_uv(low, 1.0).coverage * 1024**2
    rays = texels * (65 if occlusion else 1)
    benchmark.extra_info.update(
        maps=sum(getattr(baked.material, name) is not None for name in baked.material.MAPS),
        million_rays_a_second=round(rays / benchmark.stats["min"] / 1e6, 2),
    )


def test_rays(benchmark: Any) -> None:
    """A million lines through the surface, both ways, on one core."""
    from nodes.mesh._bvh import along, build

    mesh = dense()
    tree = build(mesh.vertices, mesh.faces)
    rng = np.random.default_rng(0)
    face = np.sort(rng.integers(0, len(mesh.faces), 1_000_000))
    points = mesh.vertices[mesh.faces[face]].mean(axis=1)
    normal = smooth_normals(mesh.vertices, mesh.faces)[mesh.faces[face, 0]]
    timed(benchmark, lambda: along(tree, points, normal, 0.05))
    benchmark.extra_info["million_rays_a_second"] = round(1 / benchmark.stats["min"], 2)
