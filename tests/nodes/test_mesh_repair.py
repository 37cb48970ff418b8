"""A closed mesh is damaged in known ways; Repair has to bring it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, bumpy, gap, grid, moebius, moved, oracle, sphere, together, torus

from app.engine import BadInput, Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh.repair import repair


def damaged(mesh: Mesh, seed: int = 1) -> Mesh:
    """Twelve holes, one face in a hundred turned, duplicates, fins to random vertices, loose triangles far away."""
    rng = np.random.default_rng(seed)
    faces = mesh.faces
    centre = mesh.vertices[faces].mean(axis=1)
    keep = np.ones(len(faces), bool)
    for c in rng.choice(len(faces), 12, replace=False):
        keep[np.linalg.norm(centre - centre[c], axis=1) < 0.12] = False
    faces = faces[keep].copy()
    turned = rng.random(len(faces)) < 0.01
    faces[turned] = faces[turned][:, ::-1]
    fins = np.stack([faces[100:130, 0], faces[100:130, 1], rng.integers(0, len(mesh.vertices), 30)], axis=1)
    crumbs = (mesh.vertices[mesh.faces[:4]] + 0.3).reshape(-1, 3)
    loose = np.arange(12).reshape(4, 3) + len(mesh.vertices)
    return Mesh.of(np.concatenate([mesh.vertices, crumbs]), np.concatenate([faces, faces[:50], fins, loose]))


def assert_sound(mesh: Mesh) -> None:
    shape = measure(mesh)
    assert shape.watertight and shape.manifold and shape.duplicate == 0
    seen = oracle(mesh)
    assert seen.is_watertight and seen.is_winding_consistent and seen.is_volume


@pytest.mark.parametrize("mesh", [bumpy(5), torus()], ids=["bumpy", "torus"])
def test_damaged_mesh_comes_back(mesh: Mesh) -> None:
    run = Run()
    mended, report = repair(run, damaged(mesh), smallest_part=1.0)
    assert_sound(mended)
    was, now = measure(mesh), measure(mended)
    assert now.genus == was.genus and now.parts == was.parts
    assert now.volume == pytest.approx(was.volume, rel=0.02)
    assert report.value("duplicate faces") == 50 and report.value("small parts removed") >= 1
    assert report.value("fins") >= 20 and report.value("holes filled") >= 1
    assert gap(mesh, mended) < 0.08
    assert "holes filled" in run.notes[0]


def test_sound_mesh_is_left_alone() -> None:
    mesh = bumpy(4)
    run = Run()
    mended = repair(run, mesh).mesh
    assert np.array_equal(mended.faces[:, [0, 1, 2]], mended.faces)
    assert np.array_equal(mesh.vertices[mesh.faces], mended.vertices[mended.faces])
    assert run.notes == ["Nothing to mend."]


def test_positions_that_are_not_finite() -> None:
    mesh = sphere(3)
    broken = mesh.vertices.copy()
    broken[[5, 80]] = np.nan
    broken[200] = np.inf
    mended, report = repair(Run(), replace(mesh, vertices=broken))
    assert_sound(mended)
    assert report.value("faces with invalid positions") == np.isin(mesh.faces, [5, 80, 200]).any(axis=1).sum()
    assert measure(mended).volume == pytest.approx(measure(mesh).volume, rel=0.02)


def test_hole_with_an_edge_across_it_stays_manifold() -> None:
    """A strip of two triangles between two holes: their rims may not both be bridged by the same new edge."""
    mesh = sphere(3)
    around = np.flatnonzero((mesh.faces == 0).any(axis=1))
    mended = repair(Run(), Mesh.of(mesh.vertices, np.delete(mesh.faces, around[::2], axis=0))).mesh
    assert_sound(mended)


def test_touching_boxes_are_cut_apart() -> None:
    for step in ((1, 1, 0), (1, 1, 1)):
        mended = repair(Run(), together(box(), moved(box(), *step))).mesh
        shape = oracle(mended)
        assert shape.volume == pytest.approx(2, rel=1e-4)
        assert measure(mended).crossed == 0
        assert mended.faces.shape == (24, 3)


def test_everything_inside_out_is_turned() -> None:
    mesh = sphere(3)
    inside_out = replace(mesh, faces=np.ascontiguousarray(mesh.faces[:, ::-1]))
    assert measure(repair(Run(), inside_out).mesh).volume == pytest.approx(measure(mesh).volume, rel=1e-6)


def test_hollow_ball_keeps_its_inner_wall() -> None:
    inner = sphere(3, radius=0.5)
    hollow = together(sphere(3), replace(inner, faces=np.ascontiguousarray(inner.faces[:, ::-1])))
    assert measure(repair(Run(), hollow).mesh).volume == pytest.approx(measure(hollow).volume, rel=1e-6)


def test_flat_hole_in_a_plane_side_is_filled_exactly() -> None:
    """The open top of a finely divided box: the filling is flat, so the volume is exact."""
    import trimesh

    shape = trimesh.creation.box().subdivide().subdivide()
    top = shape.triangles_center[:, 1] > 0.499
    mended = repair(Run(), Mesh.of(shape.vertices, shape.faces[~top])).mesh
    assert_sound(mended)
    assert measure(mended).volume == pytest.approx(1, rel=1e-6)
    assert measure(mended).area == pytest.approx(6, rel=1e-6)


def test_long_rim() -> None:
    """Half a fine sphere has a rim of hundreds of edges; the lid is flat."""
    mesh = sphere(6)
    half = Mesh.of(mesh.vertices, mesh.faces[mesh.vertices[mesh.faces][..., 1].min(axis=1) >= -1e-6])
    mended, report = repair(Run(), half)
    assert_sound(mended)
    assert report.value("holes filled") == 1
    assert measure(mended).area == pytest.approx(3 * np.pi, rel=0.01)


def test_moebius_strip_ends_two_sided() -> None:
    mended = repair(Run(), moebius()).mesh
    assert measure(mended).crossed == 0 and measure(mended).manifold


def test_open_sheet_stays_open_and_says_so() -> None:
    run = Run()
    mended, report = repair(run, grid(4))
    assert len(mended.faces) == 32
    assert report.value("flat sheets left open") == 1
    assert any("not watertight" in note for note in run.notes)


def test_open_triangle_is_left_as_it_is() -> None:
    run, alone = Run(), Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    mended, report = repair(run, alone)
    assert mended is alone
    assert (report.value("holes filled"), report.value("flat sheets left open")) == (0, 1)
    assert run.notes[0] == "Nothing to mend." and "1 flat sheet stays open" in run.notes[1]


def test_hole_in_a_flat_sheet_is_filled_and_its_border_is_not() -> None:
    """Two sheets, one of them without its middle: it is whole again, without slivers, and neither gets a back."""
    whole = grid(6)
    at = whole.vertices[whole.faces].mean(axis=1)
    ring = Mesh.of(whole.vertices, whole.faces[np.abs(at - at.mean(axis=0)).max(axis=1) > np.ptp(at, axis=0).max() / 5])
    run = Run()
    mended, report = repair(run, together(ring, moved(whole, (0, 3, 0))))
    assert (report.value("holes filled"), report.value("flat sheets left open")) == (1, 2)
    assert measure(mended).area == pytest.approx(2 * measure(whole).area, rel=1e-6)
    assert measure(mended).boundary_edges == 2 * measure(whole).boundary_edges
    assert report.value("pairs of faces that cross") == 0 == measure(mended).degenerate


def test_flattened_tube_keeps_no_filling() -> None:
    tube = Mesh.of(
        [[0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 2, 0], [1, 2, 0], [1, 2, 0], [0, 2, 0]],
        [[0, 1, 5], [0, 5, 4], [2, 3, 7], [2, 7, 6], [1, 2, 6], [1, 6, 5], [3, 0, 4], [3, 4, 7]],
    )
    mended, report = repair(Run(), tube)
    assert report.value("holes filled") == 0 and len(mended.faces) <= 4


def test_uv_and_colours_stay_with_their_faces() -> None:
    mesh = grid(6)
    coloured = replace(mesh, colours=np.random.default_rng(0).random((len(mesh.vertices), 4)).astype(np.float32))
    holed = replace(coloured, faces=np.delete(mesh.faces, [30, 31], axis=0))
    mended = repair(Run(), holed, fill_holes=False).mesh
    assert np.array_equal(mended.uv[mended.faces], holed.uv[holed.faces])
    assert np.array_equal(mended.colours[mended.faces], holed.colours[holed.faces])


def test_large_holes_can_be_left_open() -> None:
    mesh = sphere(4)
    low = mesh.vertices[mesh.faces][..., 1].max(axis=1) < -0.5
    open_below = Mesh.of(mesh.vertices, np.delete(mesh.faces[~low], [0], axis=0))
    _, report = repair(Run(), open_below, largest_hole=20.0)
    assert (report.value("holes filled"), report.value("holes left open")) == (1, 1)


def test_welding_closes_cracks() -> None:
    mesh = sphere(3)
    rng = np.random.default_rng(0)
    apart = mesh.vertices[mesh.faces.ravel()] + rng.uniform(-1e-4, 1e-4, (mesh.faces.size, 3)).astype(np.float32)
    mended = repair(Run(), Mesh.of(apart, np.arange(mesh.faces.size).reshape(-1, 3)), weld=0.05).mesh
    assert_sound(mended)
    assert len(mended.faces) == len(mesh.faces)


@pytest.mark.parametrize("name", ["stanford-bunny", "suzanne", "teapot", "cow", "spot"])
def test_known_models(shared: Path, name: str) -> None:
    import trimesh

    shape = trimesh.load(shared / "meshes" / f"{name}.obj", force="mesh")
    mesh = Mesh.of(shape.vertices, shape.faces)
    mended = repair(Run(), mesh).mesh
    assert_sound(mended)
    assert gap(mesh, mended, 2_000) < 0.35 * float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))


def test_nothing_usable() -> None:
    for mesh in (Mesh.of([[0, 0, 0]], np.zeros((0, 3))), Mesh.of(np.full((3, 3), np.nan), [[0, 1, 2]])):
        with pytest.raises(BadInput) as caught:
            repair(Run(), mesh)
        assert caught.value.advice
