"""The simulated body comes to rest where geometry says it does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, grid, sphere
from test_physics_body import lean, turned

from app.engine import BadInput, Mesh, Run
from nodes.mesh.primitives import box as box_node
from nodes.physics.drop_test import Dropped, drop_test
from nodes.physics.stands import stands

SMALL = {"frames": 2, "size": 32}


def down(normal: object) -> np.ndarray:
    return np.array([float(v) for v in str(normal).split()])


def wedge() -> Mesh:
    """A prism that can rest on a few sides only."""
    at = [(0, 0, 0), (1, 0, 0), (1.8, 1, 0), (0, 0, 0.7), (1, 0, 0.7), (1.8, 1, 0.7)]
    faces = [(0, 2, 1), (3, 4, 5), (0, 1, 4), (0, 4, 3), (1, 2, 5), (1, 5, 4), (2, 0, 3), (2, 3, 5)]
    return Mesh.of(at, faces)


@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("mesh", [wedge(), lean(0.3, 0.1), turned(box_node(0.2, 0.5, 0.3), 30, (0.5, 0.2, 0.8))])
def test_it_rests_on_a_side_that_geometry_allows(mesh: Mesh, scale: float) -> None:
    scaled = Mesh.of(mesh.vertices * scale, mesh.faces)
    found = drop_test(Run(), scaled, height=0.02, tilt=2.0, **SMALL)
    report = found.report
    assert report.value("comes to rest") and report.value("off the side that geometry says (°)") < 0.5
    assert report.value("tilt that it holds there (°)") > 0
    lies_on = down(report.value("side that lies down"))
    poses = stands(Run(), scaled, least_tilt=0.0, poses=50).report
    sides = [down(v) for n, v in poses.rows if n.endswith("side that lies down")]
    assert min(np.abs(side - lies_on).max() for side in sides) < 1e-3
    assert found.mesh.bounds[0][1] == 0
    size = float(np.linalg.norm(np.ptp(scaled.vertices, axis=0)))
    assert (found.mesh.vertices[:, 1] < 1e-5 * size).sum() >= 3, "flush on the floor"


def test_a_leaning_tower_falls_where_geometry_says() -> None:
    for x, z, words in ((0.3, 0, "to the right"), (0, -0.3, "to the back")):
        tower = lean(x, z)
        found = drop_test(Run(), tower, height=0.0, tilt=0.0, **SMALL).report
        assert found.value("top points") == words == stands(Run(), tower).report.value("tips first")
        assert found.value("leans at rest (°)") > 45


def test_it_stands_below_the_tilt_that_geometry_says_and_tips_above() -> None:
    """The box holds atan(0.3) = 16.7°; let go on its edge at less it comes back, at more it goes over."""
    bar = box_node(0.3, 1.0, 0.6)
    holds = stands(Run(), bar).tilt.value
    assert holds == pytest.approx(np.degrees(np.arctan(0.3)), abs=1e-4)
    back = drop_test(Run(), bar, 0.0, holds - 2, 90.0, friction=1.5, **SMALL).report
    over = drop_test(Run(), bar, 0.0, holds + 2, 90.0, friction=1.5, **SMALL).report
    assert back.value("stands upright") and "It stands" in back.verdict
    assert not over.value("stands upright") and over.value("top points") == "to the right"
    assert over.value("leans at rest (°)") == pytest.approx(90, abs=0.5)


def test_fall_time_is_that_of_free_fall_and_grows_with_the_root_of_size() -> None:
    times = []
    for scale in (0.1, 1.6):
        cube = box_node(scale, scale, scale)
        found = drop_test(Run(), cube, height=3.0, tilt=0.0, **SMALL).report
        times.append(found.value("settles after (s)"))
        free = np.sqrt(2 * 3 * np.sqrt(3) * scale / 9.81)
        assert free < times[-1] < 1.6 * free
    assert times[1] / times[0] == pytest.approx(4, rel=0.02)


def test_throws_come_down_as_often_as_geometry_says_for_a_cube() -> None:
    found = drop_test(Run(), turned(box(), 20, (1, 1, 0)), throws=60, **SMALL).report
    shares = [v for n, v in found.rows if n.endswith(": share")]
    chances = [v for n, v in found.rows if n.endswith("by geometry")]
    assert len(shares) == 6 and sum(shares) == pytest.approx(1) and chances == pytest.approx([1 / 6] * 6, abs=1e-6)
    assert max(shares) < 1 / 6 + 4 * np.sqrt(5 / 36 / 60), "within four standard deviations"


def test_the_film_shows_the_body_fall_and_then_lie_still() -> None:
    found = drop_test(Run(), lean(0.3, 0), height=0.3, frames=4, size=64)
    shots = [image.pixels for image in found.film.images]
    assert len(shots) == 4 and all(shot.shape == (64, 64, 4) for shot in shots)
    apart = [float(np.abs(a - b).mean()) for a, b in pairwise(shots)]
    assert min(apart) > 1e-3
    rows = [np.flatnonzero((np.abs(s[..., :3] - s[:1, :1, :3]).max(axis=2) > 0.3).any(axis=1)) for s in shots]
    assert rows[0][0] < rows[-1][0], "its top comes down"


def test_the_same_again_is_the_same() -> None:
    def values(found: Dropped) -> tuple[object, ...]:
        return (found.mesh.vertices.tobytes(), found.report.rows, [i.pixels.tobytes() for i in found.film.images])

    first, second = (drop_test(Run(), wedge(), throws=3, seed=5, **SMALL) for _ in range(2))
    assert values(first) == values(second)


def test_a_ball_is_told_to_roll_or_rests_and_a_sheet_is_refused() -> None:
    with pytest.raises(BadInput, match="not closed"):
        drop_test(Run(), grid(3))
    with pytest.raises(BadInput, match="plane"):
        drop_test(Run(), grid(3), fill="shell")
    assert drop_test(Run(), sphere(3), **SMALL).report.value("off the side that geometry says (°)") < 8


def test_a_scan_comes_to_rest_where_geometry_says(shared: Path) -> None:
    """Round contact points never lie quite still in the simulation; that is not rolling."""
    from nodes.io.load_mesh import load_mesh
    from nodes.mesh.repair import repair

    for name in ("spot.obj", "cow.obj"):
        mesh = repair(Run(), load_mesh(Run(), shared / "meshes" / name)).mesh
        report = drop_test(Run(), mesh, **SMALL).report
        assert report.value("comes to rest") and report.value("settles after (s)") < 4
        assert report.value("off the side that geometry says (°)") < 0.2
