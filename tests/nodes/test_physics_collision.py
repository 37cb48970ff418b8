"""Hulls are convex, hold the mesh, and keep to their budgets."""

from __future__ import annotations

import time

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, moved, oracle, sphere, together

from app.engine import BadInput, Cancelled, Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh._threads import side_by_side
from nodes.mesh.primitives import box, torus
from nodes.mesh.primitives import capsule as capsule_node
from nodes.physics._fit import capsule_of, hull_of
from nodes.physics._stray import stray
from nodes.physics.collision import Collision, collision, names_of, one_hull


def hulls_of(found: Collision) -> list[Mesh]:
    mesh = found.mesh
    return [Mesh.of(mesh.vertices, mesh.faces[mesh.face_groups == k]) for k in range(mesh.face_groups.max() + 1)]


def assert_convex_around(found: Collision, mesh: Mesh, hulls: int, corners: int, contain: bool = True) -> None:
    parts = hulls_of(found)
    assert len(parts) <= hulls
    size = float(np.ptp(mesh.vertices, axis=0).max())
    points = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    out = np.full(len(points), np.inf)
    for part in parts:
        shape = measure(part)
        assert shape.watertight and shape.manifold and shape.genus == 0 and shape.parts == 1 and shape.volume > 0
        used = part.vertices[np.unique(part.faces)].astype(np.float64)
        assert len(used) <= corners
        a, b, c = (part.vertices[part.faces[:, k]].astype(np.float64) for k in range(3))
        normal = np.cross(b - a, c - a)
        good = np.linalg.norm(normal, axis=1) > 1e-9 * size**2
        normal = normal[good] / np.linalg.norm(normal[good], axis=1, keepdims=True)
        offset = np.einsum("ij,ij->i", normal, a[good])
        assert (used @ normal.T - offset).max() < 3e-5 * size, "convex"
        out = np.minimum(out, (points @ normal.T - offset).max(axis=1))
    if contain:
        assert out.max() < 1e-5 * size, "holds the mesh"
    assert found.report.value("mesh sticks out by at most (mm)") == pytest.approx(
        max(0, out.max()) * 1000, abs=1e-2 * size
    )


def ell() -> Mesh:
    """Two boxes in the shape of an L, one closed mesh."""
    import manifold3d

    one = manifold3d.Manifold.cube((3, 1, 1))
    other = manifold3d.Manifold.cube((1, 1, 3))
    found = (one + other).to_mesh()
    return Mesh.of(found.vert_properties[:, :3], found.tri_verts)


def test_an_l_becomes_two_boxes() -> None:
    found = collision(Run(), ell(), max_hulls=8, max_vertices=16)
    assert_convex_around(found, ell(), 8, 16)
    assert found.report.value("hulls") == 2
    assert found.report.value("volume to that of the mesh") == pytest.approx(1, abs=0.02)
    assert measure(ell()).volume == pytest.approx(5)
    again = collision(Run(), ell(), max_hulls=8, max_vertices=16)
    assert again.mesh.vertices.tobytes() == found.mesh.vertices.tobytes() and again.report.rows == found.report.rows


def test_budgets_are_kept_and_the_mesh_is_held() -> None:
    mesh = torus(segments=16, sides=8)
    found = collision(Run(), mesh, max_hulls=4, max_vertices=12, search_triangles=500)
    assert_convex_around(found, mesh, 4, 12)
    close = collision(Run(), ell(), max_hulls=1, max_vertices=7, contain=False)
    assert_convex_around(close, ell(), 1, 7, contain=False)


@pytest.mark.parametrize("corners", [6, 8, 32, 255])
def test_one_hull_within_the_budget(corners: int) -> None:
    mesh = bumpy(4)
    found = collision(Run(), mesh, "hull", max_vertices=corners)
    assert_convex_around(found, mesh, 1, corners)
    least = oracle(mesh).convex_hull.volume
    allowed = {6: 4.5, 8: 2.6, 32: 1.5, 255: 1.06}[corners]
    assert least * 0.9999 <= found.report.value("volume of all hulls (m³)") < allowed * least


def test_a_turned_box_and_a_capsule_are_found_again() -> None:
    from test_physics_body import turned

    bar = turned(box(0.2, 1.0, 0.5), 40, (0.5, 0.6, 0.2))
    found = collision(Run(), bar, "box")
    assert_convex_around(found, bar, 1, 8)
    assert found.report.value("volume to that of the mesh") == pytest.approx(1, abs=1e-4)
    pill = turned(capsule_node(0.2, 0.7, 48), 60, (1, 0.3, 0.2))
    fit = capsule_of(pill.vertices.astype(np.float64))
    assert fit.radius == pytest.approx(0.2, rel=0.01) and np.linalg.norm(fit.b - fit.a) == pytest.approx(0.7, rel=0.02)
    for corners in (16, 64, 255):
        assert_convex_around(collision(Run(), pill, "capsule", max_vertices=corners), pill, 1, corners)
    many = collision(Run(), pill, "capsule", max_vertices=255).report
    assert many.value("volume to that of the mesh") < 1.12


def test_flat_and_open_meshes_get_bodies_with_a_volume() -> None:
    for shape in ("hull", "box"):
        found = collision(Run(), grid(4, 2.0), shape)
        assert_convex_around(found, grid(4, 2.0), 1, 32)
    run = Run()
    opened = Mesh.of(sphere(2).vertices, sphere(2).faces[:-20])
    found = collision(run, opened, max_hulls=2)
    assert_convex_around(found, opened, 2, 32)
    assert any("not closed" in note for note in run.notes)


def test_names_are_those_that_engines_read() -> None:
    assert names_of("Old chair", 2, "Unreal") == ["UCX_Old_chair_00", "UCX_Old_chair_01"]
    assert names_of("a", 1, "Godot") == ["a_00-convcolonly"] and names_of("", 1, "plain") == ["mesh_00"]
    two = together(box(), moved(box(), 3, 0, 0))
    found = collision(Run(), two, max_hulls=4, engine="Godot")
    lines = found.names.value.splitlines()
    assert len(lines) == found.report.value("hulls") == 2 == len(set(lines)) and all("-convcolonly" in n for n in lines)


def test_hopeless_meshes_are_refused_and_a_stop_is_a_stop() -> None:
    with pytest.raises(BadInput, match="point or a line"):
        collision(Run(), Mesh.of([[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 1, 2]]))
    run = Run()
    run.stop.set()
    with pytest.raises(Cancelled):
        collision(run, box())
    assert one_hull(Run(), box()).report.value("hulls") == 1


def test_points_stick_out_of_the_nearest_body_as_all_planes_of_all_bodies_say() -> None:
    random = np.random.default_rng(0)
    hulls = [hull_of(random.standard_normal((20, 3)) + middle) for middle in 4 * random.random((9, 3))]
    points = 5 * random.standard_normal((40_000, 3))
    gap, body = stray(points, [hull.planes for hull in hulls])
    each = np.stack([hull.outside(points) for hull in hulls])
    assert np.allclose(gap, each.min(axis=0), rtol=0, atol=1e-12) and (gap < 0).any()
    assert np.allclose(each[body, np.arange(len(points))], each.min(axis=0), rtol=0, atol=1e-12)


def test_work_on_all_processors_stops_when_it_is_told_to() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        time.sleep(0.02)
        done.append(number)
        return number * number

    assert side_by_side(work, range(10), lambda _: None) == [k * k for k in range(10)]

    def stop(_: float) -> None:
        raise Cancelled

    done.clear()
    with pytest.raises(Cancelled):
        side_by_side(work, range(10_000), stop)
    assert len(done) < 200
