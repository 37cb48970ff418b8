"""Decimation against other tools on the same meshes in the same run: time, error, topology, memory.

``pytest benchmarks/bench_reduce.py --benchmark-timer=time.process_time`` counts the processor's seconds of all threads,
which a busy machine blurs less; without it, wall time. Compare minima. Inputs are the Stanford bunny and the textured
cow Spot from the folder of real inputs beside the checkout, split and displaced by smooth noise so that no region is
flat; without them the benchmarks skip. Loops are compiled before the clock starts. Columns: ``mean``, ``most``: the
worse of both ways, in millionths of the diagonal; ``bad``: non-manifold edges and vertices, duplicate faces, crossed
edges; ``folds``: edges sharper than 150 degrees; ``megabytes``: the highest memory use of arrays above the start.
"""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import fast_simplification
import numpy as np
import pytest
import pyvista
import trimesh
from peers import ask, note_time

from app.engine import Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, sample, surface_of
from nodes.mesh._shading import smooth_normals
from nodes.mesh._topology import edges_of, face_vectors, weld_points
from nodes.mesh._within import Gauge
from nodes.mesh.decimate import decimate
from nodes.mesh.lod_chain import lod_chain
from nodes.texture._loops import look_up

MESHES = Path(__file__).resolve().parents[2] / "shared" / "data" / "meshes"
SIZES = {"1M": (2, 50_000), "100k": (1, 5_000)}

pytestmark = [
    pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout"),
    pytest.mark.timeout(0),
]


def noise(points: np.ndarray) -> np.ndarray:
    """(N,) smooth values of several octaves at points of a shape of size one."""
    rng, total = np.random.default_rng(3), np.zeros(len(points))
    for octave, frequency in enumerate((20, 45, 95, 190)):
        way = rng.normal(size=(6, 3))
        way *= frequency / np.linalg.norm(way, axis=1, keepdims=True)
        total += np.cos(points @ way.T + rng.uniform(0, 2 * np.pi, 6)).mean(axis=1) / 1.8**octave
    return total


def finer(mesh: Mesh, splits: int, height: float) -> Mesh:
    """Scaled to size one, each triangle split in four ``splits`` times, and displaced along its normals."""
    low, high = mesh.bounds
    rows = (mesh.vertices - (low + high) / 2) / float((high - low).max())
    if mesh.uv is not None:
        rows = np.concatenate([rows, mesh.uv], axis=1)
    faces = mesh.faces
    for _ in range(splits):
        rows, faces = trimesh.remesh.subdivide(rows, faces)
    at = rows[:, :3]
    normals = smooth_normals(at.astype(np.float32), faces.astype(np.int32))
    moved = at + normals * noise(at)[:, None] * height
    return Mesh.of(moved, faces, uv=None if mesh.uv is None else rows[:, 3:].astype(np.float32))


@cache
def bunny(size: str) -> Mesh:
    """1,111,216 triangles, or the same at one split less brought to 100,000 by VTK. Five holes."""
    scan = load_mesh(Run(), MESHES / "stanford-bunny.obj")
    weld = weld_points(scan.vertices)
    used, faces = np.unique(weld.ids[scan.faces], return_inverse=True)
    mesh = finer(Mesh.of(scan.vertices[weld.first[used]], faces.reshape(-1, 3)), SIZES[size][0], 0.004)
    return mesh if size == "1M" else Mesh.of(*by_vtk(mesh, 100_000))


@cache
def cow() -> tuple[Mesh, np.ndarray]:
    """(93,696 triangles with UV seams, (H, W, 3) texture)."""
    from PIL import Image

    with zipfile.ZipFile(MESHES / "spot.zip") as pack:
        folder = Path(Run().scratch)
        (folder / "spot.obj").write_bytes(pack.read("spot/spot_triangulated.obj"))
        with pack.open("spot/spot_texture.png") as file:
            texture = np.asarray(Image.open(file).convert("RGB"), np.float32)
    return finer(load_mesh(Run(), folder / "spot.obj"), 2, 0.003), np.ascontiguousarray(texture)


def by_vtk(mesh: Mesh, target: int, uv: bool = False) -> tuple[np.ndarray, ...]:
    data = pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces)
    more: dict[str, Any] = {}
    if uv:
        data.active_texture_coordinates = mesh.uv
        more = dict(
            attribute_error=True, tcoords=True, tcoords_weight=0.1, scalars=False, vectors=False, normals=False,
            tensors=False,
        )  # fmt: skip
    got = data.decimate(1 - target / len(mesh.faces), **more)
    found = np.asarray(got.points), np.asarray(got.regular_faces)
    return (*found, np.asarray(got.active_texture_coordinates)) if uv else found


def by_fast(mesh: Mesh, target: int) -> tuple[np.ndarray, ...]:
    found = fast_simplification.simplify(mesh.vertices.copy(), mesh.faces.copy(), target_count=target, agg=3)
    return found[0], found[1]


def by_own(mesh: Mesh, target: int) -> tuple[np.ndarray, ...]:
    found = decimate(Run(), mesh, target)
    return found.vertices, found.faces


WAYS: dict[str, Callable[..., tuple[np.ndarray, ...]]] = {
    "polyloom": by_own,
    "fast_simplification": by_fast,
    "vtk": by_vtk,
}


@cache
def gauge(size: str) -> Gauge:
    return Gauge(bunny(size) if size in SIZES else cow()[0])


def note(benchmark: Any, size: str, mesh: Mesh) -> None:
    apart, shape = gauge(size)(mesh), measure(mesh)
    way = face_vectors(mesh.vertices, mesh.faces)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-30)
    a, b = edges_of(weld_points(mesh.vertices).ids[mesh.faces]).pairs.T // 3
    benchmark.extra_info.update(
        faces=len(mesh.faces),
        mean=round(apart.mean * 1e6, 1),
        most=round(apart.most * 1e6),
        bad=shape.non_manifold_edges + shape.non_manifold_vertices + shape.duplicate + shape.crossed,
        folds=int((np.einsum("ij,ij->i", way[a], way[b]) < -0.866).sum()),
    )


def peak(step: Callable[[], Any]) -> int:
    """Megabytes."""
    tracemalloc.start()
    step()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(most / 1e6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
def test_shape(benchmark: Any, size: str, way: str) -> None:
    mesh, target = bunny(size), SIZES[size][1]
    rounds = 1 if way == "vtk" else 5 if size == "1M" else 15
    found = benchmark.pedantic(lambda: WAYS[way](mesh, target), rounds=rounds, warmup_rounds=int(rounds > 1))
    note(benchmark, size, Mesh.of(found[0], found[1]))
    if way == "polyloom":
        benchmark.extra_info["megabytes"] = peak(lambda: by_own(mesh, target))
        benchmark.extra_info["data_megabytes"] = round((mesh.vertices.nbytes + mesh.faces.nbytes) / 1e6)


@pytest.mark.parametrize("way", ["blender", "meshlab"])
@pytest.mark.parametrize("size", SIZES)
def test_shape_peer(benchmark: Any, size: str, way: str) -> None:
    mesh, target = bunny(size), SIZES[size][1]
    given = dict(vertices=mesh.vertices, faces=mesh.faces, target=target)
    made = benchmark.pedantic(lambda: ask(f"{way}_decimate", **given), rounds=1)
    note_time(benchmark, made)
    note(benchmark, size, Mesh.of(made["vertices"], made["faces"]))


@pytest.mark.parametrize("way", ["old vertices", "best", "vtk"])
def test_texture(benchmark: Any, way: str) -> None:
    mesh, texture = cow()

    def step() -> Mesh:
        if way == "vtk":
            vertices, faces, uv = by_vtk(mesh, 5_000, uv=True)
            return Mesh.of(vertices, faces, uv=uv.astype(np.float32))
        return decimate(Run(), mesh, 5_000, placement=way)

    found = benchmark.pedantic(step, rounds=2 if way == "vtk" else 15, warmup_rounds=1)
    note(benchmark, "cow", found)
    benchmark.extra_info["texture"] = round(texture_error(mesh, found, texture), 3)


def texture_error(mesh: Mesh, low: Mesh, texture: np.ndarray) -> float:
    """Mean difference of 255: what points of the low mesh show, against the nearest points of the mesh."""
    surface = surface_of(low)
    spots = sample(surface, 150_000, 0).points
    seen = [look_up(texture, uv_at(part, spots)) for part in (low, mesh)]
    return float(np.abs(seen[0] - seen[1]).mean())


def uv_at(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    from nodes.mesh._blend import blend
    from nodes.mesh._bvh import build, nearest

    assert mesh.uv is not None
    face, at = nearest(build(mesh.vertices, mesh.faces), points)
    return blend(mesh.uv, mesh.faces, face, at)


def test_lod_chain(benchmark: Any) -> None:
    """1M to 50,000, 5,000 and 1,000, each measured against the first."""
    counts = "50000, 5000, 1000"
    chain = benchmark.pedantic(
        lambda: lod_chain(Run(), bunny("1M"), by="triangles", triangles=counts), rounds=2, warmup_rounds=1
    )
    for k in (1, 2, 3):
        benchmark.extra_info[f"LOD{k}_mean"] = round(chain.report.value(f"LOD{k} mean error (m)") * 1e6, 1)


def test_by_error(benchmark: Any) -> None:
    """100,000 triangles to as few as stay within 0.2 % of the diagonal everywhere."""
    found = benchmark.pedantic(
        lambda: decimate(Run(), bunny("100k"), reduce_to="error", max_error=0.002), rounds=3, warmup_rounds=1
    )
    note(benchmark, "100k", found)


def test_nearest_is_ready() -> None:
    """Compile what the measuring uses, outside every clock."""
    nearest_on(surface_of(cow()[0]), np.zeros((1, 3)))
