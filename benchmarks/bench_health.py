"""Repair of a damaged mesh of 100,000 triangles beside other repairers, and what Analyse takes.

pytest benchmarks/bench_health.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=min,median,rounds

The damage: 60 holes, one face in a hundred turned, 500 duplicates, 100 fins, loose triangles. Extra columns: closed,
non-manifold edges left, mean distance to the undamaged mesh (the worse of the two ways, in 1e-6 of its diagonal), and
how many of the sound faces came out bit by bit as they were; ``seconds`` is the peer's own clock where it runs apart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import pyvista
import trimesh
from peers import ask, note_time

from app.engine import Mesh, Run
from nodes.mesh._crossing import crossings
from nodes.mesh._measure import measure
from nodes.mesh._metrics import difference, surface_of
from nodes.mesh._topology import diagonal, weld_points
from nodes.mesh.analyse import analyse
from nodes.mesh.repair import repair

HOLE = 0.005


@cache
def sound() -> Mesh:
    """A bumpy torus of 100,352 triangles, closed."""
    shape = trimesh.creation.torus(1.0, 0.4, major_sections=224, minor_sections=224)
    v = shape.vertices
    bump = 0.03 * np.sin(9 * v[:, 0]) * np.cos(8 * v[:, 1]) + 0.006 * np.sin(41 * v).sum(axis=1)
    return Mesh.of((v + shape.vertex_normals * bump[:, None]).astype(np.float32), shape.faces)


@cache
def damaged() -> tuple[Mesh, np.ndarray]:
    """(the damaged mesh, the sound faces that are in it)."""
    mesh, rng = sound(), np.random.default_rng(1)
    centre = mesh.vertices[mesh.faces].mean(axis=1)
    keep = np.ones(len(mesh.faces), bool)
    for c in rng.choice(len(centre), 60, replace=False):
        keep[np.linalg.norm(centre - centre[c], axis=1) < HOLE * diagonal(mesh)] = False
    faces = mesh.faces[keep].copy()
    turned = rng.random(len(faces)) < 0.01
    left = faces[~turned]
    faces[turned] = faces[turned][:, ::-1]
    fins = np.stack([faces[1000:1100, 0], faces[1000:1100, 1], rng.integers(0, len(mesh.vertices), 100)], axis=1)
    loose = np.arange(12).reshape(4, 3) + len(mesh.vertices)
    far = (mesh.vertices[mesh.faces[:4]] + 0.3).reshape(-1, 3)
    rows = [faces, faces[:500], fins, loose]
    return Mesh.of(np.concatenate([mesh.vertices, far]), np.concatenate(rows)), left


def ours() -> Mesh:
    return repair(Run(), damaged()[0]).mesh


def by_trimesh() -> Mesh:
    shape = trimesh.Trimesh(damaged()[0].vertices, damaged()[0].faces, process=True)
    shape.update_faces(shape.unique_faces())
    shape.update_faces(shape.nondegenerate_faces())
    trimesh.repair.fix_normals(shape)
    trimesh.repair.fill_holes(shape)
    return Mesh.of(shape.vertices, shape.faces)


def by_vtk() -> Mesh:
    mesh = damaged()[0]
    shape = pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces).clean()
    shape = shape.fill_holes(0.05 * diagonal(mesh)).triangulate()
    return Mesh.of(shape.points, shape.regular_faces)


def by_pymeshfix() -> Mesh:
    made = ask("pymeshfix_repair", vertices=damaged()[0].vertices, faces=damaged()[0].faces)
    APART.update(made)
    return Mesh.of(made["vertices"], made["faces"])


APART: dict[str, Any] = {}
PEERS = [ours, by_trimesh, by_vtk, by_pymeshfix]


@pytest.mark.parametrize("mend", PEERS, ids=lambda mend: mend.__name__)
def test_repair(benchmark: Any, mend: Callable[[], Mesh]) -> None:
    benchmark.group = "repair, 100k"
    before = measure(damaged()[0])
    benchmark.extra_info.update(border=before.boundary_edges, crowded=before.non_manifold_edges)
    result = benchmark.pedantic(mend, rounds=5 if mend is ours else 1, warmup_rounds=1 if mend is ours else 0)
    if mend is by_pymeshfix:
        note_time(benchmark, APART)
    shape = measure(result)
    apart = difference(surface_of(sound()), surface_of(result), 200_000, 1.0, 0)
    at = sound().vertices
    corners = {row.tobytes() for row in turned_rows(at[damaged()[1]])}
    kept = sum(row.tobytes() in corners for row in turned_rows(result.vertices[result.faces]))
    benchmark.extra_info.update(
        watertight=shape.watertight,
        border_left=shape.boundary_edges,
        crowded_left=shape.non_manifold_edges,
        mean_error_e6=round(max(apart.there, apart.back) / diagonal(sound()) * 1e6, 2),
        sound_faces_as_they_were=round(kept / len(damaged()[1]), 6),
    )
    if mend is ours:
        assert shape.watertight and shape.manifold
        assert max(apart.there, apart.back) < 10e-6 * diagonal(sound())


def turned_rows(corners: np.ndarray) -> np.ndarray:
    """(M, 9) float32: corners turned so that the least comes first, by x, then y, then z."""
    corners = np.ascontiguousarray(corners, np.float32)
    first = np.lexsort((corners[..., 2], corners[..., 1], corners[..., 0]), axis=-1)[:, 0]
    order = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(corners, order[..., None], axis=1).reshape(-1, 9)


def test_wrap(benchmark: Any) -> None:
    benchmark.group = "voxel wrap, 128 voxels"
    mesh = damaged()[0]
    result = benchmark.pedantic(lambda: repair(Run(), mesh, method="voxel wrap").mesh, rounds=2, warmup_rounds=1)
    apart = difference(surface_of(sound()), surface_of(result), 100_000, 1.0, 0)
    benchmark.extra_info.update(
        watertight=measure(result).watertight, faces=len(result.faces),
        mean_error_e6=round(max(apart.there, apart.back) / diagonal(sound()) * 1e6, 1),
    )  # fmt: skip


def test_analyse(benchmark: Any) -> None:
    benchmark.group = "analyse, 100k"
    benchmark.pedantic(lambda: analyse(Run(), sound()), rounds=3, warmup_rounds=1)


def test_crossings(benchmark: Any) -> None:
    """Two tori that run through each other, 200,704 triangles."""
    benchmark.group = "self-intersections, 200k"
    mesh = sound()
    points = np.concatenate([mesh.vertices, mesh.vertices + np.float32([0.9, 0.1, 0.2])])
    weld = weld_points(points)
    faces = weld.ids[np.concatenate([mesh.faces, mesh.faces + len(mesh.vertices)])]
    found = benchmark.pedantic(lambda: crossings(points[weld.first], faces), rounds=3, warmup_rounds=1)
    benchmark.extra_info["pairs"] = len(found.pairs)
