"""Scattered copies: uniform by area, apart by the distance, the same for the same seed, as instances too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import surface_points
from scipy.spatial import cKDTree
from scipy.stats import chisquare

from app.engine import BadInput, Mask, Material, Mesh, Run
from app.engine.placing import in_place
from nodes.mesh.primitives import box, plane, sphere
from nodes.mesh.scatter import Scattered, scatter

PIN = Mesh.of([[-1, 0, -1], [1, 0, -1], [0, 2, 1]], [[0, 2, 1]], name="pin")


def points_of(result: Scattered) -> np.ndarray:
    return result.points.points.astype(np.float64)


def uneven() -> Mesh:
    """A flat square of triangles of very different sizes, some of them steep in another place."""
    line = np.array([0, 0.01, 0.02, 0.5, 0.55, 1.0])
    x, z = (a.ravel() for a in np.meshgrid(line, line))
    i = (np.arange(5)[:, None] * 6 + np.arange(5)).ravel()
    faces = np.concatenate([np.stack([i, i + 6, i + 1], axis=1), np.stack([i + 1, i + 6, i + 7], axis=1)])
    uv = np.stack([x, 1 - z], axis=1).astype(np.float32)
    return Mesh.of(np.stack([x, np.zeros_like(x), z], axis=1), faces, uv=uv)


def test_random_points_are_uniform_by_area() -> None:
    at = points_of(scatter(Run(), uneven(), PIN, count=4000, spread="random", seed=3))
    found, _, _ = np.histogram2d(at[:, 0], at[:, 2], bins=8, range=[[0, 1], [0, 1]])
    assert chisquare(found.ravel()).pvalue > 0.01
    assert len(at) == 4000 and np.allclose(at[:, 1], 0)
    inner, _ = np.histogram(at[:, 0], bins=[0, 0.02, 0.5, 1])
    assert chisquare(inner, 4000 * np.array([0.02, 0.48, 0.5])).pvalue > 0.01


@pytest.mark.parametrize("spread", ["even", "random"])
def test_the_distance_is_strictly_kept(spread: str) -> None:
    run = Run()
    got = points_of(scatter(run, sphere(1, segments=48), PIN, count=300, distance=0.12, spread=spread))
    assert len(got) == 300 and not run.notes
    assert cKDTree(got).query(got, 2)[0][:, 1].min() >= 0.12
    full = points_of(scatter(run, sphere(1, segments=48), PIN, count=5000, distance=0.12, spread=spread))
    assert cKDTree(full).query(full, 2)[0][:, 1].min() >= 0.12
    assert any("found room" in note for note in run.notes)
    places, _, _ = surface_points(sphere(1, segments=48), 5000)
    assert cKDTree(full).query(places)[0].mean() < 0.1, "there is no room for many more"


def test_even_points_are_as_far_apart_as_sample_elimination_promises() -> None:
    got = points_of(scatter(Run(), plane(1, 1), PIN, count=500))
    apart = cKDTree(got).query(got, 2)[0][:, 1]
    widest = np.sqrt(1 / (2 * np.sqrt(3) * 500)) * 2
    assert len(got) == 500 and apart.min() > 0.6 * widest and apart.mean() > 0.75 * widest
    chance = points_of(scatter(Run(), plane(1, 1), PIN, count=500, spread="random"))
    assert cKDTree(chance).query(chance, 2)[0][:, 1].min() < 0.1 * widest


def test_equal_seeds_are_equal_and_looks_do_not_move_the_places() -> None:
    one, two = (scatter(Run(), sphere(), PIN, count=50, seed=5) for _ in range(2))
    assert one.mesh.vertices.tobytes() == two.mesh.vertices.tobytes()
    other = scatter(Run(), sphere(), PIN, count=50, seed=6)
    assert not np.array_equal(points_of(one), points_of(other))
    plain = scatter(Run(), sphere(), PIN, count=50, seed=5, turn=0, smallest=1, largest=1)
    assert np.array_equal(points_of(one), points_of(plain))


def test_density_slopes_and_mask() -> None:
    ground = uneven()
    assert len(points_of(scatter(Run(), ground, PIN, amount="density", density=700))) == 700
    ball = sphere(1, segments=64)
    caps = points_of(scatter(Run(), ball, PIN, count=400, steepest=30))
    assert caps[:, 1].min() > np.cos(np.radians(33))
    belt = points_of(scatter(Run(), ball, PIN, count=400, flattest=60, steepest=120))
    assert np.abs(belt[:, 1]).max() < np.sin(np.radians(33))
    half = np.zeros((64, 64), np.float32)
    half[:, :32] = 1
    for spread in ("even", "random"):
        left = scatter(Run(), ground, PIN, mask=Mask(half), amount="density", density=1000, spread=spread)
        assert points_of(left)[:, 0].max() < 0.52 and 450 < len(points_of(left)) < 550
    grey = Mask(np.where(half > 0, 0.75, 0.25).astype(np.float32))
    x = points_of(scatter(Run(), ground, PIN, mask=grey, count=2000, spread="random"))[:, 0]
    assert (x < 0.5).mean() == pytest.approx(0.75, abs=0.03)
    shade = np.ones((len(ground.vertices), 4), np.float32)
    shade[:, 0] = ground.vertices[:, 0] < 0.51
    red = replace(ground, colours=shade)
    assert points_of(scatter(Run(), red, PIN, count=200, colour="red"))[:, 0].max() < 0.56


def test_copies_stand_as_told() -> None:
    ball = sphere(1, segments=96)
    got = scatter(Run(), ball, PIN, count=60, upright=0.0, smallest=0.1, largest=0.1, sink=0.02, keep_ground=False)
    up = got.points.normals
    assert np.allclose(np.linalg.norm(got.points.points + 0.02 * up, axis=1), 1, atol=2e-3)
    assert np.einsum("ij,ij->i", up, got.points.points).min() > 0.97
    feet = (got.mesh.vertices.reshape(60, 3, 3)[:, 0] + got.mesh.vertices.reshape(60, 3, 3)[:, 1]) / 2
    tips = got.mesh.vertices.reshape(60, 3, 3)[:, 2]
    assert np.allclose(np.einsum("ij,ij->i", tips - feet, up), 0.2, atol=1e-5)
    straight = scatter(Run(), ball, PIN, count=60, upright=1.0, keep_ground=False)
    assert np.allclose(straight.points.normals, [0, 1, 0])
    leaning = scatter(Run(), plane(), PIN, count=200, tilt=30).points.normals
    assert np.degrees(np.arccos(leaning[:, 1])).max() == pytest.approx(29, abs=1.01)
    sizes = np.ptp(
        scatter(Run(), plane(), PIN, count=300, keep_ground=False).mesh.vertices.reshape(300, 3, 3)[..., 1], axis=1
    )
    assert sizes.min() >= 1.6 - 1e-4 and sizes.max() <= 2.4 + 1e-4 and sizes.std() > 0.1


def test_kinds_by_share_and_the_scene_shows_the_same_as_the_mesh() -> None:
    one = replace(box(0.1, 0.1, 0.1), material=Material("red", base_factor=(1, 0, 0, 1)))
    two = replace(sphere(0.05, segments=8), material=Material("blue", base_factor=(0, 0, 1, 1)))
    got = scatter(Run(), plane(3, 3), one, two, count=400, share=0.75, share_2=0.25)
    kinds = [sum(row == (k,) for row in got.scene.parts) for k in range(3)]
    assert kinds[0] == 1 and sum(kinds) == 401 and kinds[1] == pytest.approx(300, abs=30)
    assert len(got.scene.meshes) == 3 and got.scene.meshes[1].material is one.material
    placed = np.concatenate([mesh.vertices for mesh in in_place(got.scene)])
    assert np.allclose(placed, got.mesh.vertices, atol=1e-5)
    assert len(np.unique(got.mesh.face_groups)) == 401
    first = got.mesh.face_groups == 1
    assert np.allclose(got.mesh.colours[got.mesh.faces[first]][..., :3], [1, 0, 0])


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(BadInput, match="such a slope"):
        scatter(Run(), plane(), PIN, flattest=50)
    with pytest.raises(BadInput, match="mask leaves"):
        scatter(Run(), plane(), PIN, mask=Mask(np.zeros((4, 4), np.float32)))
    with pytest.raises(BadInput, match="shares"):
        scatter(Run(), plane(), PIN, share=0)
    with pytest.raises(BadInput, match="faces"):
        scatter(Run(), plane(), sphere(segments=256), count=2000)
    with pytest.raises(BadInput, match="too many"):
        scatter(Run(), plane(100, 100), PIN, amount="density", density=10_000)
