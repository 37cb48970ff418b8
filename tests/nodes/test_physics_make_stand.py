"""What is made to stand stands, moved no farther than allowed, and is otherwise the same mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, sphere
from test_physics_body import lean

from app.engine import BadInput, Mesh, Run
from nodes.mesh._measure import measure
from nodes.mesh._topology import diagonal
from nodes.mesh.primitives import box as box_node
from nodes.physics.make_stand import make_stand
from nodes.physics.stands import stands


def egg() -> Mesh:
    """Upright, and round below."""
    mesh = sphere(4, 0.5)
    return Mesh.of(mesh.vertices * [1, 1.4, 1], mesh.faces)


@pytest.mark.parametrize(
    ("mesh", "how", "tolerance"), [(egg(), "flatten", 5.0), (bumpy(4), "auto", 8.0), (lean(0.3, 0.1), "lean", 20.0)]
)
def test_it_stands_within_the_tolerance_and_stays_closed(mesh: Mesh, how: str, tolerance: float) -> None:
    assert not stands(Run(), mesh, least_tilt=3.0).report.value("stands as it is")
    run = Run()
    found = make_stand(run, mesh, how, tolerance, 3.0)
    assert run.notes == [], found.report
    again = stands(Run(), found.mesh, "as it is", least_tilt=3.0, touch=0.0001)
    assert again.report.value("stands as it is") and again.tilt.value >= 3.0
    assert found.report.value("tilt it holds now (°)") == pytest.approx(again.tilt.value, abs=0.05)
    moved = np.linalg.norm(found.mesh.vertices.astype(float) - mesh.vertices, axis=1).max()
    assert 0 < moved <= tolerance / 100 * diagonal(mesh) * (1 + 1e-5)
    assert found.report.value("moved by at most (mm)") == pytest.approx(1000 * moved, rel=1e-4)
    was, now = measure(mesh), measure(found.mesh)
    assert now.watertight and np.array_equal(found.mesh.faces, mesh.faces) and now.genus == was.genus
    assert now.volume > 0.9 * was.volume


def test_leaning_moves_the_centre_just_over_the_base_and_keeps_the_volume() -> None:
    tower = lean(0.3, 0)
    found = make_stand(Run(), tower, "lean", 20.0, 4.0)
    assert found.report.value("tilt it holds now (°)") == pytest.approx(4, abs=0.15), "no farther than needed"
    assert measure(found.mesh).volume == pytest.approx(measure(tower).volume, rel=1e-5)
    base = tower.vertices[:, 1] == tower.vertices[:, 1].min()
    assert np.array_equal(found.mesh.vertices[base], tower.vertices[base])


def test_flattening_lifts_only_what_lies_below_the_plane() -> None:
    found = make_stand(Run(), egg(), "flatten", 10.0, 3.0)
    depth = found.report.value("base flattened by (mm)") / 1000
    plane = egg().vertices[:, 1].min() + depth
    above = egg().vertices[:, 1] > plane
    assert np.array_equal(found.mesh.vertices[above], egg().vertices[above])
    assert found.mesh.vertices[~above, 1] == pytest.approx(plane, abs=1e-6)
    firmer = make_stand(Run(), egg(), "flatten", 10.0, 8.0).report
    assert firmer.value("base flattened by (mm)") > 1000 * depth


def test_what_stands_already_is_the_same_mesh_and_what_cannot_is_said() -> None:
    cube = box_node()
    assert make_stand(Run(), cube).mesh is cube
    run, tower = Run(), lean(1.0, 0)
    assert make_stand(run, tower, "auto", 0.5).mesh is tower
    assert "cannot" in run.notes[0]
    with pytest.raises(BadInput, match="not closed"):
        make_stand(Run(), grid(3))


def test_a_foot_holds_it_and_nothing_else_changes() -> None:
    tower = replace(lean(0.4, 0.1), uv=box_node(0.4, 2.0, 0.4, pieces=3).uv)
    found = make_stand(Run(), tower, "foot", least_tilt=6.0)
    n, m = len(tower.vertices), len(tower.faces)
    assert np.array_equal(found.mesh.vertices[:n], tower.vertices) and np.array_equal(found.mesh.faces[:m], tower.faces)
    shape = measure(found.mesh)
    assert shape.watertight and shape.parts == 2
    assert stands(Run(), found.mesh, "as it is", least_tilt=6.0).report.value("stands as it is")


def test_normals_follow() -> None:
    tower = box_node(0.4, 2.0, 0.4, pieces=2)
    rise = tower.vertices[:, 1:2] + 1
    slanted = replace(tower, vertices=tower.vertices + np.float32([[0.3, 0, 0]]) * rise)
    normals = tower.normals.astype(float)
    normals[:, 1] -= 0.3 * normals[:, 0]
    slanted = replace(slanted, normals=(normals / np.linalg.norm(normals, axis=1)[:, None]).astype(np.float32))
    found = make_stand(Run(), slanted, "lean", 20.0, 4.0).mesh
    a, b, c = (found.vertices[found.faces[:, k]].astype(float) for k in range(3))
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1)[:, None]
    assert np.abs(found.normals[found.faces] - face[:, None]).max() < 1e-4
