"""Mirroring: equal to the last bit, closed, and the plane that was hidden is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moved, oracle, sphere

from app.engine import BadInput, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh import primitives
from nodes.mesh._measure import measure
from nodes.mesh.mirror import mirror
from nodes.mesh.normals import normals
from nodes.mesh.symmetrise import symmetrise
from nodes.mesh.transform import transform
from nodes.mesh.unwrap import unwrap

MESHES = Path(__file__).parents[3] / "shared" / "data" / "meshes"


def assert_exact(mesh: Mesh, axis: int, at: float) -> None:
    """Vertices and faces are the same sets under reflection, bit for bit."""
    at32 = np.float32(at)
    assert float(at32) == at
    picture = mesh.vertices.copy()
    picture[:, axis] = np.float32(2) * at32 - picture[:, axis]

    def bits(v: np.ndarray) -> list[bytes]:
        return [row.tobytes() for row in v + np.float32(0)]

    one, other = bits(mesh.vertices), bits(picture)
    assert set(one) == set(other)
    faces = {frozenset(one[v] for v in face) for face in mesh.faces.tolist()}
    assert faces == {frozenset(other[v] for v in face) for face in mesh.faces.tolist()}


@cache
def lopsided() -> Mesh:
    """Closed, with UVs and colours, nothing even about it."""
    mesh = bumpy(3)
    at = mesh.vertices + 0.2 * np.sin(3 * mesh.vertices[:, [1, 2, 0]]) + (0.37, 0.1, -0.2)
    mesh = unwrap(Run(), replace(mesh, vertices=at.astype(np.float32)), method="fast")
    colours = np.concatenate([mesh.vertices * 0.2 + 0.5, np.ones((len(mesh.vertices), 1))], axis=1).clip(0, 1)
    return replace(mesh, colours=colours.astype(np.float32), face_groups=np.arange(len(mesh.faces), dtype=np.int32) % 5)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("how", ["keep positive side", "keep negative side"])
def test_both_sides_are_equal_to_the_last_bit_and_closed(axis: str, how: str) -> None:
    mesh = lopsided()
    even, report = symmetrise(Run(), mesh, axis, "middle", how)
    shape = measure(even)
    assert shape.watertight and shape.manifold and shape.genus == 0
    assert oracle(even).volume > 0 and oracle(even).is_winding_consistent
    assert_exact(even, "xyz".index(axis), float(report.value("mirror at (m)")))
    kept = even.vertices[:, "xyz".index(axis)] >= report.value("mirror at (m)")
    if how == "keep negative side":
        kept = even.vertices[:, "xyz".index(axis)] <= report.value("mirror at (m)")
    assert np.abs(even.colours[kept, :3] - (even.vertices[kept] * 0.2 + 0.5).clip(0, 1)).max() < 1e-3
    assert even.face_groups is not None and set(even.face_groups) == set(range(5))
    assert np.allclose(np.linalg.norm(even.normals, axis=1), 1, atol=1e-5)


def test_the_half_is_exact_and_cut_on_the_plane() -> None:
    solid = box()
    askew = transform(Run(), solid, 20, 30, 40)
    even, _ = symmetrise(Run(), askew, "x", "middle")
    assert oracle(even).volume == pytest.approx(1.0, rel=1e-6)
    assert (even.vertices[:, 0] == 0).sum() >= 4
    shared = mirror(Run(), askew, cut="negative side")
    assert oracle(shared).volume == pytest.approx(1.0, rel=1e-6) and measure(shared).watertight


@pytest.mark.parametrize("turn", [(0, 0, 0), (13, 40, -25), (70, -20, 5)])
def test_a_hidden_plane_is_found(turn: tuple[float, float, float]) -> None:
    side = lopsided()
    even = mirror(Run(), side, cut="negative side")
    even = replace(even, vertices=(even.vertices * (1, 1.3, 0.8)).astype(np.float32))
    hidden = transform(Run(), even, *turn, move_x=0.3, move_y=-0.2)
    straight, report = symmetrise(Run(), hidden)
    found = np.array([report.value(f"plane normal {axis}") for axis in "xyz"])
    true = transform(Run(), Mesh.of(np.eye(3), [[0, 1, 2]]), *turn).vertices.astype(np.float64)[0]
    assert np.degrees(np.arccos(min(1.0, abs(found @ true)))) < 0.15
    offset = true @ (0.3, -0.2, 0) * np.sign(found @ true)
    assert report.value("distance of the plane from the origin (m)") == pytest.approx(offset, abs=2e-3)
    assert report.value("sides were apart, mean (% of size)") < 0.1
    assert_exact(straight, "XYZ".index(report.value("mirror across")), float(report.value("mirror at (m)")))
    assert measure(straight).watertight
    left, _ = symmetrise(Run(), hidden, straighten=False)
    assert measure(left).watertight
    assert np.abs(left.vertices.min(axis=0) - hidden.vertices.min(axis=0)).max() < 0.01


def test_of_equal_planes_the_one_between_left_and_right_is_taken() -> None:
    for mesh in (sphere(2), primitives.box(pieces=2), primitives.cylinder(segments=16)):
        report = symmetrise(Run(), mesh).report
        assert report.value("plane normal x") == pytest.approx(1, abs=0.01)


def test_the_average_lies_halfway_and_keeps_faces_and_uvs() -> None:
    mesh = unwrap(Run(), bumpy(3), method="fast")
    mesh = mirror(Run(), mesh, cut="negative side")
    rng = np.random.default_rng(0)
    from nodes.mesh._topology import weld_points

    weld = weld_points(mesh.vertices)
    rough = mesh.vertices + rng.normal(0, 0.002, (weld.count, 3))[weld.ids]
    even, report = symmetrise(Run(), replace(mesh, vertices=rough.astype(np.float32)), "x", "origin", "average")
    assert report.value("vertices with a partner (%)") == 100
    assert np.array_equal(even.faces, mesh.faces) and np.array_equal(even.uv, mesh.uv)
    bits = {row.tobytes() for row in even.vertices + np.float32(0)}
    assert bits == {row.tobytes() for row in even.vertices * np.float32([-1, 1, 1]) + np.float32(0)}
    assert np.abs(even.vertices - mesh.vertices).mean() < 0.8 * np.abs(rough - mesh.vertices).mean()
    with pytest.raises(BadInput) as caught:
        symmetrise(Run(), lopsided(), "x", "middle", "average")
    assert "Keep one side" in caught.value.advice


def test_a_copy_alone_looks_outward_and_twice_mirrored_is_the_same() -> None:
    mesh = lopsided()
    once = mirror(Run(), mesh, "z", join=False)
    assert oracle(once).volume == pytest.approx(oracle(mesh).volume, rel=1e-6)
    assert np.array_equal(once.uv, mesh.uv)
    assert np.einsum("ij,ij->i", once.normals, mesh.normals * (1, 1, -1)).min() > 0.99999
    twice = mirror(Run(), once, "z", join=False)
    assert np.array_equal(twice.vertices, mesh.vertices) and np.array_equal(twice.faces, mesh.faces)


def test_joined_at_an_end_two_boxes_become_one_without_a_wall() -> None:
    pair = mirror(Run(), normals(Run(), box(), 30), "x", "high end")
    shape = measure(pair)
    assert shape.watertight and shape.manifold and shape.parts == 1
    assert oracle(pair).volume == pytest.approx(2.0, rel=1e-6) and len(pair.faces) == 20
    assert np.allclose(pair.vertices.max(axis=0), (1.5, 0.5, 0.5))
    apart = mirror(Run(), moved(box(), 2, 0, 0))
    assert measure(apart).parts == 2 and oracle(apart).volume == pytest.approx(2.0, rel=1e-6)


def test_halves_that_run_through_each_other_are_said() -> None:
    through, cut, beside = Run(), Run(), Run()
    mirror(through, box())
    mirror(cut, box(), cut="negative side")
    mirror(beside, moved(box(), 0.5, 0, 0))
    assert "set 'cut'" in through.notes[0] and not cut.notes and not beside.notes


def test_normals_run_smoothly_over_the_mirror_and_hard_edges_stay() -> None:
    ball = normals(Run(), sphere(4), 180)
    even = mirror(Run(), ball, cut="negative side")
    on = even.vertices[:, 0] == 0
    assert on.any() and (even.normals[on, 0] == 0).all()
    assert np.einsum("ij,ij->i", even.normals, even.vertices).min() > 0.99
    wedge = Mesh.of([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 1]], [[0, 1, 2], [0, 2, 3]])
    valley = mirror(Run(), normals(Run(), wedge, 0))
    assert len(valley.vertices) == 8


def test_open_and_far_meshes_come_through() -> None:
    sheet = mirror(Run(), grid(5), "x", "high end")
    assert measure(sheet).parts == 1 and oracle(sheet).area == pytest.approx(2.0, rel=1e-6)
    far = moved(lopsided(), 1000.3, 0, 0)
    even, report = symmetrise(Run(), far, "x", "middle")
    assert_exact(even, 0, float(report.value("mirror at (m)")))
    with pytest.raises(BadInput) as caught:
        mirror(Run(), moved(box(), 5, 0, 0), cut="positive side")
    assert "other side" in caught.value.advice
    with pytest.raises(BadInput):
        mirror(Run(), grid(2), "y")


@pytest.mark.parametrize("name", ["spot.obj", "cow.obj"])
def test_real_meshes(name: str) -> None:
    if not (MESHES / name).is_file():
        pytest.skip("the sample meshes are not here")
    mesh = load_mesh(Run(), MESHES / name)
    run = Run()
    even, report = symmetrise(run, mesh)
    assert abs(report.value("plane normal x")) > 0.999 or abs(report.value("plane normal z")) > 0.999
    assert_exact(even, "XYZ".index(report.value("mirror across")), float(report.value("mirror at (m)")))
    assert measure(even).boundary_edges == 0 or measure(mesh).boundary_edges > 0
