"""Surfaces through clouds: closed, of the right genus, near the truth, wound outward; or exactly through the points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid, oracle, sphere
from scipy.spatial import cKDTree

from app.engine import BadInput, Mesh, PointCloud, Run
from nodes.io.load_mesh import load_mesh
from nodes.io.load_points import load_points
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.primitives import torus
from nodes.points.from_mesh import from_mesh
from nodes.points.merge import merge
from nodes.points.normals import normals
from nodes.points.to_mesh import to_mesh
from nodes.points.transform import transform

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real inputs is not beside this checkout")
RING = torus(radius=0.5, thickness=0.2, segments=256, sides=128)


def ball_cloud(count: int, method: str = "poisson disk", noise: float = 0.0) -> PointCloud:
    """Exactly on a sphere of radius 1, or moved off it at random."""
    cloud = from_mesh(Run(), sphere(4), method=method, count=count)  # type: ignore[arg-type]
    way = cloud.points / np.linalg.norm(cloud.points, axis=1, keepdims=True)
    off = np.random.default_rng(0).normal(0, noise, (count, 1)).astype(np.float32)
    return PointCloud((way * (1 + off)).astype(np.float32), None, way.astype(np.float32))


def off_ring(points: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(np.hypot(points[:, 0], points[:, 2]) - 0.5, points[:, 1]) - 0.2)


def whole(mesh: Mesh, genus: int, parts: int = 1) -> None:
    """Closed, manifold, wound outward, of this genus in all."""
    shape = measure(mesh)
    assert shape.watertight and shape.manifold and shape.volume > 0
    assert (shape.genus, shape.parts) == (genus, parts) and not shape.degenerate


@pytest.mark.parametrize(("method", "bound"), [("poisson disk", 9e-5), ("random", 1.3e-4)])
def test_poisson_of_a_sphere_is_closed_near_and_outward(method: str, bound: float) -> None:
    mesh = to_mesh(Run(), ball_cloud(20_000, method))
    whole(mesh, 0)
    off = np.abs(np.linalg.norm(mesh.vertices, axis=1) - 1) / np.sqrt(12)
    assert off.mean() < bound and off.max() < 8 * bound
    assert np.einsum("ij,ij->i", mesh.normals, mesh.vertices).min() > 0.97


def test_poisson_of_a_torus_has_its_hole() -> None:
    mesh = to_mesh(Run(), from_mesh(Run(), RING, count=20_000))
    whole(mesh, 1)
    assert off_ring(mesh.vertices).mean() / np.linalg.norm([1.4, 0.4, 1.4]) < 8e-5


@pytest.mark.parametrize("detail", [8, 24, 100])
def test_detail_sets_the_size_of_the_triangles(detail: int) -> None:
    mesh = to_mesh(Run(), ball_cloud(5000), detail=detail)
    whole(mesh, 0)
    edges = np.linalg.norm(mesh.vertices[mesh.faces] - mesh.vertices[np.roll(mesh.faces, 1, axis=1)], axis=2)
    assert edges.max() <= np.sqrt(3) * 2 / detail * (1 + 1e-4)


def test_poisson_evens_noise_out() -> None:
    noisy = ball_cloud(20_000, "random", noise=0.01)
    mesh = to_mesh(Run(), noisy, detail=48, fit=0.5)
    whole(mesh, 0)
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 1).mean() < 0.2 * 0.01


def test_a_firmer_fit_comes_closer_to_the_points() -> None:
    cloud = from_mesh(Run(), RING, count=5000)
    far = [
        nearest_on(surface_of(to_mesh(Run(), cloud, detail=40, fit=fit)), cloud.points.astype(float)).distance.mean()
        for fit in (0.0, 4.0, 30.0)
    ]
    assert far[0] > far[1] > far[2]


def test_parts_holes_and_uneven_points_still_close() -> None:
    one, two = ball_cloud(4000), ball_cloud(1000)
    whole(to_mesh(Run(), merge(Run(), one, transform(Run(), two, move_x=4.0)), detail=80), 0, 2)
    cap = one.points[:, 1] < 0.8
    whole(to_mesh(Run(), PointCloud(one.points[cap], None, one.normals[cap])), 0)
    thin = (one.points[:, 1] < 0) | (np.arange(4000) % 12 == 0)
    uneven = to_mesh(Run(), PointCloud(one.points[thin], None, one.normals[thin]))
    whole(uneven, 0)
    assert np.abs(np.linalg.norm(uneven.vertices, axis=1) - 1).max() < 0.02


def test_trimming_cuts_away_what_is_far_from_points() -> None:
    cloud = ball_cloud(8000)
    half = cloud.points[:, 1] < 0
    open_ = PointCloud(cloud.points[half], None, cloud.normals[half])
    mesh = to_mesh(Run(), open_, trim=3.0)
    shape = measure(mesh)
    assert shape.manifold and shape.boundary_loops == 1 and shape.parts == 1 and not shape.crossed
    spacing = np.sqrt(2 * np.pi / half.sum())
    assert cKDTree(open_.points).query(mesh.vertices)[0].max() < 4.5 * spacing
    assert 2 * np.pi < shape.area < 2 * np.pi * (1 + 4.5 * spacing)
    whole(to_mesh(Run(), open_), 0)


def test_a_cloud_far_away_gives_the_same_mesh() -> None:
    cloud = ball_cloud(3000)
    near, far = to_mesh(Run(), cloud), to_mesh(Run(), transform(Run(), cloud, move_x=512.0))
    assert abs(len(near.faces) - len(far.faces)) < 0.02 * len(near.faces)
    assert measure(far).watertight and measure(far).genus == 0
    assert np.abs(np.linalg.norm(far.vertices - np.float32((512, 0, 0)), axis=1) - 1).mean() < 1e-3


@pytest.mark.parametrize("method", ["poisson", "ball pivot"])
def test_colours_come_from_the_points(method: str) -> None:
    cloud = ball_cloud(8000)
    share = (cloud.points + 1) / 2
    paint = np.concatenate([share, np.ones((8000, 1), np.float32)], axis=1)
    mesh = to_mesh(Run(), PointCloud(cloud.points, paint, cloud.normals), method=method)
    assert np.abs(mesh.colours[:, :3] - (mesh.vertices + 1) / 2).max() < 0.02
    assert to_mesh(Run(), PointCloud(cloud.points, paint, cloud.normals), method, colours=False).colours is None


@pytest.mark.parametrize("method", ["poisson", "ball pivot"])
def test_missing_normals_are_found_and_that_is_said(method: str) -> None:
    run = Run()
    whole(to_mesh(run, PointCloud(from_mesh(Run(), RING, count=6000).points), method=method), 1)
    assert "no normals" in run.notes[0]


@pytest.mark.parametrize(("method", "count"), [("poisson disk", 6000), ("random", 3000)])
def test_ball_pivot_of_a_sphere_uses_every_point_and_closes(method: str, count: int) -> None:
    cloud = ball_cloud(count, method)
    run = Run()
    mesh = to_mesh(run, cloud, method="ball pivot")
    whole(mesh, 0)
    assert len(mesh.faces) == 2 * count - 4 and not run.notes
    assert {tuple(p) for p in mesh.vertices.tolist()} == {tuple(p) for p in cloud.points.tolist()}
    assert oracle(mesh).is_watertight and oracle(mesh).volume == pytest.approx(4 / 3 * np.pi, rel=12 / count)


def test_ball_pivot_of_a_torus_and_of_two_parts() -> None:
    cloud = from_mesh(Run(), RING, count=10_000)
    mesh = to_mesh(Run(), cloud, method="ball pivot")
    whole(mesh, 1)
    assert len(mesh.vertices) == 10_000
    far = transform(Run(), ball_cloud(2000), move_x=5.0)
    whole(to_mesh(Run(), merge(Run(), ball_cloud(2000), far), method="ball pivot"), 0, 2)


def test_ball_pivot_of_a_flat_lattice_covers_it_once() -> None:
    flat = grid(30)
    cloud = PointCloud(flat.vertices, None, np.tile(np.float32((0, 1, 0)), (len(flat.vertices), 1)))
    mesh = to_mesh(Run(), cloud, method="ball pivot")
    shape = measure(mesh)
    assert shape.manifold and shape.boundary_loops == 1 and len(mesh.faces) == 2 * 30**2
    assert shape.area == pytest.approx(1, rel=1e-6) and shape.boundary_edges == 120


def test_ball_pivot_stays_manifold_whatever_it_is_given() -> None:
    random = np.random.default_rng(1)
    wild = PointCloud(
        random.random((3000, 3)).astype(np.float32), None, random.normal(size=(3000, 3)).astype(np.float32)
    )
    for cloud in (wild, ball_cloud(4000, "random", noise=0.02), PointCloud(wild.points)):
        shape = measure(to_mesh(Run(), cloud, method="ball pivot"))
        assert shape.manifold and shape.crossed == 0 and shape.duplicate == 0


@pytest.mark.parametrize("method", ["poisson", "ball pivot"])
def test_the_mesh_looks_where_the_normals_look(method: str) -> None:
    cloud = ball_cloud(4000)
    run = Run()
    room = to_mesh(run, PointCloud(cloud.points, None, -cloud.normals), method=method)
    shape = measure(room)
    assert shape.watertight and shape.genus == 0 and shape.volume == pytest.approx(-4 / 3 * np.pi, rel=0.01)
    assert np.abs(np.linalg.norm(room.vertices, axis=1) - 1).mean() < 2e-3
    assert method == "ball pivot" or "look into" in run.notes[0]


def test_very_many_points_are_gathered_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = ball_cloud(20_000, "random")
    monkeypatch.setattr("nodes.points.to_mesh.MANY", 10_000)
    mesh = to_mesh(Run(), cloud, detail=24)
    whole(mesh, 0)
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 1).mean() < 2e-3


def test_what_cannot_work_is_said_in_words() -> None:
    with pytest.raises(BadInput, match="too many"):
        to_mesh(Run(), ball_cloud(500), method="ball pivot", radius=5.0)
    with pytest.raises(BadInput, match="ball"):
        to_mesh(Run(), ball_cloud(500), method="ball pivot", radius=1e-4)
    same = PointCloud(np.ones((20, 3), np.float32))
    with pytest.raises(BadInput, match="places"):
        to_mesh(Run(), same)


@real
def test_real_point_e_clouds_become_closed_coloured_meshes() -> None:
    for name in ("pc_corgi.npz", "pc_cube_stack.npz"):
        cloud = load_points(Run(), DATA / "point_e" / name)
        mesh = to_mesh(Run(), normals(Run(), cloud))
        shape = measure(mesh)
        assert shape.watertight and shape.manifold and shape.volume > 0
        assert nearest_on(surface_of(mesh), cloud.points.astype(float)).distance.mean() < 0.006
        assert mesh.colours is not None and mesh.colours[:, :3].std() > 0.05


@real
@pytest.mark.parametrize(("method", "bound"), [("poisson", 120e-6), ("ball pivot", 40e-6)])
def test_the_bunny_comes_back_from_its_samples(method: str, bound: float) -> None:
    bunny = load_mesh(Run(), DATA / "meshes" / "stanford-bunny.obj")
    cloud = from_mesh(Run(), bunny, count=60_000)
    surface = surface_of(to_mesh(Run(), cloud, method=method))
    assert nearest_on(surface, cloud.points.astype(float)).distance.mean() / surface.diagonal < bound
