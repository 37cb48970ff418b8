"""The table of facts holds the numbers that are known for shapes from a textbook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moebius, moved, oracle, sphere, together, torus

from app.engine import BadInput, Image, Material, Mesh, Report, Run
from nodes.mesh.analyse import analyse


def facts(mesh: Mesh) -> Report:
    return analyse(Run(), mesh).report


@pytest.mark.parametrize(
    ("mesh", "genus", "euler", "parts"),
    [(box(), 0, 2, 1), (torus(), 1, 0, 1), (bumpy(3), 0, 2, 1), (together(box(), moved(torus(), 5, 0, 0)), 1, 2, 2)],
)
def test_closed_shapes(mesh: Mesh, genus: int, euler: int, parts: int) -> None:
    found = facts(mesh)
    assert (found.value("genus"), found.value("Euler characteristic"), found.value("parts")) == (genus, euler, parts)
    assert found.value("watertight") and found.value("manifold") and not found.value("inside out")
    assert found.value("area (m²)") == pytest.approx(oracle(mesh).area, rel=1e-5)
    assert found.value("volume (m³)") == pytest.approx(oracle(mesh).volume, rel=1e-5)
    assert found.verdict.startswith("Watertight")


def test_size_of_a_box_far_from_the_origin() -> None:
    found = facts(moved(box(), 1000, 0, 0))
    assert [found.value(f"{side} (m)") for side in ("width", "height", "depth")] == [1, 1, 1]
    assert found.value("volume (m³)") == pytest.approx(1, abs=1e-6)


def test_moebius_strip_has_one_border_and_cannot_be_wound() -> None:
    found = facts(moebius())
    assert found.value("holes") == 1
    assert found.value("edges with crossed winding") == 1
    assert found.value("genus") == "not defined"


def test_uv_seams_are_not_holes() -> None:
    mesh = box()
    apart = Mesh.of(mesh.vertices[mesh.faces.ravel()], np.arange(36).reshape(-1, 3))
    found = facts(apart)
    assert (found.value("vertices"), found.value("positions")) == (36, 8)
    assert found.value("watertight")


def test_two_boxes_that_share_an_edge_and_two_that_share_a_corner() -> None:
    edge = facts(together(box(), moved(box(), 1, 1, 0)))
    assert edge.value("non-manifold edges") == 1 and not edge.value("manifold") and not edge.value("closed")
    corner = facts(together(box(), moved(box(), 1, 1, 1)))
    assert corner.value("non-manifold edges") == 0 and corner.value("non-manifold vertices") == 1


def test_damage_is_counted() -> None:
    mesh = sphere(2)
    faces = np.concatenate([mesh.faces[1:], mesh.faces[5:7], [[0, 0, 1]]])
    faces[10] = faces[10][::-1]
    found = facts(Mesh.of(np.concatenate([mesh.vertices, [[9, 9, 9]]]), faces))
    assert found.value("duplicate faces") == 2
    assert found.value("degenerate faces") == 1
    assert found.value("unused vertices") == 1
    assert found.value("holes") == 1 and found.value("boundary edges") == 3
    assert found.value("edges with crossed winding") == 3
    assert "1 hole," in found.verdict and "3 degenerate or duplicate faces" in found.verdict


def test_inside_out() -> None:
    mesh = sphere(2)
    assert facts(replace(mesh, faces=np.ascontiguousarray(mesh.faces[:, ::-1]))).value("inside out")


def test_uv_facts() -> None:
    mesh = grid(4, size=2.0)
    half = replace(mesh, uv=mesh.uv * np.float32(0.5), material=Material(base_colour=Image.of(np.ones((64, 64)))))
    found = facts(half)
    assert found.value("UV coverage") == pytest.approx(0.25, abs=1e-3)
    assert found.value("UV overlap") == 0 and found.value("UV charts") == 1 and found.value("mirrored UV faces") == 0
    assert found.value("texels per metre") == pytest.approx(16, rel=1e-3)
    twice = replace(together(half, moved(half, 0, 1, 0)), uv=np.tile(half.uv, (2, 1)))
    assert facts(twice).value("UV overlap") == 1.0
    assert "overlap" in facts(twice).verdict


def test_bunny(shared: Path) -> None:
    import trimesh

    shape = trimesh.load(shared / "meshes" / "stanford-bunny.obj", force="mesh")
    found = facts(Mesh.of(shape.vertices, shape.faces))
    assert (found.value("holes"), found.value("boundary edges"), found.value("parts")) == (5, 223, 1)
    assert found.value("Euler characteristic") == shape.euler_number == -3


@pytest.mark.parametrize(
    "mesh", [Mesh.of(np.zeros((3, 3)), np.zeros((0, 3))), Mesh.of([[0, 0, 0], [1, 0, 0], [np.nan, 1, 0]], [[0, 1, 2]])]
)
def test_bad_input_says_what_to_do(mesh: Mesh) -> None:
    with pytest.raises(BadInput) as caught:
        facts(mesh)
    assert caught.value.advice
