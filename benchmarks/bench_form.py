"""Steps that change the form of a mesh: subdivide, denoise, sharpen, symmetrise, align, displace, beside peers.

``pytest benchmarks/bench_form.py``. Peers on the same mesh: VTK's and trimesh's Loop subdivision in this process,
MeshLab and Blender in theirs (``make peers``). Columns: ``faces``; ``off``, mean distance in thousandths of the side
between a noisy box and the true one; ``tilt``, mean degrees between its faces and the true ones. Loops are compiled
before the clock starts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import trimesh
from bench_mesh import dense, timed
from peers import ask, note_time

from app.engine import Image, Mesh, Run
from nodes.mesh import primitives
from nodes.mesh._topology import face_vectors, weld_points
from nodes.mesh.align import align
from nodes.mesh.denoise import denoise
from nodes.mesh.displace import displace
from nodes.mesh.mirror import mirror
from nodes.mesh.sharpen import sharpen
from nodes.mesh.smooth import smooth
from nodes.mesh.subdivide import subdivide
from nodes.mesh.symmetrise import symmetrise

STEPS, DEGREES = 12, 25.0


def bare() -> Mesh:
    return replace(dense(), colours=None)


@cache
def noisy_box() -> Mesh:
    """About 100,000 triangles; places moved by a quarter of the length of an edge."""
    mesh = primitives.box(pieces=92)
    weld = weld_points(mesh.vertices)
    by = np.random.default_rng(0).normal(0, 0.25 / 92, (weld.count, 3))
    faces = weld.ids[mesh.faces]
    return Mesh.of(mesh.vertices[weld.first] + by, faces)


def note_box(benchmark: Any, vertices: Any, faces: Any) -> None:
    out = np.abs(vertices) - 0.5
    beyond = np.linalg.norm(np.maximum(out, 0), axis=1)
    off = np.where(beyond > 0, beyond, np.abs(out.max(axis=1)))
    normal = face_vectors(np.asarray(vertices, np.float32), np.asarray(faces, np.int32))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    tilt = np.degrees(np.arccos(np.clip(np.abs(normal).max(axis=1), -1, 1)))
    benchmark.extra_info.update(off=round(1000 * float(off.mean()), 3), tilt=round(float(tilt.mean()), 2))


@pytest.mark.parametrize("method", ["smooth", "smooth quads", "flat", "edge length"])
def test_subdivide(benchmark: Any, method: str) -> None:
    made = timed(benchmark, lambda: subdivide(Run(), bare(), method, longest_edge=0.011))
    benchmark.extra_info["faces"] = len(made.faces)


def test_subdivide_with_uv_and_colours(benchmark: Any) -> None:
    mesh = replace(dense(), uv=dense().vertices[:, :2].copy())
    benchmark.extra_info["faces"] = len(timed(benchmark, lambda: subdivide(Run(), mesh)).faces)


def test_vtk_loop(benchmark: Any) -> None:
    import pyvista

    shape = pyvista.make_tri_mesh(bare().vertices, bare().faces)
    benchmark.extra_info["faces"] = timed(benchmark, lambda: shape.subdivide(1, "loop")).n_cells


def test_trimesh_loop(benchmark: Any) -> None:
    vertices, faces = bare().vertices.astype(float), bare().faces
    made = timed(benchmark, lambda: trimesh.remesh.subdivide_loop(vertices, faces, iterations=1))
    benchmark.extra_info["faces"] = len(made[1])


def test_meshlab_loop(benchmark: Any) -> None:
    made = benchmark.pedantic(lambda: ask("meshlab_loop", vertices=bare().vertices, faces=bare().faces), rounds=1)
    benchmark.extra_info["faces"] = len(made["faces"])
    note_time(benchmark, made)


def test_denoise(benchmark: Any) -> None:
    box = noisy_box()
    made = timed(benchmark, lambda: denoise(Run(), box, STEPS, DEGREES))
    note_box(benchmark, made.vertices, made.faces)


@pytest.mark.parametrize("method", ["taubin", "implicit"])
def test_smooth_the_same_box(benchmark: Any, method: str) -> None:
    box = noisy_box()
    made = timed(benchmark, lambda: smooth(Run(), box, method=method, detail=3))
    note_box(benchmark, made.vertices, made.faces)


def test_meshlab_denoise(benchmark: Any) -> None:
    box = noisy_box()
    given = {"vertices": box.vertices, "faces": box.faces, "steps": STEPS, "degrees": DEGREES}
    made = benchmark.pedantic(lambda: ask("meshlab_denoise", **given), rounds=1)
    note_box(benchmark, made["vertices"], made["faces"])
    note_time(benchmark, made)


def test_sharpen(benchmark: Any) -> None:
    timed(benchmark, lambda: sharpen(Run(), bare()))


def test_mirror_cut(benchmark: Any) -> None:
    made = timed(benchmark, lambda: mirror(Run(), bare(), cut="negative side"))
    benchmark.extra_info["faces"] = len(made.faces)


def test_blender_mirror(benchmark: Any) -> None:
    made = benchmark.pedantic(lambda: ask("blender_mirror", vertices=bare().vertices, faces=bare().faces), rounds=1)
    benchmark.extra_info["faces"] = len(made["faces"])
    note_time(benchmark, made)


def test_symmetrise_with_the_plane_unknown(benchmark: Any) -> None:
    timed(benchmark, lambda: symmetrise(Run(), bare()))


@pytest.mark.parametrize("onto", [False, True], ids=["axes", "onto itself"])
def test_align(benchmark: Any, onto: bool) -> None:
    timed(benchmark, lambda: align(Run(), bare(), bare() if onto else None))


def test_displace(benchmark: Any) -> None:
    mesh = replace(bare(), uv=((bare().vertices[:, :2] + 1.5) / 3).astype(np.float32))
    noise = Image.of(np.random.default_rng(0).random((1024, 1024)).astype(np.float32), "data")
    made = timed(benchmark, lambda: displace(Run(), mesh, noise, strength=0.01, detail=3, most_faces=2_000_000))
    benchmark.extra_info["faces"] = len(made.faces)
