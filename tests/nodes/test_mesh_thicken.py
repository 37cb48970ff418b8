"""A sheet becomes a closed solid whose volume is its area times its thickness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid, moebius, together
from solid_proofs import closed, rows, textured

from app.engine import BadInput, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.primitives import box, sphere
from nodes.mesh.slice import slice_mesh
from nodes.mesh.thicken import thicken

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
SIDES = ("inside", "middle", "outside")


@pytest.mark.parametrize("offset", SIDES)
def test_a_sheet_becomes_a_plate(offset) -> None:
    plate = thicken(Run(), grid(), 0.04, offset=offset)
    shape = closed(plate)
    assert shape.volume == pytest.approx(0.04, rel=1e-5) and shape.genus == 0
    low, high = plate.bounds
    assert (low[1], high[1]) == pytest.approx(
        {"inside": (-0.04, 0), "middle": (-0.02, 0.02), "outside": (0, 0.04)}[offset]
    )
    assert np.unique(plate.face_groups, return_counts=True)[1].tolist() == [128, 128, 64]


def test_even_walls_are_as_thick_at_corners_as_elsewhere() -> None:
    cube = box(pieces=4)
    for offset, volume in zip(SIDES, (1 - 0.8**3, 1.1**3 - 0.9**3, 1.2**3 - 1), strict=True):
        assert closed(thicken(Run(), cube, 0.1, offset=offset)).volume == pytest.approx(volume, rel=1e-5)
    shell = thicken(Run(), cube, 0.1)
    inner = shell.vertices[np.unique(shell.faces[shell.face_groups == 1])]
    assert np.abs(inner).max() == pytest.approx(0.4, abs=1e-6)
    plain = thicken(Run(), cube, 0.1, even=False)
    assert measure(plain).volume < measure(shell).volume
    moved = np.linalg.norm(plain.vertices[: len(cube.vertices)] - plain.vertices[len(cube.vertices) :], axis=1)
    assert np.allclose(moved, 0.1, atol=1e-6)


@pytest.mark.parametrize("offset", SIDES)
def test_a_bowl(offset) -> None:
    ball = sphere(1.0, style="icosphere", detail=40)
    bowl = slice_mesh(Run(), ball, cap=False).below
    solid = thicken(Run(), bowl, 0.1, offset=offset)
    shape = closed(solid)
    low, high = {"inside": (0.9, 1), "middle": (0.95, 1.05), "outside": (1, 1.1)}[offset]
    assert shape.genus == 0
    assert shape.volume == pytest.approx(2 / 3 * np.pi * (high**3 - low**3), rel=3e-3)
    far = nearest_on(
        surface_of(Mesh.of(solid.vertices, solid.faces[solid.face_groups == 0])),
        solid.vertices[np.unique(solid.faces[solid.face_groups == 1])].astype(np.float64),
    )
    assert far.distance.min() > 0.0995 and far.distance.max() < 0.1005
    rim = solid.faces[solid.face_groups == 2]
    assert np.allclose(solid.normals[np.unique(rim)] @ (0, 1, 0), 1, atol=1e-3)


def test_the_surface_keeps_what_it_carries() -> None:
    sheet = replace(textured(grid(), 1), face_groups=np.arange(128, dtype=np.int32) % 3)
    plate = thicken(Run(), sheet, 0.1)
    assert plate.material is sheet.material
    before = rows(sheet, "uv")
    assert before == rows(Mesh.of(plate.vertices, plate.faces[:128], uv=plate.uv), "uv")
    assert np.array_equal(plate.face_groups[:128], sheet.face_groups)
    assert np.array_equal(plate.face_groups[128:256], sheet.face_groups + 3)
    assert set(plate.face_groups[256:].tolist()) == {6}
    rim = plate.uv[plate.faces[256:]]
    assert ((rim < 1e-6) | (rim > 1 - 1e-6)).any(axis=2).all()
    ball = sphere()
    outer = thicken(Run(), ball, 0.01)
    kept = Mesh.of(outer.vertices, outer.faces[: len(ball.faces)], normals=outer.normals, uv=outer.uv)
    assert rows(kept, "normals", "uv") == rows(ball, "normals", "uv")


def test_strips_with_one_side_crossed_winding_and_faces_on_one_another() -> None:
    run = Run()
    assert closed(thicken(run, moebius(), 0.02)).volume == pytest.approx(0.02 * measure(moebius()).area, rel=0.02)
    assert "cut apart" in run.notes[0]
    sheet = grid()
    crossed = replace(sheet, faces=np.where((np.arange(128) % 7 == 0)[:, None], sheet.faces[:, ::-1], sheet.faces))
    assert closed(thicken(Run(), crossed, 0.05)).volume == pytest.approx(0.05, rel=1e-5)
    run = Run()
    assert closed(thicken(run, together(sheet, sheet), 0.05)).volume == pytest.approx(0.05, rel=1e-5)
    assert "128 faces without area, doubled" in run.notes[-1]
    assert closed(thicken(Run(), Mesh.of(np.eye(3), [[0, 1, 2]]), 0.1)).volume == pytest.approx(0.1 * 3**0.5 / 2)


def test_without_a_rim_and_too_thick() -> None:
    bare = thicken(Run(), grid(), 0.04, rim=False)
    assert measure(bare).parts == 2 and measure(bare).boundary_edges == 64
    run = Run()
    thicken(run, sphere(), 0.8)
    assert "faces turned over" in run.notes[0]
    with pytest.raises(BadInput, match="no faces"):
        thicken(Run(), Mesh.of(np.zeros((3, 3)), [[0, 1, 2]]))


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize("name", ["suzanne", "teapot", "stanford-bunny"])
def test_real_open_meshes(name: str) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    thickness = 0.002 * float(np.ptp(mesh.vertices, axis=0).max())
    solid = closed(thicken(Run(), mesh, thickness))
    assert solid.volume == pytest.approx(thickness * measure(mesh).area, rel=0.03)
