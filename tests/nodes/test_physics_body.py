"""Mass against formulas of analytic solids; standing against what geometry says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moved, of, sphere, together

from app.engine import BadInput, Mesh, Run
from nodes.mesh.primitives import box as box_node
from nodes.mesh.primitives import cylinder, torus
from nodes.physics._body import DENSITIES
from nodes.physics._stable import sides_of
from nodes.physics.mass import mass
from nodes.physics.stands import stands


def turned(mesh: Mesh, degrees: float, axis: tuple[float, float, float]) -> Mesh:
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(np.radians(degrees) * np.array(axis)).as_matrix()
    return Mesh.of(mesh.vertices.astype(np.float64) @ turn.T, mesh.faces)


def inertia(report: object) -> np.ndarray:
    value = report.value  # type: ignore[attr-defined]
    xx, yy, zz, xy, yz, zx = (value(f"inertia {n} (kg m²)") for n in ("xx", "yy", "zz", "xy", "yz", "zx"))
    return np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]])


def test_a_steel_box_has_the_mass_and_inertia_of_the_formula() -> None:
    w, h, d = 0.2, 0.5, 0.3
    found = mass(Run(), moved(box_node(w, h, d), 3, -2, 1), "steel")
    kilos = 7850 * w * h * d
    assert found.mass.value == pytest.approx(kilos, rel=1e-5) and found.volume.value == pytest.approx(
        w * h * d, rel=1e-5
    )
    expected = kilos / 12 * np.diag([h * h + d * d, w * w + d * d, w * w + h * h])
    assert np.abs(inertia(found.report) - expected).max() < 1e-5 * expected.max()
    assert [found.report.value(f"centre of mass {a} (m)") for a in "xyz"] == pytest.approx([3, -2, 1], abs=1e-6)


def test_round_solids_are_within_a_thousandth_of_their_formulas() -> None:
    """Fine enough that the triangles themselves are that near to the round shape."""
    r, h, t = 0.4, 1.2, 0.15
    rod = mass(Run(), cylinder(r, h, 256), "own", 1000.0)
    kilos = 1000 * np.pi * r * r * h
    side = kilos * (3 * r * r + h * h) / 12
    assert rod.mass.value == pytest.approx(kilos, rel=1e-3)
    assert np.diag(inertia(rod.report)) == pytest.approx([side, kilos * r * r / 2, side], rel=1e-3)
    ball = mass(Run(), sphere(6, 0.5), "water")
    kilos = 1000 * 4 / 3 * np.pi * 0.125
    assert ball.mass.value == pytest.approx(kilos, rel=1e-3)
    assert np.diag(inertia(ball.report)) == pytest.approx([0.4 * kilos * 0.25] * 3, rel=1e-3)
    ring = mass(Run(), torus(r, t, 256, 192), "own", 1000.0)
    kilos = 1000 * 2 * np.pi**2 * r * t * t
    assert ring.mass.value == pytest.approx(kilos, rel=1e-3)
    assert inertia(ring.report)[1, 1] == pytest.approx(kilos * (r * r + 0.75 * t * t), rel=1e-3)


def test_a_thin_shell_is_weighed_by_its_area_and_may_be_open() -> None:
    shell = mass(Run(), sphere(6, 0.5), "own", 1000.0, "shell", 2.0)
    kilos = 1000 * 0.002 * 4 * np.pi * 0.25
    assert shell.mass.value == pytest.approx(kilos, rel=1e-3)
    assert np.diag(inertia(shell.report)) == pytest.approx([2 / 3 * kilos * 0.25] * 3, rel=1e-3)
    plate = mass(Run(), grid(4, 2.0), "own", 500.0, "shell", 10.0)
    assert plate.mass.value == pytest.approx(20)
    assert np.diag(inertia(plate.report)) == pytest.approx([20 * 4 / 12, 20 * 8 / 12, 20 * 4 / 12], rel=1e-5)


def test_a_cavity_is_empty_and_an_inside_out_mesh_is_said() -> None:
    hole = Mesh.of(box().vertices * 0.5, box().faces[:, ::-1])
    assert mass(Run(), together(box(), hole), "water").mass.value == pytest.approx(875, rel=1e-6)
    run = Run()
    inside_out = Mesh.of(box().vertices, box().faces[:, ::-1])
    found = mass(run, inside_out, "water")
    assert found.mass.value == pytest.approx(1000, rel=1e-6) and "inside out" in run.notes[0]
    assert inertia(found.report)[0, 0] == pytest.approx(1000 / 6, rel=1e-5)


@pytest.mark.parametrize("mesh", [grid(3), Mesh.of(box().vertices, box().faces[1:])])
def test_open_meshes_are_refused_with_advice(mesh: Mesh) -> None:
    for step in (mass, stands):
        with pytest.raises(BadInput, match="not closed") as refused:
            step(Run(), mesh)
        assert "Repair" in refused.value.advice
    with pytest.raises(BadInput, match="plane"):
        stands(Run(), grid(3), fill="shell")


def test_every_preset_is_a_material_one_can_choose() -> None:
    from typing import get_args

    from nodes.physics._body import Stuff

    assert set(get_args(Stuff)) == {"own", *DENSITIES}
    assert all(100 < d < 25_000 for d in DENSITIES.values())


@pytest.mark.parametrize("degrees", [0.0, 20.0, 33.0])
def test_a_cube_rests_on_each_of_six_sides_one_time_in_six(degrees: float) -> None:
    cube = turned(box_node(pieces=4), degrees, (0.3, 0.5, 0.8))
    found = stands(Run(), cube).report
    assert found.value("poses that stand") == 6
    for pose in range(1, 7):
        assert found.value(f"pose {pose}: probability") == pytest.approx(1 / 6, abs=1e-6)
        assert found.value(f"pose {pose}: tilt it holds (°)") == pytest.approx(45, abs=1e-3)


def test_a_box_tips_over_its_narrow_side_at_the_angle_of_its_measures() -> None:
    found = stands(Run(), box_node(0.2, 1.0, 0.6))
    assert found.report.value("stands as it is") and found.tilt.value == pytest.approx(
        np.degrees(np.arctan(0.2)), abs=1e-4
    )
    assert found.report.value("tips first") in ("to the left", "to the right")


def lean(x: float, z: float) -> Mesh:
    tower = box_node(0.4, 2.0, 0.4, pieces=3)
    rise = tower.vertices[:, 1:2] + 1
    return replace(
        tower, vertices=tower.vertices + np.float32([x, 0, z]) * rise * np.float32([[1, 0, 1]]), normals=None
    )


@pytest.mark.parametrize(
    ("x", "z", "words", "degrees"),
    [
        (0.3, 0, "to the right", 90),
        (-0.3, 0, "to the left", -90),
        (0, 0.3, "to the front", 0),
        (0, -0.3, "to the back", 180),
    ],
)
def test_a_leaning_tower_tips_the_way_it_leans(x: float, z: float, words: str, degrees: float) -> None:
    falls = stands(Run(), lean(x, z))
    assert not falls.report.value("stands as it is") and falls.tilt.value == 0
    assert falls.report.value("tips first") == words
    assert abs(falls.report.value("tips towards (°, 0 front, 90 right)")) == pytest.approx(abs(degrees), abs=1e-3)
    assert falls.mesh.bounds[0][1] == 0 and falls.mesh.bounds[1][1] == pytest.approx(0.4, abs=0.05), "it lies down"
    side = np.sort(falls.mesh.vertices[:, 1])
    assert (side < 1e-5).sum() >= 16, "flush on its side"
    holds = stands(Run(), lean(x / 2, z / 2))
    assert holds.report.value("stands as it is") and holds.report.value("tips first") == words
    assert holds.tilt.value == pytest.approx(np.degrees(np.arctan(0.2 - 0.15)), abs=0.01)


def test_sides_cover_all_directions_and_rolling_only_goes_down() -> None:
    mesh = bumpy(4)
    sides = sides_of(mesh.vertices, np.zeros(3))
    assert sides.share.sum() == pytest.approx(1, abs=1e-9) and (sides.height > 0).all()
    for least in (0.0, 1.0, 5.0):
        ends = sides.rests(least)
        assert (ends[ends] == ends).all() and (sides.height[ends] <= sides.height + 1e-12).all()
        assert (sides.margin[ends] >= 0).all()


def test_a_ball_rolls_and_is_told_so() -> None:
    found = stands(Run(), sphere(5, 0.5), least_tilt=2.0).report
    assert found.value("poses that stand") == 0 and "rolls" in found.verdict


def test_probabilities_agree_with_another_library() -> None:
    import trimesh

    shape = trimesh.creation.box((0.3, 0.5, 0.9))
    shape.apply_transform(trimesh.transformations.euler_matrix(0.2, 0.5, 0.7))
    _, theirs = shape.compute_stable_poses(n_samples=1)
    report = stands(Run(), of(shape), poses=6).report
    mine = sorted(report.value(f"pose {k}: probability") for k in range(1, 7))
    assert mine == pytest.approx(sorted(theirs), abs=1e-5)


def test_the_asked_pose_lies_flat_and_nothing_else_of_the_shape_changes() -> None:
    bar = turned(box_node(0.2, 1.0, 0.6), 25, (1, 0, 0))
    flat = stands(Run(), bar, "most likely").mesh
    assert np.ptp(flat.vertices[:, 1]) == pytest.approx(0.2, abs=1e-5)
    from scipy.spatial.distance import pdist

    assert np.abs(pdist(flat.vertices) - pdist(bar.vertices)).max() < 1e-5
    kept = stands(Run(), bar, "as it is").mesh
    assert np.ptp(kept.vertices, axis=0) == pytest.approx(np.ptp(bar.vertices, axis=0), abs=1e-6)
