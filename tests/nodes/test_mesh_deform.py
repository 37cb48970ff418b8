"""Bend, twist and taper move every point and every normal as the formulas say, and open no crack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import oracle, uv_turns

from app.engine import BadInput, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._topology import collapsed, edges_of, joined, parts, weld_points
from nodes.mesh.bend import bend
from nodes.mesh.lattice import lattice
from nodes.mesh.primitives import box, cylinder, sphere, torus
from nodes.mesh.taper import taper
from nodes.mesh.twist import twist

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
Change = Callable[[Mesh], Mesh]
CHANGES: dict[str, Change] = {
    "bend": lambda m: bend(Run(), m, 120, "y", 30, 0.1, 0.8, "middle", 0),
    "bend along x": lambda m: bend(Run(), m, -70, "x", 45, pieces=0),
    "twist": lambda m: twist(Run(), m, 200, "y", 0.2, 0.9, pieces=0),
    "twist along z": lambda m: twist(Run(), m, -90, "z", still="end", pieces=0),
    "taper": lambda m: taper(Run(), m, 0.3, 0.4, "y", "both", 0.1, 0.9, pieces=0),
    "taper along x": lambda m: taper(Run(), m, 2.0, -0.3, "x", "second", still="middle", pieces=0),
}


def surface_normals(change: Change, mesh: Mesh) -> np.ndarray:
    """Normals of the changed surface by finite differences: two points beside each vertex, in its tangent plane."""
    at, normals = mesh.vertices.astype(np.float64), mesh.normals.astype(np.float64)
    one = np.cross(normals, np.eye(3)[np.abs(normals).argmin(axis=1)])
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two, step = np.cross(normals, one), 2e-3
    # The box of the mesh must stay the same, so its corners go along.
    corners = np.stack(mesh.bounds).astype(np.float64)
    beside = [at + sign * step * way for way in (one, two) for sign in (1, -1)]
    n = len(at)
    cloud = np.concatenate([*beside, corners])
    inside = np.clip(cloud, corners[0], corners[1])
    faces = np.arange(len(cloud) // 3 * 3).reshape(-1, 3)
    faces = np.concatenate([faces, [[4 * n, 4 * n + 1, 0]]])
    moved = change(Mesh.of(inside, faces)).vertices.astype(np.float64)
    normal = np.cross(moved[:n] - moved[n : 2 * n], moved[2 * n : 3 * n] - moved[3 * n : 4 * n])
    good = (inside[: 4 * n] == cloud[: 4 * n]).reshape(4, n, 3).all(axis=(0, 2))
    normal[~good] = np.nan
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


@pytest.mark.parametrize("name", CHANGES)
def test_normals_are_those_of_the_changed_surface(name: str) -> None:
    mesh = torus(0.5, 0.2, 60, 40)
    mesh = replace(mesh, vertices=mesh.vertices * np.float32([1, 2, 1]))
    stretched = mesh.normals * np.float32([1, 0.5, 1])
    mesh = replace(mesh, normals=(stretched / np.linalg.norm(stretched, axis=1, keepdims=True)).astype(np.float32))
    change = CHANGES[name]
    expected, got = surface_normals(change, mesh), change(mesh).normals
    off = np.linalg.norm(expected - got, axis=1)
    off = off[np.isfinite(off)]
    assert len(off) > 0.9 * len(mesh.vertices)
    # Within a step of a limit the differences straddle it, where the twist's and taper's surface has a kink.
    assert np.quantile(off, 0.9) < 1e-3 and np.median(off) < 3e-4


def test_a_bent_bar_is_an_arc_with_the_volume_of_pappus() -> None:
    bar = box(0.2, 2.0, 0.3)
    ring = bend(Run(), bar, 90, pieces=256)
    solid = oracle(ring)
    assert solid.is_watertight and solid.euler_number == 2
    assert solid.volume == pytest.approx(0.2 * 0.3 * 2.0, rel=1e-4)
    radius = 2.0 / (np.pi / 2)
    away = np.hypot(ring.vertices[:, 0] - radius, ring.vertices[:, 1] + 1)
    assert away.min() == pytest.approx(radius - 0.1, abs=1e-5) and away.max() == pytest.approx(radius + 0.1, abs=1e-5)


@pytest.mark.parametrize("still", ["start", "middle", "end"])
def test_beyond_the_limits_a_bend_is_rigid_and_the_still_part_stays(still: str) -> None:
    bar = cylinder(0.1, 3.0, 12, 30)
    bent = bend(Run(), bar, 60, "y", 0, 1 / 3, 2 / 3, still, 0)
    low, high = bar.vertices[:, 1] < -0.51, bar.vertices[:, 1] > 0.51
    for part in (low, high):
        before, after = bar.vertices[part].astype(np.float64), bent.vertices[part].astype(np.float64)
        gaps = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in (before, after)]
        assert np.allclose(*gaps, atol=2e-6)
    same = {"start": low, "end": high, "middle": np.zeros(len(low), bool)}[still]
    assert np.allclose(bent.vertices[same], bar.vertices[same], atol=1e-6)
    heads = [bent.normals[low & (bar.normals[:, 1] < -0.9)], bent.normals[high & (bar.normals[:, 1] > 0.9)]]
    assert -heads[0][0] @ heads[1][0] == pytest.approx(np.cos(np.pi / 3), abs=1e-6)


def test_a_full_turn_closes_a_bar_to_a_ring() -> None:
    ring = bend(Run(), box(0.2, 2 * np.pi, 0.2), 360, pieces=360)
    assert oracle(ring).volume == pytest.approx(2 * np.pi * 0.04, rel=1e-3)
    low, high = ring.bounds
    assert np.allclose(high - low, [2.2, 2.2, 0.2], atol=1e-3)


def test_a_twist_keeps_the_volume_the_better_the_finer() -> None:
    bars = [twist(Run(), box(0.4, 2.0, 0.4, pieces=n), 180, pieces=0) for n in (8, 16, 32, 64)]
    off = [abs(oracle(bar).volume / (0.16 * 2.0) - 1) for bar in bars]
    assert all(3.5 < coarse / fine < 4.5 for coarse, fine in pairwise(off)) and off[-1] < 1e-3
    assert oracle(twist(Run(), box(0.4, 2.0, 0.4), 180)).is_watertight


def test_a_taper_to_a_tip_is_a_pyramid_and_a_bulge_is_wider_in_the_middle() -> None:
    tip = oracle(taper(Run(), box(), 0.0))
    assert tip.is_watertight and tip.area_faces.min() > 0
    assert tip.volume == pytest.approx(1 / 3, rel=1e-4)
    both = taper(Run(), box(), 0.5)
    assert oracle(both).volume == pytest.approx((1 + 0.5 + 0.25) / 3, rel=1e-4)
    fuller = taper(Run(), box(), 1.0, 0.5)
    assert np.allclose(fuller.bounds[1], [0.75, 0.5, 0.75], atol=1e-6)
    one_way = taper(Run(), box(), 2.0, across="first")
    assert np.allclose(one_way.bounds[1], [1.0, 0.5, 0.5], atol=1e-6)


def test_long_faces_are_cut_at_seams_alike_and_carry_everything() -> None:
    colours = np.random.default_rng(0).random((24, 4)).astype(np.float32)
    plain = replace(box(), colours=colours, face_groups=np.arange(12, dtype=np.int32))
    got = twist(Run(), plain, 90, pieces=10)
    assert oracle(got).is_watertight and len(got.faces) > 100
    assert got.uv.min() >= plain.uv.min() and got.uv.max() <= plain.uv.max()
    assert set(got.face_groups.tolist()) == set(range(12))
    assert len(twist(Run(), plain, 90, pieces=0).faces) == 12
    flat = twist(Run(), plain, 0.0, pieces=10)
    assert oracle(flat).area == pytest.approx(6, rel=1e-6)
    assert uv_turns(flat).min() > 0
    assert uv_turns(flat).sum() == pytest.approx(uv_turns(plain).sum())


def test_hard_edges_stay_hard_and_the_caps_flat() -> None:
    got = bend(Run(), box(0.2, 1, 0.2), 90)
    top = got.vertices[:, 0] > 0.5
    assert np.allclose(np.abs(got.normals).max(axis=1)[np.abs(got.normals[:, 2]) > 0.5], 1, atol=1e-5)
    assert top.any() and {tuple(n) for n in np.round(got.normals[top] + 0.0, 3).tolist()} >= {(1.0, 0.0, 0.0)}


def test_a_real_mesh_stays_closed_under_a_bend() -> None:
    if not (REAL / "spot.obj").exists():
        pytest.skip("the shared meshes are not here")
    cow = load_mesh(Run(), REAL / "spot.obj")
    cow = cow.mesh if hasattr(cow, "mesh") else cow
    bent = bend(Run(), cow, 60, "z", pieces=64)
    assert oracle(bent).is_watertight == oracle(cow).is_watertight
    assert oracle(bent).volume == pytest.approx(oracle(cow).volume, rel=0.08)
    assert bent.material is cow.material and bent.uv.min() >= cow.uv.min()


@pytest.mark.parametrize("name", ["stanford-bunny", "cow", "suzanne", "teapot", "spot"])
def test_no_real_mesh_gets_a_crack_or_a_new_border(name: str) -> None:
    if not (REAL / f"{name}.obj").exists():
        pytest.skip("the shared meshes are not here")
    mesh = load_mesh(Run(), REAL / f"{name}.obj")
    tall = float(np.ptp(mesh.vertices[:, 1]))
    for made in (
        bend(Run(), mesh, 100, pieces=40),
        twist(Run(), mesh, 150, "x", pieces=40),
        taper(Run(), mesh, 0.5, 0.2, pieces=40),
        lattice(Run(), mesh, top_width=0.6, lean_right=0.3, pieces=20),
    ):
        assert counted(made) == counted(mesh)
        assert 0.2 * tall < float(np.ptp(made.vertices, axis=0).max()) < 10 * tall
        assert made.normals is None or np.allclose(np.linalg.norm(made.normals, axis=1), 1, atol=1e-4)


def counted(mesh: Mesh) -> tuple[int, int, int]:
    """Euler number over welded vertices where every edge has one face or two, parts, and rims (chains of borders)."""
    faces = weld_points(mesh.vertices).ids[mesh.faces]
    faces = faces[~collapsed(faces)]
    edges = edges_of(faces)
    rim = edges.ends[edges.boundary]
    names, ends = np.unique(rim, return_inverse=True)
    rims = joined(len(names), ends.reshape(-1, 2).astype(np.int32))[0]
    euler = 0 if edges.crowded.any() else len(np.unique(faces)) - len(edges.ends) + len(faces)
    return euler, parts(faces, edges)[0], rims


def test_what_is_wrong_is_said() -> None:
    run = Run()
    bend(run, box(1, 1, 1), 300, pieces=8)
    assert any("folds over" in note for note in run.notes)
    with pytest.raises(BadInput, match="flat along Y"):
        twist(Run(), Mesh.of([[0, 0, 0], [1, 0, 0], [0, 0, 1]], [[0, 2, 1]]))
    with pytest.raises(BadInput, match="limits"):
        taper(Run(), sphere(), start=0.5, end=0.5)


def test_an_unpulled_lattice_changes_nothing_and_a_scaled_one_is_affine() -> None:
    mesh = torus()
    same = lattice(Run(), mesh, pieces=0)
    assert np.allclose(same.vertices, mesh.vertices, atol=1e-6) and np.allclose(same.normals, mesh.normals, atol=1e-5)
    got = lattice(Run(), box(1, 2, 3), pulls="all: scale 2 0.5 1\nall: move 1 0 0", pieces=0)
    assert np.allclose(got.bounds, [[0, -0.5, -1.5], [2, 0.5, 1.5]], atol=1e-6)
    lean = lattice(Run(), box(), lean_right=0.5, pieces=8)
    assert oracle(lean).volume == pytest.approx(1, rel=1e-6) and oracle(lean).is_watertight


def test_named_places_go_where_they_are_told() -> None:
    cube = box(2, 4, 6, pieces=2)
    got = lattice(Run(), cube, pulls="top front left: 0.1 0.2 0.3\nwaist right: scale 1 1 0.5  # slimmer", pieces=0)
    moved = got.vertices - cube.vertices
    corner = (cube.vertices == [-1, 2, 3]).all(axis=1)
    assert np.allclose(moved[corner], [0.2, 0.8, 1.8], atol=1e-6)
    right = (cube.vertices[:, 0] == 1) & (cube.vertices[:, 1] == 0)
    assert np.allclose(moved[right][:, 2], -cube.vertices[right][:, 2] / 2, atol=1e-6)
    assert np.allclose(moved[~corner & ~right], 0, atol=1e-6)
    tent = oracle(lattice(Run(), cube, top_width=0.0, pieces=4))
    assert tent.is_watertight and tent.area_faces.min() > 0
    bulged = lattice(Run(), cube, middle_width=1.5, pieces=0)
    assert np.allclose(bulged.bounds[1], [1.5, 2, 4.5], atol=1e-6)
    turned = lattice(Run(), cube, pulls="top: turn 90", pieces=0)
    assert np.allclose(turned.vertices[corner], [3, 2, 1], atol=1e-5)


def test_lattice_normals_are_those_of_the_changed_surface() -> None:
    def change(mesh: Mesh) -> Mesh:
        text = "top front left: 0.2 0.1 0.3\ntop: turn 25\nright: scale 0.7"
        return lattice(Run(), mesh, None, 0.6, 1.3, 1.1, 1.2, 0.3, -0.2, 0.1, 0.2, text, 0)

    mesh = torus(0.5, 0.2, 60, 40)
    off = np.linalg.norm(surface_normals(change, mesh) - change(mesh).normals, axis=1)
    assert np.nanmax(off) < 1e-3


def test_meshes_in_one_box_deform_alike() -> None:
    body, hat = sphere(0.5), box(0.2, 0.1, 0.2, pieces=4)
    both = lattice(Run(), body, top_width=0.4, lean_right=0.3, pieces=0)
    hat = replace(hat, vertices=(hat.vertices + np.float32([0, 0.45, 0])))
    on = lattice(Run(), hat, body, top_width=0.4, lean_right=0.3, pieces=0)
    assert both.vertices[body.vertices[:, 1] > 0.499].mean(axis=0)[0] == pytest.approx(0.3, abs=0.01)
    assert on.vertices[:, 0].mean() == pytest.approx(0.27, abs=0.02)


@pytest.mark.parametrize("text", ["nowhere: 1 2 3", "top: 1 2", "top: fly 3", "top bottom: 0 0 1", "top: scale nan"])
def test_pulls_that_cannot_be_read_are_named_by_line(text: str) -> None:
    with pytest.raises(BadInput, match="Line 2"):
        lattice(Run(), box(), pulls=f"\n{text}")
    run = Run()
    lattice(run, box(), pulls="top: move 0 -3 0")
    assert any("folds over" in note for note in run.notes)
