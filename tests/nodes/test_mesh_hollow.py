"""Walls as thick as asked for, the outside as it was, and a way out for what is caught inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid
from solid_proofs import at, closed, rows, textured

from app.engine import BadInput, Cancelled, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._bvh import build
from nodes.mesh._crossing import crossings
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, sample, surface_of
from nodes.mesh._offset import split_edges
from nodes.mesh._topology import edges_of, parts, weld_points
from nodes.mesh._walls import thickness
from nodes.mesh.boolean import boolean
from nodes.mesh.hollow import hollow
from nodes.mesh.join import join
from nodes.mesh.primitives import box, sphere, torus
from nodes.mesh.shapes import rounded_box
from nodes.mesh.transform import transform

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"


def inside_of(shell: Mesh, group: int = 1) -> Mesh:
    assert shell.face_groups is not None
    return Mesh.of(shell.vertices, shell.faces[shell.face_groups == group])


def walls(mesh: Mesh, shell: Mesh) -> np.ndarray:
    """Distances to the outside from points all over the inside."""
    return nearest_on(surface_of(mesh), sample(surface_of(inside_of(shell)), 20_000, 3).points).distance


def test_a_ball_becomes_a_shell_of_even_thickness() -> None:
    ball = sphere(0.05, style="icosphere", detail=24)
    shell, report = hollow(Run(), ball, wall=4.0, detail=48)
    shape = closed(shell)
    assert shape.parts == 2 and shape.genus == 0
    thick = walls(ball, shell)
    assert thick.min() > 0.98 * 0.004 and thick.max() < 1.03 * 0.004
    whole = measure(ball).volume
    assert shape.volume == pytest.approx(whole * (1 - 0.92**3), rel=0.01)
    assert report.value("material saved") == pytest.approx(0.92**3, abs=0.005)
    assert report.value("wall, least (mm)") == pytest.approx(thick.min() * 1000, rel=0.01)
    assert rows(ball, "normals", "uv") <= rows(shell, "normals", "uv")


def test_a_box_has_flat_walls_and_sharp_corners_inside() -> None:
    cube = box(0.1, 0.1, 0.1)
    shell, report = hollow(Run(), cube, wall=8.0, detail=48)
    assert closed(shell).volume == pytest.approx(0.1**3 - 0.084**3, rel=2e-3)
    thick = walls(cube, shell)
    assert thick.min() > 0.99 * 0.008 and np.quantile(thick, 0.98) < 1.02 * 0.008
    assert report.value("cavities") == 1
    assert inside_of(shell).vertices[inside_of(shell).faces].max() == pytest.approx(0.042, abs=4e-5)


@pytest.mark.parametrize("side", ["bottom", "back"])
def test_drain_holes_go_through(side) -> None:
    ball = textured(sphere(0.05, segments=48), 1)
    run = Run()
    shell, report = hollow(run, ball, wall=4.0, drain_holes=3, hole_diameter=5.0, hole_side=side, detail=48)
    shape = closed(shell)
    assert run.notes == [] and report.value("drain holes") == 3
    assert shape.parts == 1 and shape.genus == 2
    assert np.unique(shell.face_groups).tolist() == [0, 1, 2]
    hole = inside_of(shell, 2)
    way = {"bottom": np.array([0, -1, 0]), "back": np.array([0, 0, -1])}[side]
    assert (hole.vertices[np.unique(hole.faces)] @ way).min() > 0.025
    outside = Mesh.of(shell.vertices, shell.faces[shell.face_groups == 0])
    assert measure(outside).boundary_loops == 3
    assert measure(ball).area - measure(outside).area == pytest.approx(3 * np.pi * 0.0025**2, rel=0.03)
    assert shell.material is ball.material


@pytest.mark.parametrize("holes", [1, 2, 4])
def test_drain_holes_keep_a_wall_beside_them(holes) -> None:
    run = Run()
    base = rounded_box(0.064, 0.018, 0.062, radius=0.003)
    shell, report = hollow(run, base, wall=2.0, drain_holes=holes, hole_diameter=5.0, detail=64)
    assert run.notes == [] and report.value("drain holes") == holes
    assert closed(shell).genus == holes - 1 and closed(shell).parts == 1
    rods = inside_of(shell, 2)
    weld = weld_points(rods.vertices)
    faces = weld.ids[rods.faces]
    count, part = parts(faces, edges_of(faces))
    assert count == holes
    for k in range(count):
        x, _, z = np.abs(rods.vertices[np.unique(rods.faces[part == k])]).max(axis=0) * 1000
        assert x < 32 - 0.75 * 2 and z < 31 - 0.75 * 2
        if holes == 1:
            assert max(x, z) < 2.5 + 3, "a hole alone is in the middle"


def test_clefts_narrower_than_a_voxel_do_not_become_teeth() -> None:
    body = boolean(Run(), box(0.04, 0.04, 0.04), at(box(0.08, 0.0084, 0.03), 0.03))
    body = replace(body, face_groups=None)
    shell, _ = hollow(Run(), body, wall=4.0, detail=64)
    assert closed(shell).parts == 2
    room = inside_of(shell).vertices[np.unique(inside_of(shell).faces)]
    step = 0.09 / 64
    mouth = 0.02 - np.sqrt((0.004 + step) ** 2 - 0.0042**2)  # a ball of one voxel gets so far between the two rims
    assert room[:, 0].max() < mouth + 2 * step, "0.4 mm between two walls stay solid"
    assert measure(shell).volume == pytest.approx(measure(body).volume - 0.032**3, rel=0.01)
    teeth = thickness(build(shell.vertices, shell.faces)) < 0.002
    assert not teeth.any()


def test_thin_places_stay_solid_and_several_cavities_are_drained() -> None:
    ring = torus(0.05, 0.012)
    shell, _ = hollow(Run(), ring, wall=3.0, detail=64)
    assert closed(shell).parts == 2 and closed(shell).volume == pytest.approx(
        measure(ring).volume * (1 - 0.5625), rel=0.02
    )
    bells = join(Run(), at(sphere(0.03), -0.06), at(sphere(0.02), 0.06))
    shell, report = hollow(Run(), bells, wall=3.0, drain_holes=2, hole_diameter=3.0, detail=64)
    assert report.value("cavities") == 2
    assert closed(shell).parts == 2


def test_what_cannot_work_is_said() -> None:
    with pytest.raises(BadInput, match="nowhere thicker than two walls of 30 mm"):
        hollow(Run(), box(0.05, 0.05, 0.05), wall=30.0)
    with pytest.raises(BadInput, match="not a closed body"):
        hollow(Run(), grid())
    run = Run()
    _, report = hollow(run, box(0.02, 0.02, 0.02), wall=2.0, drain_holes=9, hole_diameter=6.0, detail=32)
    assert 0 < report.value("drain holes") < 9 and "drain holes found a place" in run.notes[0]
    stopped = Run()
    stopped.stop.set()
    with pytest.raises(Cancelled):
        hollow(stopped, box())


def test_split_edges_keep_a_surface_closed() -> None:
    ball = sphere(1.0, style="icosphere", detail=4)
    weld = weld_points(ball.vertices)
    points, faces = ball.vertices[weld.first].astype(np.float64), weld.ids[ball.faces]
    for share in (0.1, 0.5, 1.0):
        edges = edges_of(faces)
        marked = np.random.default_rng(1).random(len(edges.ends)) < share
        more, finer = split_edges(points, faces, edges.sides, marked, points[edges.ends[marked]].mean(axis=1))
        assert len(finer) == len(faces) + 2 * marked.sum()
        before, after = measure(Mesh.of(points, faces)), closed(Mesh.of(more, finer))
        assert after.volume == pytest.approx(before.volume, rel=1e-6) and after.area == pytest.approx(before.area)


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize("name", ["spot", "teapot"])
def test_real_meshes(name: str) -> None:
    mesh = transform(Run(), load_mesh(Run(), MESHES / f"{name}.obj"), height=0.1)
    shell, report = hollow(Run(), mesh, wall=2.0, drain_holes=2)
    assert closed(shell).parts == 1
    assert report.value("drain holes") == 2
    assert report.value("wall, least (mm)") > 1.9
    inside = inside_of(shell)
    weld = weld_points(inside.vertices)
    assert not len(crossings(inside.vertices[weld.first], weld.ids[inside.faces]).pairs), "the inside has no folds"
    assert report.value("wall, mean (mm)") == pytest.approx(2.0, abs=0.03)


def test_where_positions_are_coarser_than_walls_it_says_so_at_once() -> None:
    ball = sphere(0.05, segments=24)
    shell, _ = hollow(Run(), at(ball, 100.0), detail=48)
    assert closed(shell).parts == 2
    with pytest.raises(BadInput, match=r"lies 100 km from the origin.* 7.81 mm apart: too coarse for walls of 2 mm"):
        hollow(Run(), at(ball, 1e5), detail=48)
