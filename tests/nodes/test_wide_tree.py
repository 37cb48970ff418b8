"""The eight-wide tree sees what Embree and plain arithmetic see; a tree does not depend on threads."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, sphere

from app.engine import Mesh
from nodes.mesh._bundle import QUEUE, send
from nodes.mesh._bvh import along, build, nearest, refitted
from nodes.mesh._crossing import crossings
from nodes.mesh._wide import Wide, widen
from nodes.texture._sky import Sky, first_from, openness


def rays(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    start, way = rng.normal(size=(count, 3)) * 1.5, rng.normal(size=(count, 3))
    return start, way / np.linalg.norm(way, axis=1, keepdims=True)


def test_first_hits_are_those_of_embree() -> None:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    mesh = bumpy(5)
    start, way = rays(20_000)
    start /= np.linalg.norm(start, axis=1, keepdims=True) / 2
    scene = EmbreeScene()
    TriangleMesh(scene, mesh.vertices, mesh.faces)
    truth = scene.run(start.astype(np.float32), way.astype(np.float32), output=True)
    face, at = first_from(widen(build(mesh.vertices, mesh.faces)), start, way, np.full(len(start), 1e6))
    met = truth["primID"] >= 0
    assert (met == (face >= 0)).mean() > 0.9995
    both = met & (face >= 0)
    assert both.sum() > 1000 and np.abs(at[both, 0] - truth["tfar"][both]).max() < 1e-4
    assert (face[both] == truth["primID"][both]).mean() > 0.99


def test_only_faces_that_look_against_the_ray_are_met() -> None:
    tree = widen(build(*(lambda m: (m.vertices, m.faces))(sphere(3))))
    start, way = np.zeros((1, 3)), np.array([[0.0, 0, 1]])
    assert first_from(tree, start, way, np.array([9.0]))[0][0] == -1
    assert first_from(tree, start - way * 5, way, np.array([9.0]))[1][0, 0] == pytest.approx(4, abs=0.02)
    assert first_from(tree, start - way * 5, way, np.array([3.5]))[0][0] == -1


def soup(count: int, size: float) -> Mesh:
    """Small triangles all over a unit box, so that a ray passes many and meets few."""
    rng = np.random.default_rng(2)
    spots = rng.uniform(-0.5, 0.5, (count, 1, 3)) + rng.normal(scale=size, size=(count, 3, 3))
    return Mesh.of(spots.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))


def blocked(tree: Wide, start: np.ndarray, way: np.ndarray, sent: int, reach: float) -> int:
    scratch = np.empty((QUEUE, 2), np.int64), np.empty(64, np.uint8), np.empty(8, np.int64)
    rays = [np.ascontiguousarray(part.T, np.float32) for part in (way, 1 / way)]
    return send(*tree.arrays, start.astype(np.float32), *rays, sent, np.full(64, reach, np.float32), False, *scratch)


@pytest.mark.parametrize("mesh", [bumpy(5), soup(120_000, 0.003)], ids=["body", "soup"])
@pytest.mark.parametrize("reach", [0.4, 50.0])
def test_rays_of_a_bundle_meet_what_embree_meets_whichever_others_go_with_them(mesh: Mesh, reach: float) -> None:
    """In the soup, more boxes wait than the queue holds in turn."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    start, way = rays(100 * 64)
    start = start[::64] / 2
    scene, tree = EmbreeScene(), widen(build(mesh.vertices, mesh.faces))
    TriangleMesh(scene, mesh.vertices, mesh.faces)
    far = np.full(len(way), reach, np.float32)
    truth = scene.run(np.repeat(start, 64, axis=0).astype(np.float32), way.astype(np.float32), dists=far) >= 0
    met = [blocked(tree, o, d, -1, reach) for o, d in zip(start, way.reshape(-1, 64, 3), strict=True)]
    mine = np.array([(bits >> k) & 1 for bits in met for k in range(64)], bool)
    assert 0.01 < mine.mean() < 0.99 and (mine != truth).mean() < 5e-4
    for sent in (0x5555_5555_5555_5555, 0xFF, 1 << 40, 0):
        some = [blocked(tree, o, d, sent, reach) for o, d in zip(start, way.reshape(-1, 64, 3), strict=True)]
        assert some == [bits & sent for bits in met]


def test_rays_of_a_bundle_come_as_far_as_rays_alone() -> None:
    """A ray that looks for faces from behind meets on the mesh turned inside out what another meets from the front."""
    mesh = soup(20_000, 0.03)
    start, way = rays(50 * 64)
    start, tree = np.repeat(start[::64] / 2, 64, axis=0), widen(build(mesh.vertices, mesh.faces))
    turned = widen(build(mesh.vertices, mesh.faces[:, ::-1]))
    truth = first_from(turned, start, way, np.full(len(way), 2.0))
    scratch = np.empty((QUEUE, 2), np.int64), np.empty(64, np.uint8), np.empty(8, np.int64)
    far = np.full(len(way), 2, np.float32)
    for k in range(0, len(way), 64):
        some = [np.ascontiguousarray(part[k : k + 64].T, np.float32) for part in (way, 1 / way)]
        send(*tree.arrays, start[k].astype(np.float32), *some, -1, far[k : k + 64], True, *scratch)
    assert 0.2 < (far < 2).mean() < 0.9 and ((far < 2) == (truth[0] >= 0)).mean() > 0.999
    both = (far < 2) & (truth[0] >= 0)
    assert np.abs(far - truth[1][:, 0])[both].max() < 1e-4


@pytest.mark.parametrize("count", [5, 64, 100, 256])
def test_half_of_the_sky_is_open_at_the_foot_of_a_wall_for_any_number_of_rays(count: int) -> None:
    wall = Mesh.of([[0, -1e3, -1e3], [0, 1e3, -1e3], [0, 1e3, 1e3], [0, -1e3, 1e3]], [[0, 1, 2], [0, 2, 3]])
    points, up = np.tile((1e-3, 0.0, 0), (2000, 1)), np.tile((0.0, 0, 1), (2000, 1))
    sky = Sky(widen(build(wall.vertices, wall.faces)), count, 0.0, 9.0, 1.0, 1.0)
    share, bent = openness(sky, points, up, up, np.arange(2000), 1e4)
    assert share.mean() == pytest.approx(0.5, abs=0.01) and np.allclose(share * count, np.round(share * count))
    assert share.std() < 0.5 / np.sqrt(count) and np.allclose(np.linalg.norm(bent, axis=1), 1)
    assert bent.mean(axis=0)[1] == pytest.approx(0, abs=0.02) and (bent[:, 0] > 0).all()


@pytest.mark.parametrize("count", [1, 9, 70, 700])
def test_triangles_that_cannot_be_told_apart_are_all_kept(count: int) -> None:
    """Equal triangles have equal centres: no split parts them, and a box holds more than eight."""
    one = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]] * count)
    tree = widen(build(one.vertices, one.faces))
    assert sorted(tree.face[tree.face >= 0]) == list(range(count))
    start, way = np.array([[0.2, 0.2, 1.0], [0.9, 0.9, 1.0]]), np.array([[0.0, 0, -1]] * 2)
    face, at = first_from(tree, start, way, np.full(2, 9.0))
    assert face[0] >= 0 and at[0, 0] == pytest.approx(1) and face[1] == -1
    sky = Sky(tree, 16, 0.0, 9.0, 1.0, 1.0)
    share, _ = openness(sky, np.array([[0.3, 0.3, -1e-3]]), way[:1] * -1, way[:1] * -1, np.zeros(1, np.int64), 9.0)
    assert share[0] < 0.1


def test_flat_and_degenerate_triangles_do_no_harm() -> None:
    flat = grid(8)
    broken = np.concatenate([flat.faces, [[0, 0, 1], [3, 3, 3]]]).astype(np.int32)
    tree = build(flat.vertices, broken)
    start = np.random.default_rng(0).uniform(-0.5, 0.5, (500, 3)) + np.array((0, 2, 0))
    face, at = first_from(widen(tree), start, np.tile((0.0, -1, 0), (500, 1)), np.full(500, 9.0))
    assert (face >= 0).all() and np.allclose(at[:, 0], start[:, 1], atol=1e-5)
    assert np.allclose(nearest(tree, start)[1][:, 0], start[:, 1], atol=1e-5)


def test_a_large_tree_is_whole_and_the_same_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from nodes.mesh import _bvh_build

    mesh = bumpy(5)
    monkeypatch.setattr(_bvh_build, "LARGE", 500)
    made = []
    for threads in (1, 3):
        monkeypatch.setattr(_bvh_build.os, "cpu_count", lambda threads=threads: threads)
        made.append(build(mesh.vertices, mesh.faces))
    for name in ("low", "high", "child", "start", "count", "corner", "order"):
        assert np.array_equal(getattr(made[0], name), getattr(made[1], name)), name
    tree = made[0]
    assert np.array_equal(np.sort(tree.order), np.arange(len(mesh.faces)))
    at = mesh.vertices[mesh.faces[tree.order]]
    inner = np.flatnonzero(tree.child >= 0)
    for side in (0, 1):
        below = tree.child[inner] + side
        assert (tree.low[inner] <= tree.low[below]).all() and (tree.high[inner] >= tree.high[below]).all()
    assert np.array_equal(tree.count[inner], tree.count[tree.child[inner]] + tree.count[tree.child[inner] + 1])
    for node in np.flatnonzero(tree.child < 0)[::50]:
        held = at[tree.start[node] : tree.start[node] + tree.count[node]].reshape(-1, 3)
        assert np.array_equal(held.min(axis=0), tree.low[node]) and np.array_equal(held.max(axis=0), tree.high[node])
    monkeypatch.undo()
    points = np.random.default_rng(0).normal(size=(2000, 3))
    whole = build(mesh.vertices, mesh.faces)
    assert np.allclose(nearest(whole, points)[1][:, 0], nearest(tree, points)[1][:, 0], atol=1e-9)
    way = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.allclose(along(whole, points, way, 5.0)[1][:, 0], along(tree, points, way, 5.0)[1][:, 0], atol=1e-9)


def test_normals_of_many_faces_equal_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    from nodes.mesh import _shading

    mesh = bumpy(4)
    faces = np.concatenate([mesh.faces, [[0, 0, 1]]]).astype(np.int32)
    few = _shading.smooth_normals(mesh.vertices, faces)
    monkeypatch.setattr(_shading, "FEW", 10)
    assert np.abs(few - _shading.smooth_normals(mesh.vertices, faces)).max() < 1e-6


def test_a_tree_refitted_after_a_move_finds_what_a_new_one_finds() -> None:
    mesh, random = bumpy(6), np.random.default_rng(0)
    moved = (mesh.vertices + 0.01 * random.standard_normal(mesh.vertices.shape)).astype(np.float32)
    old, new = refitted(build(mesh.vertices, mesh.faces), moved, mesh.faces), build(moved, mesh.faces)
    points = random.standard_normal((500, 3)).astype(np.float32)
    assert np.allclose(nearest(old, points)[1][:, 0], nearest(new, points)[1][:, 0], atol=1e-6)
    assert np.array_equal(crossings(moved, mesh.faces, tree=old).pairs, crossings(moved, mesh.faces, tree=new).pairs)
