"""Baking from 1,071,648 triangles to a chart layout of 10,000, against Embree through embreex in the same run.

``pytest benchmarks/bench_bake.py``. Each row's extra columns tell rays a second, how open the surface is in the mean
(equal for equal work) and the largest memory. Loops are compiled before the clock starts. On a busy machine compare
the rows with each other, and ``cpu_s``, the processor's seconds of all threads, rather than the times.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import psutil
import pytest
import trimesh
from peers import ask, note_time

from app.engine import Mesh, Run
from nodes.mesh._bvh import build
from nodes.mesh._shading import smooth_normals
from nodes.mesh._wide import widen
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap
from nodes.texture._loops import hemisphere
from nodes.texture._sky import Sky, openness
from nodes.texture.bake_maps import BakedMaps, bake_maps

OFF = {name: False for name, kind in BakedMaps.__annotations__.items() if "Image" in str(kind) and name != "texture"}
RAYS = 64
LIFT = 1e-4
CHUNK = 4096


@cache
def fine() -> Mesh:
    shape = trimesh.creation.torus(1.0, 0.4, major_sections=732, minor_sections=732)
    v = shape.vertices
    bump = 0.03 * np.sin(9 * v[:, 0]) * np.cos(8 * v[:, 1]) + 0.006 * np.sin(41 * v).sum(axis=1)
    return Mesh.of(v + shape.vertex_normals * bump[:, None], shape.faces)


@cache
def coarse() -> Mesh:
    return unwrap(Run(), decimate(Run(), fine(), 10_000), method="fast")


@cache
def spots() -> tuple[np.ndarray, np.ndarray]:
    """Half a million points and normals of the fine mesh, neighbours after each other."""
    mesh = fine()
    face = np.arange(0, len(mesh.faces), 2)
    normal = smooth_normals(mesh.vertices, mesh.faces)[mesh.faces[face, 0]].astype(np.float64)
    return mesh.vertices[mesh.faces[face]].mean(axis=1).astype(np.float64), normal


def timed(benchmark: Any, step: Any, rounds: int = 2) -> Any:
    used = []

    def watched() -> Any:
        start = time.process_time()
        made = step()
        used.append(time.process_time() - start)
        return made

    made = benchmark.pedantic(watched, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info["cpu_s"] = round(min(used), 2)
    return made


def over_chunks(work: Any, count: int) -> np.ndarray:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(work, range(0, count, CHUNK))))


def note_rays(benchmark: Any, share: np.ndarray) -> None:
    rays = len(share) * RAYS / 1e6
    benchmark.extra_info.update(
        million_rays_a_second=round(rays / benchmark.stats["min"], 2),
        million_rays_a_cpu_second=round(rays / benchmark.extra_info["cpu_s"], 2),
        mean_openness=round(float(share.mean()), 4),
    )


def test_occlusion_rays(benchmark: Any) -> None:
    """34 million rays, directions made as they are traced."""
    points, normal = spots()
    sky = Sky(widen(build(fine().vertices, fine().faces)), RAYS, LIFT, 10.0, 0.1, 0.1)
    number = np.arange(len(points))

    def chunk(first: int) -> np.ndarray:
        part = slice(first, first + CHUNK)
        return openness(sky, points[part], normal[part], normal[part], number[part], 10.0)[0]

    note_rays(benchmark, timed(benchmark, lambda: over_chunks(chunk, len(points))))


def test_occlusion_rays_peer_embree(benchmark: Any) -> None:
    """The same rays: directions from a compiled loop, chunk by chunk, on as many threads."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    points, normal = spots()
    scene = EmbreeScene()
    TriangleMesh(scene, fine().vertices, fine().faces)
    scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))

    def chunk(first: int) -> np.ndarray:
        up, start = normal[first : first + CHUNK], points[first : first + CHUNK] + normal[first : first + CHUNK] * LIFT
        way = np.empty((len(up) * RAYS, 3), np.float32)
        hemisphere(up, RAYS, first, way)
        far = np.full(len(way), 10, np.float32)
        met = scene.run(np.repeat(start.astype(np.float32), RAYS, axis=0), way, dists=far, query="OCCLUDED") >= 0
        return 1 - met.reshape(-1, RAYS).mean(axis=1)

    note_rays(benchmark, timed(benchmark, lambda: over_chunks(chunk, len(points))))


def test_tree(benchmark: Any) -> None:
    mesh = fine()
    timed(benchmark, lambda: widen(build(mesh.vertices, mesh.faces)), rounds=3)


def test_tree_peer_embree(benchmark: Any) -> None:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    def make() -> Any:
        scene = EmbreeScene()
        TriangleMesh(scene, fine().vertices, fine().faces)
        scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
        return scene

    timed(benchmark, make, rounds=3)


def maps(*names: str, size: int = 1024) -> BakedMaps:
    return bake_maps(Run(), coarse(), fine(), size=size, antialias="off", **(OFF | dict.fromkeys(names, True)))


def test_bake_occlusion(benchmark: Any) -> None:
    made = timed(benchmark, lambda: maps("occlusion"), rounds=1)
    benchmark.extra_info["mean_openness"] = round(float(made.occlusion.rgb.mean()), 4)


def test_bake_thickness(benchmark: Any) -> None:
    timed(benchmark, lambda: maps("thickness"), rounds=1)


def test_bake_normal_height_position(benchmark: Any) -> None:
    timed(benchmark, lambda: maps("normal", "height", "position"), rounds=3)


@pytest.mark.parametrize("names", [("normal",), ("normal", "height", "position")])
def test_bake_4096_in_bands(benchmark: Any, names: tuple[str, ...]) -> None:
    """Peak memory of the whole process, source and pictures included, and what the pictures alone take."""
    process, most, done = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            most[0] = max(most[0], process.memory_info().rss)

    maps(*names, size=256)
    start = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    benchmark.pedantic(lambda: maps(*names, size=4096), rounds=1)
    done.set()
    watcher.join()
    benchmark.extra_info.update(
        peak_gb=round(most[0] / 1e9, 2),
        before_gb=round(start / 1e9, 2),
        pictures_gb=round(len(names) * 4096**2 * 16 / 1e9, 2),
    )


def far() -> float:
    return 0.02 * float(np.linalg.norm(np.subtract(*coarse().bounds)))


def cycles(*kinds: str, samples: int = 1, seed: int = 0) -> dict[str, Any]:
    low, high = coarse(), fine()
    given = dict(vertices=low.vertices, faces=low.faces, uv=low.uv, high_vertices=high.vertices, high_faces=high.faces)
    how = dict(size=1024, samples=samples, seed=seed, kinds=list(kinds), far=far())
    return ask("blender_bake", **given, **how)


def test_bake_occlusion_peer_cycles(benchmark: Any) -> None:
    """``noise``: of one texel, from two bakes with other seeds."""
    made = benchmark.pedantic(lambda: cycles("AO", samples=RAYS), rounds=1)
    note_time(benchmark, made)
    again = cycles("AO", samples=RAYS, seed=1)["pixels"][..., 0]
    one = made["pixels"][..., 0]
    lit = one > 0
    benchmark.extra_info["mean_openness"] = round(float(one[lit].mean()), 4)
    benchmark.extra_info["noise"] = round(float((one - again)[lit].std() / np.sqrt(2)), 5)


def test_noise_of_occlusion(benchmark: Any) -> None:
    """The same for our rays, by their number: against what 1,024 of them give; ``_all`` with fully open points too."""
    points, normal = (rows[::25] for rows in spots())
    tree, number = widen(build(fine().vertices, fine().faces)), np.arange(len(points))

    def share(rays: int) -> np.ndarray:
        sky = Sky(tree, rays, LIFT, 10.0, 0.1, 0.1)
        return openness(sky, points, normal, normal, number, 10.0)[0]

    truth = benchmark.pedantic(lambda: share(1024), rounds=1)
    shaded = (truth > 0) & (truth < 0.999)
    for rays in (16, 32, 48, 60, RAYS):
        benchmark.extra_info[f"noise_{rays}"] = round(float((share(rays) - truth)[shaded].std()), 5)
        benchmark.extra_info[f"noise_{rays}_all"] = round(float((share(rays) - truth).std()), 5)


def test_bake_normal_and_position_peer_cycles(benchmark: Any) -> None:
    """One bake for each; a height is not among those it knows. The row beside it makes all three."""
    made = benchmark.pedantic(lambda: cycles("NORMAL", "POSITION"), rounds=1)
    note_time(benchmark, made)
