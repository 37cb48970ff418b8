"""Every planted defect is gone after Repair, and all that was sound is there bit by bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_shapes import box, bumpy, gap, grid, moved, oracle, sphere, surface_points, together
from planted import DEFECTS, SOUND, Bed, NoRoom, coloured, face_rows
from scipy.spatial import cKDTree

from app.engine import BadInput, Cancelled, Mesh, Run
from app.engine.codec import digest, encode
from nodes.mesh._inside import winding
from nodes.mesh._measure import measure
from nodes.mesh.analyse import analyse
from nodes.mesh.repair import repair

PAIRS = "self-intersections (pairs of faces)"
RESTORED = set(DEFECTS) - {"holes", "caps"}
TOLD = {
    "holes": "holes filled",
    "flipped": "faces turned",
    "duplicates": "duplicate faces",
    "fins": "fins",
    "floaters": "small parts removed",
    "inside_out": "small parts removed",
    "touching": "small parts removed",
    "piercing": "small parts removed",
    "collapsed": "collapsed faces",
    "caps": "flat faces",
    "unused": "unused vertices",
    "slits": "border vertices joined",
}


def attributes(mesh: Mesh) -> tuple[str, ...]:
    return tuple(name for name in ("normals", "uv", "colours") if getattr(mesh, name) is not None)


def assert_healed(bed: Bed, mended: Mesh) -> None:
    names = attributes(bed.sound)
    missing = face_rows(replace(bed.sound, faces=bed.sound.faces[bed.kept]), *names) - face_rows(mended, *names)
    assert not missing, f"{missing.total()} sound faces changed"
    found = analyse(Run(), mended).report
    sound = analyse(Run(), bed.sound).report
    for row in ("parts", "watertight", "manifold", "genus", "boundary edges", "non-manifold edges", "duplicate faces"):
        assert found.value(row) == sound.value(row), row
    none = ("degenerate faces", "unused vertices", "flipped faces", "flipped parts", "non-manifold vertices", PAIRS)
    for row in none:
        assert found.value(row) == 0, row
    assert found.value("score (of 100)") == 100


@pytest.mark.parametrize("kind", DEFECTS)
@pytest.mark.parametrize("shape", SOUND)
def test_each_defect_goes_and_nothing_else_moves(shape: str, kind: str) -> None:
    bed = Bed(SOUND[shape](), seed=5)
    getattr(bed, kind)(4)
    run = Run()
    mended, report = repair(run, bed.mesh)
    assert_healed(bed, mended)
    if kind in TOLD:
        assert report.value(TOLD[kind]) == 4
        assert f"4 {TOLD[kind]}" in run.notes[0]
    if kind in RESTORED:
        assert face_rows(mended, *attributes(bed.sound)) == face_rows(bed.sound, *attributes(bed.sound))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(DEFECTS), st.integers(1, 3), min_size=2, max_size=6), st.integers(0, 99))
def test_any_mixture_is_healed(mixture: dict[str, int], seed: int) -> None:
    bed = Bed(SOUND["torus"](), seed)
    try:
        for kind, count in mixture.items():
            getattr(bed, kind)(count)
    except NoRoom:
        return
    assert_healed(bed, repair(Run(), bed.mesh).mesh)


@pytest.mark.parametrize("shape", SOUND)
def test_a_sound_mesh_comes_out_as_it_went_in(shape: str) -> None:
    mesh = SOUND[shape]()
    mended, report = repair(Run(), mesh)
    assert digest(encode(mended)) == digest(encode(mesh))
    assert report.value("faces as they were") == len(mesh.faces)


def test_same_input_same_bits_and_cancel() -> None:
    bed = Bed(SOUND["box with UVs"](), seed=1)
    for kind in ("holes", "fins", "caps", "slits", "flipped"):
        getattr(bed, kind)(2)
    once, twice = repair(Run(), bed.mesh), repair(Run(), bed.mesh)
    assert digest(encode(once.mesh)) == digest(encode(twice.mesh)) and once.report.rows == twice.report.rows
    for until in (0.1, 0.4, 0.7):
        run = Run()
        run.report = lambda fraction, _, run=run, until=until: fraction > until and run.stop.set()
        with pytest.raises(Cancelled):
            repair(run, bed.mesh)


def folded(mesh: Mesh, count: int) -> Mesh:
    """Around some places the vertices are shaken by more than an edge, so that faces cross."""
    rng = np.random.default_rng(8)
    vertices = mesh.vertices.copy()
    edge = float(np.linalg.norm(mesh.vertices[mesh.faces[0, 0]] - mesh.vertices[mesh.faces[0, 1]]))
    for centre in mesh.vertices[:: len(vertices) // count]:
        near = np.linalg.norm(mesh.vertices - centre, axis=1) < 1.5 * edge
        vertices[near] += rng.uniform(-1.6 * edge, 1.6 * edge, (int(near.sum()), 3)).astype(np.float32)
    return replace(mesh, vertices=vertices)


def test_folds_that_cross_are_taken_out() -> None:
    smooth = sphere(4)
    mesh = folded(smooth, 4)
    before = analyse(Run(), mesh).report.value(PAIRS)
    mended, report = repair(Run(), mesh)
    assert before > 5 and report.value("crossing pairs of faces mended") == before
    after = analyse(Run(), mended).report
    assert after.value(PAIRS) == 0 and after.value("watertight") and after.value("genus") == 0
    shaken = smooth.vertices[(mesh.vertices != smooth.vertices).any(axis=1)]
    centre = smooth.vertices[mesh.faces].mean(axis=1)
    far = np.linalg.norm(centre[:, None] - shaken[None], axis=2).min(axis=1) > 0.35
    assert far.mean() > 0.5 and not face_rows(replace(mesh, faces=mesh.faces[far])) - face_rows(mended)
    left = repair(Run(), mesh, self_intersections="leave").mesh
    assert analyse(Run(), left).report.value(PAIRS) == before


def test_bodies_through_each_other_stay_and_it_says_so() -> None:
    mesh = together(sphere(3), moved(sphere(3), 0.9, 0.05, 0.02))
    run = Run()
    mended, report = repair(run, mesh)
    assert face_rows(mended) == face_rows(mesh)
    assert report.value("pairs of faces that cross") == analyse(Run(), mesh).report.value(PAIRS) > 0
    assert any("still run through" in note and "voxel wrap" in note for note in run.notes)


def test_a_seam_with_corners_on_the_other_sides_edges_is_closed() -> None:
    """The halves of a box of different fineness, a little apart: T-junctions all along."""
    coarse, fine = trimesh.creation.box(), trimesh.creation.box().subdivide().subdivide()
    halves = []
    for shape, keep in ((coarse, 1), (fine, -1)):
        top = shape.triangles_center[:, 1] * keep > -0.499
        halves.append(Mesh.of(shape.vertices + np.array([0, keep * 0.500005, 0]), shape.faces[top]))
    mesh = together(*halves)
    mesh = replace(mesh, uv=mesh.vertices[:, :2].copy())
    run = Run()
    mended, report = repair(run, mesh, snap=0.002)
    shape = measure(mended)
    assert shape.watertight and shape.manifold and shape.parts == 1
    assert report.value("border edges split") == 4 and report.value("border vertices joined") >= 4
    assert report.value("holes filled") == 0
    assert shape.volume == pytest.approx(2, rel=1e-4)
    assert np.abs(mended.uv - mended.vertices[:, :2]).max() < 2e-5, "UVs are blended where an edge was split"


def test_non_manifold_faces_can_be_removed() -> None:
    mesh = together(box(), moved(box(), 1, 1, 0))
    apart = repair(Run(), mesh).report
    removed = repair(Run(), mesh, non_manifold="remove").report
    assert apart.value("non-manifold faces removed") == 0 and removed.value("non-manifold faces removed") == 4
    assert removed.value("watertight") and removed.value("manifold")


def test_only_the_largest_parts() -> None:
    mesh = together(sphere(2), moved(sphere(2, 0.5), 3, 0, 0), moved(sphere(2, 0.7), 6, 0, 0))
    mended, report = repair(Run(), mesh, largest_parts=2)
    assert report.value("small parts removed") == 1 and report.value("parts") == 2
    assert mended.vertices[:, 0].max() > 6


def test_an_open_dome_shows_its_outside() -> None:
    mesh = sphere(4)
    dome = Mesh.of(mesh.vertices, mesh.faces[mesh.vertices[mesh.faces][..., 1].min(axis=1) >= -1e-6])
    inward = replace(dome, faces=np.ascontiguousarray(dome.faces[:, ::-1]))
    mended, report = repair(Run(), inward, fill_holes=False)
    assert report.value("open parts turned to be seen") == 1
    assert face_rows(mended) == face_rows(dome)
    assert repair(Run(), dome, fill_holes=False).report.value("open parts turned to be seen") == 0
    assert repair(Run(), grid(4)).report.value("open parts turned to be seen") == 0


def test_winding_numbers() -> None:
    from nodes.mesh._bvh import build

    mesh = bumpy(4)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1.3, 1.3, (2_000, 3))
    tree = build(mesh.vertices, mesh.faces)
    found = winding(tree, points)
    far = cKDTree(surface_points(mesh, 50_000)[0]).query(points)[0] > 0.05
    assert np.abs(found - oracle(mesh).contains(points))[far].max() < 0.03
    sheet = grid(6)
    flat = winding(build(sheet.vertices, sheet.faces), np.array([[0, 1e-4, 0], [0, -1e-4, 0], [0, 900, 0]]))
    assert flat == pytest.approx([-0.5, 0.5, 0], abs=1e-3)


def test_voxel_wrap_of_a_wreck() -> None:
    """A third of the faces is lost and some are turned: the wrap is closed, near, and keeps the colours."""
    mesh = coloured(bumpy(5))
    rng = np.random.default_rng(3)
    faces = mesh.faces[rng.random(len(mesh.faces)) > 0.33]
    run = Run()
    mended, report = repair(run, replace(mesh, faces=faces), method="voxel wrap", wrap_detail=64, smallest_part=1)
    shape = measure(mended)
    assert shape.watertight and shape.manifold and shape.genus == 0 and report.value("watertight")
    assert shape.volume == pytest.approx(measure(mesh).volume, rel=0.02)
    assert gap(mesh, mended, 5_000) < 2 * 2.4 / 64
    assert analyse(Run(), mended).report.value(PAIRS) == 0
    assert np.abs(mended.colours - coloured(mended).colours).mean() < 0.05
    again = repair(Run(), replace(mesh, faces=faces), method="voxel wrap", wrap_detail=64, smallest_part=1).mesh
    assert digest(encode(again)) == digest(encode(mended))


def test_voxel_wrap_says_what_is_lost_and_when_there_is_nothing_inside() -> None:
    run = Run()
    wrapped = repair(run, SOUND["box with UVs"](), method="voxel wrap", wrap_detail=24).mesh
    assert wrapped.uv is None and any("UVs" in note for note in run.notes)
    assert measure(wrapped).volume == pytest.approx(1, rel=0.03)
    with pytest.raises(BadInput) as caught:
        repair(Run(), grid(4), method="voxel wrap", wrap_detail=24)
    assert "encloses nothing" in caught.value.message and caught.value.advice


def test_bunny_keeps_its_fur(shared: Path) -> None:
    """Five holes are filled; two of the new faces would cross old ones, so that a few of those go, too."""
    shape = trimesh.load(shared / "meshes" / "stanford-bunny.obj", force="mesh")
    mesh = Mesh.of(shape.vertices, shape.faces)
    mended, report = repair(Run(), mesh)
    assert report.value("holes filled") == 5 and report.value("watertight") and report.value("manifold")
    assert report.value("crossing pairs of faces mended") == 2 and report.value("pairs of faces that cross") == 0
    assert (face_rows(mesh) - face_rows(mended)).total() == len(mesh.faces) - report.value("faces as they were") < 20


def test_fins_from_the_rim_of_a_hole_are_not_taken_for_surface() -> None:
    """Long faces from edges at and beside holes to vertices elsewhere: all go, and no sound face with them."""
    mesh = sphere(4)
    bed = Bed(mesh, seed=4)
    bed.holes(6)
    holed = bed.mesh
    rng = np.random.default_rng(2)
    at_rim = np.isin(holed.faces, np.unique(mesh.faces[~bed.kept])).any(axis=1)
    roots = holed.faces[at_rim][::4]
    fins = np.stack([roots[:, 1], roots[:, 2], rng.choice(mesh.faces[bed.kept].ravel(), len(roots))], axis=1)
    mended, report = repair(Run(), replace(holed, faces=np.concatenate([holed.faces, fins]).astype(np.int32)))
    assert report.value("fins") == len(fins) > 15 and report.value("holes filled") == 6
    assert report.value("watertight") and report.value("manifold") and report.value("pairs of faces that cross") == 0
    assert not face_rows(replace(mesh, faces=mesh.faces[bed.kept])) - face_rows(mended)
    assert measure(mended).volume == pytest.approx(measure(mesh).volume, rel=0.01)
