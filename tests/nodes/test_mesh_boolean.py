"""Booleans: exact volumes, closed results, and attributes that stay as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid
from solid_proofs import at, closed, colours_at, cross, rows, spread, textured

from app.engine import BadInput, Cancelled, Material, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.boolean import boolean
from nodes.mesh.primitives import box, cylinder, sphere, torus
from nodes.mesh.transform import transform

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
OPERATIONS = ("union", "difference", "intersection")


def test_boxes_have_the_volumes_that_one_can_work_out() -> None:
    a, b = box(pieces=3), at(box(pieces=2), 0.5, 0.25, 0.125)
    common = 0.5 * 0.75 * 0.875
    for operation, volume in zip(OPERATIONS, (2 - common, 1 - common, common), strict=True):
        shape = closed(boolean(Run(), a, b, operation=operation))
        assert shape.volume == pytest.approx(volume, rel=1e-6) and shape.genus == 0 and shape.parts == 1


def test_balls_meet_in_a_lens_and_a_bore_makes_a_ring() -> None:
    ball = sphere(1.0, style="icosphere", detail=40)
    lens = closed(boolean(Run(), ball, at(ball, 1.0), operation="intersection"))
    assert lens.volume == pytest.approx(np.pi * 5 / 12, rel=3e-3)
    bored = closed(boolean(Run(), ball, cylinder(0.6, 3.0, segments=256), operation="difference"))
    assert bored.genus == 1
    assert bored.volume == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=3e-3)


@pytest.mark.parametrize("other", [lambda: at(torus(0.5, 0.2), 0.3, 0.1), lambda: sphere(0.5, style="icosphere")])
def test_inclusion_and_exclusion(other) -> None:
    a, b = box(1.1, 0.7, 0.9, 4), other()
    both = closed(boolean(Run(), a, b)).volume + closed(boolean(Run(), a, b, operation="intersection")).volume
    assert both == pytest.approx(measure(a).volume + measure(b).volume, rel=1e-6)
    left = closed(boolean(Run(), a, b, operation="difference")).volume
    assert left == pytest.approx(closed(boolean(Run(), a, b)).volume - measure(b).volume, rel=1e-6)


def test_more_than_two_and_the_same_mesh_twice() -> None:
    a = box(3.0, 1.0, 1.0, 2)
    holes = [at(box(0.5, 2.0, 0.5), x) for x in (-1.0, 0.0, 1.0)]
    drilled = closed(boolean(Run(), a, *holes, operation="difference"))
    assert drilled.genus == 3 and drilled.volume == pytest.approx(3 - 3 * 0.25, rel=1e-6)
    for operation in ("union", "intersection"):
        assert closed(boolean(Run(), a, a, operation=operation)).volume == pytest.approx(3, rel=1e-6)


def test_faces_away_from_the_cut_stay_bit_by_bit() -> None:
    ball = replace(sphere(style="globe", segments=48), face_groups=np.arange(2208, dtype=np.int32) % 5)
    wave = (0.5 + 0.5 * np.sin(9 * ball.vertices)).astype(np.float32)
    ball = replace(ball, colours=np.concatenate([wave, np.ones((len(wave), 1), np.float32)], axis=1))
    cutter = at(box(0.4, 0.4, 0.4, 3), 0.4, 0.1)
    names = ("normals", "uv", "colours")
    for operation in OPERATIONS:
        result = boolean(Run(), ball, cutter, operation=operation)
        inside = (np.abs(ball.vertices - np.float32([0.4, 0.1, 0.0])) < 0.2).all(axis=1)[ball.faces]
        edge_on = (np.abs(ball.vertices - np.float32([0.4, 0.1, 0.0])) < 0.3).all(axis=1)[ball.faces].any(axis=1)
        sure = inside.all(axis=1) if operation == "intersection" else ~edge_on
        kept = Mesh.of(ball.vertices, ball.faces[sure], normals=ball.normals, uv=ball.uv, colours=ball.colours)
        assert sure.sum() > 20 and rows(kept, *names) <= rows(result, *names)
    assert set(np.unique(boolean(Run(), ball, cutter).face_groups)) == {0, 1, 2, 3, 4, 5}


def test_what_is_kept_shows_the_same_colours_through_one_texture_sheet() -> None:
    ball, cutter = textured(sphere(segments=32), 1), textured(at(box(0.7, 0.7, 0.7, 2), 0.3), 2, 32)
    run = Run()
    result = boolean(run, ball, cutter, operation="difference")
    assert any("one texture sheet" in note for note in run.notes)
    for part, before in ((0, ball), (1, cutter)):
        face, corner, points = spread(result, np.flatnonzero(result.face_groups == part), 2000)
        near = nearest_on(surface_of(before), points)
        assert near.distance.max() < 1e-4
        a, b, c = (before.vertices[before.faces[near.face, k]].astype(np.float64) for k in range(3))
        crossed = np.cross(b - a, c - a)
        size = np.einsum("ij,ij->i", crossed, crossed)
        u = np.einsum("ij,ij->i", np.cross(c - b, points - b), crossed) / size
        v = np.einsum("ij,ij->i", np.cross(a - c, points - c), crossed) / size
        there = np.stack([u, v, 1 - u - v], axis=1)
        apart = np.abs(colours_at(result, face, corner) - colours_at(before, near.face, there)).max(axis=1)
        assert np.quantile(apart, 0.99) < 0.01
    outward = np.einsum("ij,ij->i", result.normals[result.faces[:, 0]], _facing(result))
    assert (outward > 0).mean() > 0.99


def _facing(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def test_a_plain_cutter_leaves_a_plain_cut_and_can_leave_that_of_a() -> None:
    ball, cutter = textured(sphere(segments=32), 1), at(box(0.7, 0.7, 0.7, 2), 0.3)
    plain = boolean(Run(), ball, cutter, operation="difference")
    face, corner, _ = spread(plain, np.flatnonzero(plain.face_groups == 1), 500)
    assert np.array_equal(colours_at(plain, face, corner), np.ones((500, 3)))
    shown = boolean(Run(), ball, cutter, operation="difference", cut_surface="from a")
    assert shown.material is ball.material
    cut = shown.faces[shown.face_groups == 1]
    at3, uv = shown.vertices[cut].astype(np.float64), shown.uv[cut].astype(np.float64)
    real = np.linalg.norm(np.cross(at3[:, 1] - at3[:, 0], at3[:, 2] - at3[:, 0]), axis=1)
    one, two = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    laid = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    whole = real > 1e-5
    assert np.allclose(laid[whole] / real[whole], laid.sum() / real.sum(), rtol=0.02)


def test_plain_colours_stay_as_vertex_colours_and_equal_materials_are_one() -> None:
    red, blue = (replace(box(), material=Material(base_factor=(*rgb, 1.0))) for rgb in ((1, 0, 0), (0, 0, 1)))
    both = boolean(Run(), red, at(blue, 0.5))
    assert {tuple(row) for row in both.colours.round(6).tolist()} == {(1, 0, 0, 1), (0, 0, 1, 1)}
    run = Run()
    again = replace(red, material=Material(base_factor=(1.0, 0.0, 0.0, 1.0)))
    assert boolean(run, red, at(again, 0.5)).material == red.material and run.notes == []


def test_open_meshes_are_mended_and_overlapping_bodies_united_first() -> None:
    lid = box(pieces=4)
    lid = replace(lid, faces=lid.faces[lid.vertices[lid.faces][..., 1].min(axis=1) < 0.49])
    run = Run()
    assert closed(boolean(run, lid, at(box(), 0.5), operation="difference")).volume == pytest.approx(0.5, rel=1e-5)
    assert any("mesh a was not a closed body" in note and "1 hole filled" in note for note in run.notes)
    run = Run()
    result = closed(boolean(run, cross(), at(box(0.8, 1.0, 0.8), 0, 0.5), operation="difference"))
    assert result.volume == pytest.approx(5 - 0.32, rel=1e-6)
    assert any("2 bodies of the mesh a" in note for note in run.notes)


def test_a_hollow_body_stays_hollow_and_an_inside_out_one_is_turned() -> None:
    outer, inner = box(2.0, 2.0, 2.0), box(1.0, 1.0, 1.0)
    shell = Mesh.of(
        np.concatenate([outer.vertices, inner.vertices]),
        np.concatenate([outer.faces, inner.faces[:, ::-1] + len(outer.vertices)]),
    )
    half = boolean(Run(), shell, at(box(4, 4, 4), 2.0), operation="difference")
    assert closed(half).volume == pytest.approx(3.5, rel=1e-6)
    inward = replace(outer, faces=outer.faces[:, ::-1])
    assert closed(boolean(Run(), inward, at(box(), 1.0))).volume == pytest.approx(8.5, rel=1e-6)


def test_a_result_that_touches_itself_is_manifold() -> None:
    run = Run()
    rod = transform(Run(), cylinder(0.5, 1.0), turn_z=90, move_x=0.25, move_z=0.137)
    cut = closed(boolean(run, box(pieces=5), rod, operation="difference"))
    assert cut.degenerate == 0 and "vertices were moved apart" in run.notes[-1]
    both = closed(boolean(Run(), box(pieces=5), rod))
    assert both.volume == pytest.approx(cut.volume + measure(rod).volume, rel=1e-6)
    run = Run()
    arms = boolean(run, cross(), at(box(1.0, 1.0, 1.0), 0, 0.5), operation="difference")
    assert closed(arms).volume == pytest.approx(4.5, rel=1e-5)


def test_what_cannot_work_is_said() -> None:
    with pytest.raises(BadInput, match="mesh b is not a closed body"):
        boolean(Run(), box(), grid())
    with pytest.raises(BadInput, match="no room in common"):
        boolean(Run(), box(), at(box(), 3.0), operation="intersection")
    with pytest.raises(BadInput, match="cover 'a' whole"):
        boolean(Run(), box(), box(2, 2, 2), operation="difference")
    with pytest.raises(BadInput, match="mesh b has no faces"):
        boolean(Run(), box(), Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))
    stopped = Run()
    stopped.stop.set()
    with pytest.raises(Cancelled):
        boolean(stopped, box(), box())


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize("name", ["spot", "cow", "stanford-bunny", "suzanne", "teapot"])
def test_real_meshes(name: str) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    low, high = mesh.bounds
    size, middle = float((high - low).max()), (low + high) / 2
    block = at(box(size / 2, size / 2, size / 2), *(middle + size * np.float32([0.2, 0.1, 0.1])).tolist())
    shapes = [measure(boolean(Run(), mesh, block, operation=operation)) for operation in OPERATIONS]
    assert all(shape.watertight for shape in shapes)
    union, left, common = (shape.volume for shape in shapes)
    assert union == pytest.approx(left + size**3 / 8, rel=1e-4)
    assert 0 < common < min(union, size**3 / 8)
