"""Distances between shapes for which a pencil knows them, and alignments that must be found again."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moved, sphere

from app.engine import BadInput, Cancelled, Mesh, Report, Run
from nodes.mesh._align import best_similarity, by_centre_and_scale, quarter_turns
from nodes.mesh._metrics import nearest_on, sample, surface_of
from nodes.mesh.compare_shapes import COLOURS, compare_shapes
from nodes.mesh.transform import transform

COUNT = 4000


def told(mesh: Mesh, reference: Mesh, align: str = "as placed", threshold: float = 0.01) -> Report:
    return compare_shapes(Run(), mesh, reference, align, threshold, COUNT).report  # type: ignore[arg-type]


def test_concentric_spheres_are_the_difference_of_their_radii_apart() -> None:
    report = told(sphere(5, 1.0), sphere(5, 1.25))
    for name in ("chamfer distance (m)", "mesh to reference (m)", "reference to mesh (m)", "root mean square (m)"):
        assert report.value(name) == pytest.approx(0.25, abs=4e-4)
    assert report.value("Hausdorff distance, sampled (m)") == pytest.approx(0.25, abs=1e-3)
    assert report.value("normal consistency") > 0.999
    assert report.value("F-score") == 0
    assert report.value("chamfer distance (of diagonal)") == pytest.approx(0.25 / (2.5 * np.sqrt(3)), rel=5e-3)


def test_the_f_score_turns_from_none_to_all_at_the_distance() -> None:
    inner, outer = sphere(5, 1.0), sphere(5, 1.25)
    at = 0.25 / surface_of(outer).diagonal
    assert told(inner, outer, threshold=at * 0.99).value("F-score") == 0
    assert told(inner, outer, threshold=at * 1.01).value("F-score") == 1


def test_a_mesh_is_no_distance_from_itself() -> None:
    for mesh in (bumpy(4), moved(bumpy(4), 1000, -500, 20)):
        result = compare_shapes(Run(), mesh, mesh, samples=COUNT)
        assert result.report.value("Hausdorff distance, sampled (m)") < 5e-6
        assert (result.report.value("F-score"), result.report.value("recall")) == (1, 1)
        assert result.report.value("normal consistency") == pytest.approx(1, abs=1e-3)
        assert result.mesh.vertices.tobytes() == mesh.vertices.tobytes()
        assert result.mesh.colours is not None and np.allclose(result.mesh.colours[:, :3], COLOURS[0], atol=1e-3)


def test_other_triangles_over_the_same_surface_are_no_difference() -> None:
    assert told(grid(3), grid(16)).value("Hausdorff distance, sampled (m)") < 1e-7


def test_parallel_planes_and_a_half_that_is_missing() -> None:
    whole, half = grid(8, 2.0), grid(8, 2.0)
    half = replace(half, vertices=half.vertices * np.float32([0.5, 1, 1]) + np.float32([0.5, 0, 0]))
    report = told(moved(half, 0, 0.1, 0), whole, threshold=0.2)
    assert report.value("mesh to reference (m)") == pytest.approx(0.1, abs=1e-6)
    x = (np.arange(100_000) + 0.5) / 100_000
    assert report.value("reference to mesh (m)") == pytest.approx((0.1 + np.hypot(x, 0.1).mean()) / 2, rel=0.01)
    assert report.value("precision") == 1 and 0.5 < report.value("recall") < 1


def test_swapping_the_meshes_swaps_the_ways_and_nothing_else() -> None:
    one, other = bumpy(3), moved(sphere(3), 0.1, 0, 0)
    there, back = told(one, other), told(other, one)
    assert there.value("mesh to reference (m)") == back.value("reference to mesh (m)")
    for name in ("chamfer distance (m)", "root mean square (m)", "Hausdorff distance, sampled (m)"):
        assert there.value(name) == back.value(name)


def test_points_are_spread_evenly_by_area_and_lie_on_the_surface() -> None:
    thin = Mesh.of([[0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 5]], [[0, 1, 2], [0, 1, 4], [0, 1, 3]])
    surface = surface_of(thin)
    points = sample(surface, 10_000, 1)
    assert nearest_on(surface, points.points).distance.max() < 1e-6
    share = (np.abs(points.normals[:, 2]) > 0.5).mean()
    assert share == pytest.approx(surface.areas[0] / surface.areas.sum(), abs=1e-3)
    middle = points.points[np.abs(points.normals[:, 2]) > 0.5].mean(axis=0)
    assert middle == pytest.approx([1, 1 / 3, 0], abs=0.05)


def test_the_colours_tell_the_distance_at_each_vertex() -> None:
    base = grid(4, 1.0)
    raised = replace(base, vertices=base.vertices + np.float32([0, 0.05, 0]))
    result = compare_shapes(Run(), raised, base, red_at=0.05 / np.sqrt(2), samples=1000)
    assert result.mesh.colours is not None
    assert np.allclose(result.mesh.colours[:, :3], COLOURS[-1], atol=1e-4)
    assert result.mesh.uv is None and result.mesh.material is None


def lopsided() -> Mesh:
    mesh = bumpy(4)
    return Mesh.of(mesh.vertices * np.float32([1, 1.4, 0.7]) + 0.2 * mesh.vertices[:, [1, 2, 0]] ** 2, mesh.faces)


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (90.0, 0.0, 180.0), (100.0, -30.0, 75.0)])
def test_full_alignment_finds_a_turned_grown_and_moved_mesh_again(turn: tuple[float, float, float]) -> None:
    mesh = lopsided()
    other = transform(Run(), mesh, *turn, scale=1.7, move_x=3.0, move_y=-1.0)
    result = compare_shapes(Run(), mesh, other, "full", samples=COUNT)
    assert result.report.value("chamfer distance (of diagonal)") < 2e-4
    assert result.report.value("scaled by") == pytest.approx(1.7, rel=1e-3)
    assert result.report.value("F-score") == 1
    assert np.abs(result.mesh.vertices - other.vertices).max() < 0.01
    assert told(mesh, other).value("F-score") < 0.5


def test_centre_and_scale_undoes_a_move_and_a_growth_exactly() -> None:
    mesh = lopsided()
    other = transform(Run(), mesh, scale=0.3, move_z=50.0)
    report = told(mesh, other, "centre and scale")
    assert report.value("scaled by") == pytest.approx(0.3, rel=1e-5)
    assert report.value("turned by (°)") == 0
    assert report.value("chamfer distance (of diagonal)") < 1e-5


def test_moments_of_a_box_are_those_of_the_textbook() -> None:
    """A unit cube's surface lies at a mean square of 1/4 + 2/12 from its centre, a sphere's of radius r at r²."""
    found = by_centre_and_scale(surface_of(box()), surface_of(moved(sphere(6, 2.0), 1, 2, 3)))
    assert found.scale == pytest.approx(2 / np.sqrt(5 / 12), rel=1e-3)
    assert found.move == pytest.approx([1, 2, 3], abs=1e-5)


def test_quarter_turns_and_the_closed_form_of_the_best_similarity() -> None:
    turns = quarter_turns()
    assert len({turn.tobytes() for turn in turns}) == 24 and np.array_equal(turns[0], np.eye(3))
    assert all(np.linalg.det(turn) == pytest.approx(1) for turn in turns)
    points = np.random.default_rng(0).normal(size=(50, 3))
    found = best_similarity(points, 2.5 * points @ turns[7].T + [1, 2, 3])
    assert (
        found.scale == pytest.approx(2.5) and np.allclose(found.turn, turns[7]) and np.allclose(found.move, [1, 2, 3])
    )
    assert np.allclose(found.back.of(found.of(points)), points)
    mirrored = best_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(mirrored.turn) == pytest.approx(1), "never a mirror image"


def test_a_mesh_without_area_is_refused_and_said_which_one() -> None:
    line = Mesh.of([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]])
    with pytest.raises(BadInput, match="The reference has no area"):
        compare_shapes(Run(), sphere(1), line)


def test_it_stops_while_it_aligns() -> None:
    stop, seen = Event(), list[str]()

    def tell(done: float, note: str) -> None:
        seen.append(note)
        if note == "aligning" and done > 0.1:
            stop.set()

    with pytest.raises(Cancelled):
        compare_shapes(Run(tell, stop=stop), sphere(2), bumpy(2), "full")
    assert seen[-1] == "aligning"
