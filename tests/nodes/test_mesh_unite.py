"""Repair unites bodies of one mesh that run through each other; the faces inside vanish."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid, together
from solid_proofs import at, closed, cross, rows

from app.engine import Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh.join import join
from nodes.mesh.primitives import box, sphere
from nodes.mesh.repair import repair

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"


def test_two_bars_become_one_body() -> None:
    run = Run()
    left, report = repair(run, cross())
    assert measure(left).parts == 2 and report.value("pairs of faces that cross") > 0
    assert any("Set 'bodies' to 'unite'" in note for note in run.notes)
    run = Run()
    united, report = repair(run, cross(), bodies="unite")
    shape = closed(united)
    assert shape.parts == 1 and shape.genus == 0 and shape.volume == pytest.approx(5, rel=1e-6)
    assert report.value("bodies united") == 2 and report.value("pairs of faces that cross") == 0
    assert any("2 bodies united" in note for note in run.notes)


def test_what_is_apart_stays_bit_by_bit_and_hollows_stay() -> None:
    shell = join(Run(), box(2.0, 2.0, 2.0), replace(box(), faces=box().faces[:, ::-1]))
    away = at(sphere(segments=24), 5.0)
    mesh = join(Run(), shell, at(box(pieces=2), 1.0), away, parts="one per mesh")
    united, report = repair(Run(), mesh, bodies="unite")
    assert report.value("bodies united") == 2
    assert closed(united).volume == pytest.approx(8 - 1 + 0.5 + measure(away).volume, rel=1e-5)
    assert rows(away, "normals", "uv") <= rows(united, "normals", "uv")
    ball = united.faces[united.face_groups == 2]
    assert len(ball) == len(away.faces)
    assert report.value("faces as they were") >= len(away.faces)


def test_many_bodies_and_a_body_within_a_body() -> None:
    chain = together(*(at(sphere(0.5, style="icosphere", detail=4), 0.7 * k) for k in range(25)))
    united, report = repair(Run(), chain, bodies="unite")
    assert closed(united).parts == 1 and report.value("bodies united") == 25
    inner = join(Run(), box(2.0, 2.0, 2.0), box())
    united, report = repair(Run(), inner, bodies="unite")
    assert closed(united).volume == pytest.approx(8) and report.value("bodies united") == 2


def test_nothing_to_unite_and_open_meshes() -> None:
    mesh = box(pieces=2)
    run = Run()
    assert repair(run, mesh, bodies="unite").mesh is mesh and run.notes == ["Nothing to mend."]
    run = Run()
    repair(run, join(Run(), cross(), at(grid(), 9.0)), bodies="unite")
    assert any("not united" in note for note in run.notes)


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize("name", ["suzanne", "teapot"])
def test_real_meshes(name: str) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    before, _ = repair(Run(), mesh)
    united, report = repair(Run(), mesh, bodies="unite")
    shape = closed(united)
    assert report.value("bodies united") >= 3
    assert shape.parts <= 2
    assert shape.volume < measure(before).volume and isinstance(united, Mesh)
    low, high = united.bounds
    assert np.allclose(low, before.bounds[0]) and np.allclose(high, before.bounds[1])
