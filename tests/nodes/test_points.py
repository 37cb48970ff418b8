"""Clouds from meshes, cleaned, thinned, merged, moved, and given normals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import grid, sphere
from scipy.spatial import cKDTree

from app.engine import BadInput, Image, Material, Mesh, PointCloud, Run, Views
from nodes.mesh.primitives import box
from nodes.mesh.primitives import torus as ring
from nodes.points.clean import clean
from nodes.points.from_mesh import from_mesh
from nodes.points.merge import merge
from nodes.points.normals import normals
from nodes.points.thin import thin
from nodes.points.transform import transform

RING = ring(radius=0.5, thickness=0.2)


def gaps(points: np.ndarray) -> np.ndarray:
    """(N,) from each point to the nearest other one."""
    return cKDTree(points).query(points, 2)[0][:, 1]


def off_ring(points: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(np.hypot(points[:, 0], points[:, 2]) - 0.5, points[:, 1]) - 0.2)


def ring_normals(points: np.ndarray) -> np.ndarray:
    """(N, 3) of the torus around Y at the nearest place."""
    away = points[:, [0, 2]] / np.linalg.norm(points[:, [0, 2]], axis=1, keepdims=True)
    out = points - np.stack([away[:, 0] * 0.5, np.zeros(len(points)), away[:, 1] * 0.5], axis=1)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def test_a_spacing_is_never_undercut_and_leaves_no_gap() -> None:
    cloud = from_mesh(Run(), RING, spacing=0.02)
    assert gaps(cloud.points).min() > 0.02
    other = from_mesh(Run(), RING, method="random", count=20_000, seed=9)
    assert cKDTree(cloud.points).query(other.points)[0].max() < 0.02 * 1.3


@pytest.mark.parametrize("method", ["poisson disk", "random"])
def test_the_number_is_exact_and_the_points_lie_on_the_surface(method: str) -> None:
    cloud = from_mesh(Run(), RING, method=method, count=5000)
    assert len(cloud.points) == 5000 and off_ring(cloud.points).max() < 9e-4
    assert np.einsum("ij,ij->i", cloud.normals, ring_normals(cloud.points)).min() > 0.999
    again, other = (from_mesh(Run(), RING, method=method, count=5000, seed=seed) for seed in (0, 1))
    assert np.array_equal(cloud.points, again.points) and not np.array_equal(cloud.points, other.points)


def test_evenly_spread_points_are_far_more_even_than_random_ones() -> None:
    best = np.sqrt(4 * np.pi**2 * 0.5 * 0.2 / (5000 * np.sqrt(3) / 2))
    even, random = (gaps(from_mesh(Run(), RING, method=m, count=5000).points) for m in ("poisson disk", "random"))
    assert even.min() > 0.6 * best and random.min() < 0.1 * best


def test_random_points_are_equally_dense_everywhere() -> None:
    mesh = Mesh.of([[0, 0, 0], [4, 0, 0], [0, 1, 0], [10, 0, 0], [11, 0, 0], [10, 1, 0]], [[0, 1, 2], [3, 4, 5]])
    cloud = from_mesh(Run(), mesh, method="random", count=1000)
    assert int((cloud.points[:, 0] < 5).sum()) == 800


def test_vertices_come_once_each() -> None:
    cloud = from_mesh(Run(), box(), method="vertices")
    assert len(cloud.points) == 8 == len(np.unique(cloud.points, axis=0))
    smooth = from_mesh(Run(), sphere(2), method="vertices")
    assert np.allclose(smooth.normals, smooth.points, atol=0.02)


def test_colours_come_from_the_texture_else_from_the_vertices() -> None:
    ramp = np.zeros((64, 64, 3), np.float32)
    ramp[..., 0], ramp[..., 1] = np.linspace(0, 1, 64), np.linspace(1, 0, 64)[:, None]
    flat = replace(grid(4), material=Material(base_colour=Image.of(ramp)))
    cloud = from_mesh(Run(), flat, count=500)
    inner = np.abs(cloud.points[:, [0, 2]]).max(axis=1) < 0.48
    want = np.stack([cloud.points[:, 0] + 0.5, 0.5 - cloud.points[:, 2]], axis=1)
    assert np.abs(cloud.colours[:, :2] - want)[inner].max() < 0.02
    red = np.tile(np.array([1, 0, 0, 1], np.float32), (len(flat.vertices), 1))
    assert (from_mesh(Run(), replace(flat, material=None, colours=red), count=50).colours == red[0]).all()
    assert from_mesh(Run(), flat, count=50, colours=False, normals=False) is not None
    assert from_mesh(Run(), grid(2), count=50).colours is None


def test_too_many_points_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="points"):
        from_mesh(Run(), RING, spacing=1e-5)


def test_outlier_removal_finds_exactly_the_planted_ones() -> None:
    cloud = from_mesh(Run(), RING, count=4000)
    stray = np.random.default_rng(0).uniform(-1, 1, (40, 3)).astype(np.float32)
    stray = stray[off_ring(stray) > 0.15]
    both = PointCloud(np.concatenate([cloud.points, stray]))
    for found in (
        clean(Run(), both, strictness=1.0),
        clean(Run(), both, method="radius"),
        clean(Run(), both, method="both", strictness=1.0),
    ):
        assert np.array_equal(found.points, cloud.points)


def test_points_at_one_place_stay_once_and_no_numbers_go() -> None:
    cloud = from_mesh(Run(), RING, count=1000)
    nan = np.full((3, 3), np.nan, np.float32)
    run = Run()
    found = clean(run, PointCloud(np.concatenate([cloud.points, cloud.points[:100], nan])), method="none")
    assert np.array_equal(found.points, cloud.points) and "3 points" in run.notes[0]


def test_cleaning_keeps_colours_and_normals_with_their_points() -> None:
    cloud = from_mesh(Run(), RING, count=1000)
    tagged = PointCloud(cloud.points, np.concatenate([cloud.points, cloud.points[:, :1]], axis=1), cloud.normals)
    found = clean(Run(), tagged, strictness=1.0)
    assert len(found.points) < 1000 and np.array_equal(found.colours[:, :3], found.points)


def test_a_voxel_grid_leaves_the_mean_of_each_cell() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (20_000, 3)).astype(np.float32)
    found = thin(Run(), PointCloud(points, np.c_[points, points[:, :1]]), spacing=0.1)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    low = (points - middle).min(axis=0).astype(np.float64)
    cell = np.floor((points - middle - low) / 0.1).astype(int)
    want = {tuple(c): points[(cell == c).all(axis=1)].astype(float).mean(axis=0) for c in np.unique(cell, axis=0)}
    assert len(found.points) == len(want)
    order = np.lexsort(found.points.T)
    expected = np.array(list(want.values()))
    assert np.allclose(found.points[order], expected[np.lexsort(expected.astype(np.float32).T)], atol=1e-6)
    assert np.allclose(found.colours[:, :3], found.points, atol=1e-6)


def test_poisson_disk_thinning_is_strict_and_covers_every_point() -> None:
    cloud = from_mesh(Run(), RING, method="random", count=20_000)
    found = thin(Run(), cloud, method="poisson disk", spacing=0.03)
    assert gaps(found.points).min() > 0.03
    assert cKDTree(found.points).query(cloud.points)[0].max() <= 0.03 * (1 + 1e-6)


@pytest.mark.parametrize("method", ["count", "random"])
def test_thinning_to_a_number_is_exact_and_chooses_from_the_cloud(method: str) -> None:
    cloud = from_mesh(Run(), RING, method="random", count=10_000)
    found = thin(Run(), cloud, method=method, count=1234)
    assert len(found.points) == 1234
    assert {tuple(p) for p in found.points.tolist()} <= {tuple(p) for p in cloud.points.tolist()}
    assert thin(Run(), cloud, method=method, count=20_000) is cloud


@pytest.mark.parametrize("mesh", [sphere(4), RING], ids=["sphere", "torus"])
def test_normals_are_those_of_the_shape_and_all_look_outward(mesh: Mesh) -> None:
    points = from_mesh(Run(), mesh, method="random", count=6000, seed=3).points
    exact = ring_normals(points) if mesh is RING else points / np.linalg.norm(points, axis=1, keepdims=True)
    cosine = np.einsum("ij,ij->i", normals(Run(), PointCloud(points)).normals, exact)
    assert cosine.min() > 0.97 and np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 1.5


def test_normals_of_a_plane_are_exact_and_parts_are_turned_each_for_itself() -> None:
    cloud = from_mesh(Run(), grid(4), count=500, normals=False, colours=False)
    assert np.allclose(np.abs(normals(Run(), cloud).normals[:, 1]), 1, atol=1e-5)
    balls = [from_mesh(Run(), sphere(3), count=1500, seed=s) for s in (0, 1)]
    far = PointCloud(balls[1].points + np.float32((9, 0, 0)), None, balls[1].normals)
    both = merge(Run(), balls[0], far)
    found = normals(Run(), PointCloud(both.points))
    assert np.einsum("ij,ij->i", found.normals, both.normals).min() > 0.9


def test_sides_outward_to_the_viewer_and_to_cameras() -> None:
    ball = from_mesh(Run(), sphere(3), count=2000)
    out = normals(Run(), PointCloud(ball.points), side="outward")
    assert np.einsum("ij,ij->i", out.normals, ball.points).min() > 0.9
    seen = normals(Run(), PointCloud(ball.points), side="to the viewer", viewer_z=100.0)
    assert (seen.normals[np.abs(ball.points[:, 2]) > 0.1, 2] > 0).all()
    poses = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    poses[:, 1, 3] = 50, -50
    views = Views((Image.of(np.zeros((4, 4))),) * 2, poses[:, :3, :3].copy(), poses)
    found = normals(Run(), PointCloud(ball.points), views, side="to the viewer")
    up = np.abs(ball.points[:, 1]) > 0.1
    assert (np.sign(found.normals[up, 1]) == np.sign(ball.points[up, 1])).all()


def test_normals_that_came_in_are_only_turned() -> None:
    ball = from_mesh(Run(), sphere(3), count=2000)
    flip = np.where(np.random.default_rng(0).random(2000) < 0.5, -1, 1).astype(np.float32)
    found = normals(Run(), PointCloud(ball.points, None, ball.normals * flip[:, None]), keep=True)
    assert np.allclose(found.normals, ball.normals, atol=1e-6)


def test_points_on_a_line_or_at_one_place_have_unit_normals() -> None:
    line = np.zeros((50, 3), np.float32)
    line[:, 0] = np.linspace(0, 1, 50)
    found = normals(Run(), PointCloud(line)).normals
    assert np.allclose(np.linalg.norm(found, axis=1), 1) and np.abs(found[:, 0]).max() < 1e-6
    assert np.allclose(np.linalg.norm(normals(Run(), PointCloud(line * 0)).normals, axis=1), 1)


def test_merging_keeps_every_point_and_what_it_carries() -> None:
    one, two = (from_mesh(Run(), sphere(2), count=n) for n in (10, 20))
    red = PointCloud(one.points, np.tile(np.array([1, 0, 0, 1], np.float32), (10, 1)), one.normals)
    both = merge(Run(), red, two)
    assert np.array_equal(both.points, np.concatenate([one.points, two.points]))
    assert (both.colours[10:] == 1).all() and (both.colours[:10] == red.colours).all()
    assert np.array_equal(both.normals, np.concatenate([one.normals, two.normals]))
    run = Run()
    assert merge(run, red, PointCloud(two.points)).normals is None and "normals" in run.notes[0]


def test_moving_turns_normals_too() -> None:
    cloud = from_mesh(Run(), sphere(3), count=500)
    moved = transform(Run(), cloud, turn_x=90.0, height=3.0, place="floor", move_x=5.0)
    assert moved.points[:, 1].min() == pytest.approx(0, abs=1e-6)
    assert moved.points[:, 1].max() == pytest.approx(3, rel=1e-6)
    x, y, z = cloud.normals.T
    assert np.allclose(moved.normals, np.stack([x, -z, y], axis=1), atol=1e-6)


@pytest.mark.parametrize("step", [clean, thin, normals, transform])
def test_an_empty_cloud_is_refused_in_words(step: object) -> None:
    with pytest.raises(BadInput) as caught:
        step(Run(), PointCloud(np.zeros((0, 3), np.float32)))  # type: ignore[operator]
    assert caught.value.advice
