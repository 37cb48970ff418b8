"""Alignment undoes a turn that was made by chance; sizes come out in the unit that was asked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, oracle, sphere, together, torus
from mesh_shapes import moved as shifted
from scipy.spatial.transform import Rotation

from app.engine import BadInput, Mesh, Report, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh import primitives
from nodes.mesh._principal import principal_axes, skewness
from nodes.mesh._rigid import Motion, least_turn, moved
from nodes.mesh.align import align
from nodes.mesh.set_size import METRES, TYPICAL, set_size

MESHES = Path(__file__).parents[3] / "shared" / "data" / "meshes"


def by_chance(seed: int) -> Motion:
    rng = np.random.default_rng(seed)
    return Motion(Rotation.random(random_state=seed).as_matrix(), rng.uniform(-2, 2, 3))


def matrix_of(report: Report) -> np.ndarray:
    return np.array([[float(n) for n in str(report.value(f"matrix row {k}")).split()] for k in range(1, 5)])


@cache
def odd_body() -> Mesh:
    """Closed, with three different tails."""
    mesh = bumpy(3)
    at = mesh.vertices * (1.0, 0.7, 0.4)
    at = at + 0.25 * np.maximum(mesh.vertices, 0) ** 2 * (1, 0.8, 0.6)
    return replace(mesh, vertices=at.astype(np.float32))


@pytest.mark.parametrize("by", ["principal axes", "smallest box"])
@pytest.mark.parametrize("seed", range(3))
def test_a_box_turned_by_chance_stands_straight_again(by: str, seed: int) -> None:
    solid = primitives.box(3.0, 2.0, 1.0)
    straight, report = align(Run(), moved(solid, by_chance(seed)), by=by, longest="y", shortest="x", place="centre")
    assert np.abs(np.abs(straight.vertices) - (0.5, 1.5, 1.0)).max() < 1e-5
    assert oracle(straight).volume == pytest.approx(6.0, rel=1e-5)
    assert np.abs(np.abs(straight.normals).max(axis=1) - 1).max() < 1e-5
    assert report.value("height (m)") == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize("by", ["principal axes", "smallest box"])
def test_a_body_comes_out_the_same_however_it_lay(by: str) -> None:
    body = odd_body()
    one = align(Run(), body, by=by).mesh
    assert one.vertices[:, 1].min() == pytest.approx(0, abs=1e-6)
    for seed in range(3):
        other, report = align(Run(), moved(body, by_chance(seed)), by=by)
        assert np.abs(other.vertices - one.vertices).max() < 1e-4
        there = moved(body, by_chance(seed)).vertices.astype(np.float64)
        matrix = matrix_of(report)
        assert np.abs(there @ matrix[:3, :3].T + matrix[:3, 3] - other.vertices).max() < 1e-5
        assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)


def test_moments_are_those_of_a_finer_sampling() -> None:
    body = odd_body()
    from mesh_shapes import surface_points

    points = surface_points(body, 400_000)[0]
    axes = principal_axes(body.vertices, body.faces)
    centre = points.mean(axis=0)
    along = (points - centre) @ axes.T
    mine = skewness(body.vertices, body.faces, centre, axes)
    assert mine == pytest.approx((along**3).mean(axis=0) / (along**2).mean(axis=0) ** 1.5, abs=0.01)
    assert np.abs(np.corrcoef(along.T) - np.eye(3)).max() < 0.01


def test_it_lies_down_on_its_flattest_stable_side() -> None:
    tower = primitives.cone(radius=0.6, height=1.0, top_radius=0.5)
    flat = align(Run(), moved(tower, by_chance(1)), by="flattest side").mesh
    low = flat.vertices[:, 1] < 1e-5
    assert np.linalg.norm(flat.vertices[low][:, [0, 2]], axis=1).max() == pytest.approx(0.6, abs=1e-4)
    tall = primitives.box(0.1, 3.0, 1.0)
    lying = align(Run(), tall, by="flattest side").mesh
    assert np.ptp(lying.vertices, axis=0)[1] == pytest.approx(0.1, abs=1e-6)
    already = align(Run(), primitives.box(2, 1, 2), by="flattest side", place="keep")
    assert already.report.value("turned by (°)") == 0


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_onto_itself_it_comes_back(share: float) -> None:
    body = odd_body()
    for seed in range(2):
        back, report = align(Run(), moved(body, by_chance(seed)), body, overlap=share)
        assert np.abs(back.vertices - body.vertices).max() < 1e-4
        assert report.value("apart, mean of what overlaps (% of size)") < 0.001


def test_a_piece_is_laid_onto_the_whole_from_near_and_sizes_are_matched() -> None:
    body = odd_body()
    piece = replace(body, faces=body.faces[body.vertices[body.faces][:, :, 0].mean(axis=1) > 0.1])
    nudge = Motion(Rotation.from_rotvec([0.1, -0.15, 0.12]).as_matrix(), np.array([0.05, 0.02, -0.04]))
    back = align(Run(), moved(piece, nudge), body, start="as placed", overlap=1.0).mesh
    used = np.unique(piece.faces)
    assert np.abs(back.vertices[used] - body.vertices[used]).max() < 1e-3
    extra = together(body, shifted(sphere(2, 0.3), 3, 0, 0))
    kept = align(Run(), moved(extra, nudge), body, start="as placed", overlap=0.7).mesh
    assert np.abs(kept.vertices[: len(body.vertices)] - body.vertices).max() < 1e-3
    small = moved(body, Motion(by_chance(4).turn, np.ones(3), 0.37))
    grown, report = align(Run(), small, body, match_size=True, overlap=1.0)
    assert np.abs(grown.vertices - body.vertices).max() < 1e-3
    assert report.value("scaled by") == pytest.approx(1 / 0.37, rel=1e-3)


def test_places() -> None:
    body = shifted(odd_body(), 5, 6, 7)
    centred = align(Run(), body, by="nothing", place="centre").mesh
    assert np.abs(centred.vertices.min(axis=0) + centred.vertices.max(axis=0)).max() < 1e-5
    weighed = align(Run(), body, by="nothing", place="centre of mass").mesh
    assert np.abs(oracle(weighed).center_mass).max() < 1e-5
    assert align(Run(), body, by="nothing", place="keep").mesh is body
    with pytest.raises(BadInput):
        align(Run(), body, longest="x", shortest="x")
    sheet = align(Run(), moved(grid(4), by_chance(2)), shortest="y").mesh
    assert np.abs(sheet.vertices[:, 1]).max() < 1e-6


def test_the_least_turn_and_motions() -> None:
    rng = np.random.default_rng(0)
    for start, end in [*rng.normal(size=(20, 2, 3)), (np.eye(3)[1], -np.eye(3)[1])]:
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        turn = least_turn(start, end)
        assert turn @ start == pytest.approx(end, abs=1e-9) and np.linalg.det(turn) == pytest.approx(1)
        assert np.trace(turn) == pytest.approx(1 + 2 * start @ end, abs=1e-9)
    points = rng.normal(size=(9, 3))
    one, two = Motion(by_chance(0).turn, np.ones(3), 2.0), by_chance(1)
    assert one.then(two).of(points) == pytest.approx(two.of(one.of(points)))
    assert one.back.of(one.of(points)) == pytest.approx(points)


@pytest.mark.parametrize("name", ["spot.obj", "cow.obj", "teapot.obj"])
def test_real_meshes(name: str) -> None:
    if not (MESHES / name).is_file():
        pytest.skip("the sample meshes are not here")
    mesh = load_mesh(Run(), MESHES / name)
    size = np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    back = align(Run(), moved(mesh, by_chance(3)), mesh).mesh
    assert np.abs(back.vertices - mesh.vertices).max() < 1e-4 * size
    one, two = (align(Run(), moved(mesh, by_chance(seed))).mesh for seed in (4, 5))
    assert np.abs(np.sort(one.vertices, axis=0) - np.sort(two.vertices, axis=0)).max() < 1e-3 * size


@pytest.mark.parametrize("unit", METRES)
def test_a_size_is_reached_in_its_unit(unit: str) -> None:
    body = shifted(odd_body(), 1, 2, 3)
    done, report = set_size(Run(), body, size=12.5, unit=unit, along="height")
    assert np.ptp(done.vertices[:, 1].astype(np.float64)) == pytest.approx(12.5 * METRES[unit], rel=1e-5)
    assert done.vertices[:, 1].min() == pytest.approx(body.vertices[:, 1].min(), abs=1e-5)
    assert report.value("height (cm)") == pytest.approx(1250 * METRES[unit], rel=1e-5)
    ratio = np.ptp(done.vertices, axis=0) / np.ptp(body.vertices, axis=0)
    assert np.ptp(ratio) < 1e-4 * ratio[0]


def test_units_kinds_and_fixed_points() -> None:
    ring = torus()
    read, report = set_size(Run(), ring, "unit of the file", unit="mm", keep="origin")
    assert np.allclose(read.vertices, ring.vertices / 1000) and report.value("scaled by") == 0.001
    for thing, (metres, along) in TYPICAL.items():
        extent = np.ptp(set_size(Run(), box(), "kind of thing", thing=thing).mesh.vertices, axis=0)
        assert extent[1 if along == "height" else 0] == pytest.approx(metres, rel=1e-6)
    middle = set_size(Run(), shifted(box(), 3, 0, 0), size=4, keep="centre").mesh.vertices
    assert (middle.min(axis=0) + middle.max(axis=0)) / 2 == pytest.approx([3, 0, 0])
    assert set_size(Run(), box(), size=np.sqrt(3), along="diagonal").report.value("scaled by") == pytest.approx(1)


def test_sizes_that_no_thing_has_are_said() -> None:
    run = Run()
    set_size(run, box(), size=0.5, unit="mm")
    set_size(run, box(), size=900)
    set_size(run, primitives.box(3, 1, 1), "kind of thing", thing="person")
    assert [("unit" in note, "upright" in note) for note in run.notes] == [(True, False), (True, False), (False, True)]
    with pytest.raises(BadInput) as caught:
        set_size(Run(), grid(2), along="height")
    assert "flat" in caught.value.message
