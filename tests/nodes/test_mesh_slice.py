"""A cut lies exactly on its plane, loses nothing, and closes what was closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid
from solid_proofs import at, closed, colours_at, cross, rows, spread, textured

from app.engine import BadInput, Mesh, Run
from nodes.image._pixels import to_srgb
from nodes.io._neutral import GREY
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.join import join
from nodes.mesh.primitives import box, cylinder, sphere, torus
from nodes.mesh.slice import slice_mesh
from nodes.mesh.transform import turned

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
AXES = {"up (Y)": 1, "right (X)": 0, "front (Z)": 2}


@pytest.mark.parametrize("axis", AXES)
def test_a_box_is_cut_in_exact_shares(axis) -> None:
    mesh = at(box(0.7, 1.1, 1.3, pieces=3), 5.0, 7.0, 3.0)
    for share in (0.3, 1 / 3, 0.777):
        above, below = slice_mesh(Run(), mesh, axis=axis, share=share)
        whole = measure(mesh).volume
        assert closed(above).volume == pytest.approx((1 - share) * whole, rel=1e-5)
        assert closed(below).volume == pytest.approx(share * whole, rel=1e-5)
        k = AXES[axis]
        assert len({above.vertices[:, k].min(), below.vertices[:, k].max()}) == 1
        for half in (above, below):
            cap = half.vertices[half.faces[half.face_groups == half.face_groups.max()]]
            assert np.ptp(cap[..., k]) == 0
            assert np.allclose(half.normals[half.faces[-1]], np.eye(3)[k] * (1 if half is below else -1))


def test_any_plane_through_a_ball() -> None:
    ball = sphere(1.0, style="icosphere", detail=40)
    for tilt in ((20.0, 0.0, 0.0), (-40.0, 15.0, 70.0), (90.0, 0.0, 0.0)):
        above, below = slice_mesh(
            Run(), ball, place="metres", offset=0.5, tilt_x=tilt[0], tilt_y=tilt[1], tilt_z=tilt[2]
        )
        normal = turned(*tilt) @ (0.0, 1.0, 0.0)
        assert closed(above).volume == pytest.approx(np.pi * 0.25 * 2.5 / 3, rel=5e-3)
        assert closed(above).volume + closed(below).volume == pytest.approx(measure(ball).volume, rel=1e-6)
        for half in (above, below):
            cap = half.vertices[np.unique(half.faces[half.face_groups == 1])]
            assert np.abs(cap @ normal - 0.5).max() < 1.5e-7


def test_holes_in_the_cut_and_several_cuts() -> None:
    ring = torus(0.5, 0.2)
    above, below = slice_mesh(Run(), ring)
    assert (closed(above).genus, closed(below).genus) == (1, 1)
    above, below = slice_mesh(Run(), ring, axis="right (X)")
    assert closed(above).genus == 0 and closed(above).parts == 1
    cap = above.faces[above.face_groups == 1]
    assert measure(Mesh.of(above.vertices, cap)).boundary_loops == 2
    bodies = join(Run(), box(), at(box(), 3.0))
    above, _ = slice_mesh(Run(), bodies, share=0.25)
    assert closed(above).parts == 2 and closed(above).volume == pytest.approx(1.5, rel=1e-6)
    outer, inner = box(2.0, 2.0, 2.0), box()
    shell = join(Run(), outer, replace(inner, faces=inner.faces[:, ::-1]))
    for half in slice_mesh(Run(), shell):
        assert closed(half).volume == pytest.approx(3.5, rel=1e-6) and closed(half).parts == 1


def test_bodies_through_one_another_are_closed_each_for_itself() -> None:
    for half in slice_mesh(Run(), cross(), share=0.3):
        shape = measure(half)
        assert shape.watertight
    assert sum(measure(half).volume for half in slice_mesh(Run(), cross(), share=0.3)) == pytest.approx(6, rel=1e-6)


def test_what_the_plane_misses_stays_bit_by_bit_and_what_it_cuts_shows_the_same() -> None:
    ball = textured(sphere(segments=32), 3)
    names = ("normals", "uv")
    halves = slice_mesh(Run(), ball, share=0.61, tilt_x=9.0)
    kept = rows(ball, *names)
    parts = [rows(Mesh.of(h.vertices, h.faces[h.face_groups == 0], normals=h.normals, uv=h.uv), *names) for h in halves]
    touched = len(kept - parts[0] - parts[1])
    assert 0 < touched < 0.1 * len(ball.faces)
    for half in halves:
        assert half.material is ball.material
        face, corner, points = spread(half, np.flatnonzero(half.face_groups == 0), 1500)
        near = nearest_on(surface_of(ball), points)
        a, b, c = (ball.vertices[ball.faces[near.face, k]].astype(np.float64) for k in range(3))
        crossed = np.cross(b - a, c - a)
        size = np.einsum("ij,ij->i", crossed, crossed)
        u = np.einsum("ij,ij->i", np.cross(c - b, points - b), crossed) / size
        v = np.einsum("ij,ij->i", np.cross(a - c, points - c), crossed) / size
        before = colours_at(ball, near.face, np.stack([u, v, 1 - u - v], axis=1))
        assert np.quantile(np.abs(colours_at(half, face, corner) - before).max(axis=1), 0.99) < 0.01


def test_the_cap_has_the_texel_density_of_the_mesh() -> None:
    mesh = textured(cylinder(0.5, 2.0), 1)
    above, _ = slice_mesh(Run(), mesh, share=0.4)
    cap = above.faces[above.face_groups == 1]

    def areas(faces: np.ndarray, of: Mesh) -> tuple[float, float]:
        p, q = of.vertices[faces].astype(np.float64), of.uv[faces].astype(np.float64)
        one, two = q[:, 1] - q[:, 0], q[:, 2] - q[:, 0]
        real = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1).sum()
        return float(real), float((one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum())

    real, laid = areas(cap, above)
    whole, whole_laid = areas(mesh.faces, mesh)
    assert real == pytest.approx(2 * 0.25 * np.pi, rel=2e-3)
    assert laid / real == pytest.approx(abs(whole_laid) / whole, rel=1e-3)


def test_a_plain_cap_beside_the_texture() -> None:
    ball = textured(sphere(segments=32), 4)
    for half in slice_mesh(Run(), ball, cap_surface="plain white"):
        closed(half)
        face, corner, _ = spread(half, np.flatnonzero(half.face_groups == 1), 300)
        assert np.array_equal(colours_at(half, face, corner), np.ones((300, 3)))
        face, corner, _ = spread(half, np.flatnonzero(half.face_groups == 0), 300)
        assert not np.array_equal(colours_at(half, face, corner), np.ones((300, 3)))
    bare = replace(sphere(segments=32), normals=None)
    above, _ = slice_mesh(Run(), bare)
    assert np.allclose(above.normals[above.faces[above.face_groups == 1]], (0, -1, 0))


@pytest.mark.parametrize("painted", [False, True])
def test_a_plain_cap_is_white_beside_a_mesh_without_a_material(painted) -> None:
    ball = replace(sphere(segments=32), material=None)
    if painted:
        ball = replace(ball, colours=np.tile(np.float32([0.2, 0.4, 0.6, 1.0]), (len(ball.vertices), 1)))
    shown = (0.2, 0.4, 0.6) if painted else to_srgb(np.float32(GREY[:3]))
    for half in slice_mesh(Run(), ball, cap_surface="plain white"):
        assert half.material.base_factor == (1, 1, 1, 1) and not half.material.base_colour
        cap = np.unique(half.faces[half.face_groups == 1])
        side = np.unique(half.faces[half.face_groups == 0])
        assert np.allclose(half.colours[cap], 1, atol=1e-6)
        assert np.allclose(half.colours[side], (*shown, 1.0), atol=1e-6)


def test_planes_through_vertices_along_faces_and_past_the_mesh() -> None:
    mesh = box(pieces=4)
    for half in slice_mesh(Run(), mesh):
        assert closed(half).volume == pytest.approx(0.5, rel=1e-6)
        assert len(np.unique(half.vertices[:, 1])) == 3
    run = Run()
    above, below = slice_mesh(run, mesh, share=1.0)
    assert len(above.faces) == 0 and "Nothing lies above" in run.notes[0]
    assert rows(below, "uv") == rows(mesh, "uv")
    nearly = replace(mesh, vertices=mesh.vertices + np.float32([0, 1e-7, 0]))
    for half in slice_mesh(Run(), nearly, place="metres"):
        assert closed(half).volume == pytest.approx(0.5, rel=1e-5)
        assert np.abs(half.vertices[:, 1]).min() == 0
    single = Mesh.of(np.eye(3), [[0, 1, 2]])
    assert sum(measure(half).area for half in slice_mesh(Run(), single, cap=False)) == pytest.approx(3**0.5 / 2)


def test_open_meshes_are_cut_and_what_stays_open_is_said() -> None:
    run = Run()
    above, below = slice_mesh(run, grid(), axis="right (X)", share=0.3)
    assert measure(above).area == pytest.approx(0.7) and measure(below).area == pytest.approx(0.3)
    assert "stays open" in run.notes[0]
    with pytest.raises(BadInput, match="no faces"):
        slice_mesh(Run(), Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize("name", ["spot", "cow", "stanford-bunny", "suzanne", "teapot"])
def test_real_meshes(name: str) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    before = measure(mesh)
    for axis in AXES:
        halves = [half for half in slice_mesh(Run(), mesh, axis=axis, share=0.45)]
        if before.watertight:
            assert all(measure(half).watertight for half in halves)
            assert sum(measure(half).volume for half in halves) == pytest.approx(before.volume, rel=1e-5)
        bare = slice_mesh(Run(), mesh, axis=axis, share=0.45, cap=False)
        assert sum(measure(half).area for half in bare) == pytest.approx(before.area, rel=1e-5)
